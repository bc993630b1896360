"""Two rules that import-linter has no contract for: only what is allowed, and packages through their ``__init__``."""

from typing import cast

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output


class OnlyContract(Contract):
    """A package imports itself and the allowed ones, and nothing else of the same project."""

    source = fields.StringField()
    allowed = fields.ListField(subfield=fields.StringField())

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:  # noqa: ARG002  import-linter passes it
        """Look at every direct import of the package."""
        source, allowed = cast("str", self.source), cast("list[str]", self.allowed)
        root, inside = source.split(".")[0], (source, *allowed)
        wrong = [
            f"{importer} imports {imported}"
            for importer in sorted(_modules_of(graph, source))
            for imported in sorted(graph.find_modules_directly_imported_by(importer))
            if imported.split(".")[0] == root and not any(_is_inside(imported, one) for one in inside)
        ]
        return ContractCheck(kept=not wrong, metadata={"wrong": wrong})

    def render_broken_contract(self, check: ContractCheck) -> None:
        """One line for each import that is not allowed."""
        _print_lines(check)


class FacesContract(Contract):
    """What is outside a package imports the package itself, never a module inside it."""

    root = fields.StringField()

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:  # noqa: ARG002  import-linter passes it
        """Look at every direct import of a module that lies inside a package of the root."""
        root = cast("str", self.root)
        wrong: list[str] = []
        for imported in sorted(graph.modules):
            parts = imported.split(".")
            if parts[0] != root or len(parts) < 3:
                continue
            package = ".".join(parts[:2])
            wrong += [
                f"{importer} imports {imported}"
                for importer in sorted(graph.find_modules_that_directly_import(imported))
                if not _is_inside(importer, package)
            ]
        return ContractCheck(kept=not wrong, metadata={"wrong": wrong})

    def render_broken_contract(self, check: ContractCheck) -> None:
        """One line for each import past a package's ``__init__``."""
        _print_lines(check)


def _is_inside(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


def _modules_of(graph: ImportGraph, package: str) -> set[str]:
    return {package, *graph.find_descendants(package)}


def _print_lines(check: ContractCheck) -> None:
    for line in check.metadata["wrong"]:
        output.print_error(line, bold=False)
