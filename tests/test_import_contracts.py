"""Our two import contracts find what they are for: a contract that could not fail would hold nothing."""

from grimp import ImportGraph

from tests.import_contracts import FacesContract, OnlyContract


def graph_of(*imports: tuple[str, str]) -> ImportGraph:
    graph = ImportGraph()
    graph.add_module("core.sandbox")
    for importer, imported in imports:
        graph.add_import(importer=importer, imported=imported)
    return graph


def wrong_in(contract: FacesContract | OnlyContract, graph: ImportGraph) -> list[str]:
    check = contract.check(graph, verbose=False)
    wrong: list[str] = check.metadata["wrong"]
    assert check.kept is not bool(wrong)
    return wrong


def faces() -> FacesContract:
    return FacesContract(name="faces", session_options={}, contract_options={"root": "core"})


def only() -> OnlyContract:
    options = {"source": "core.sandbox", "allowed": ["core.contract"]}
    return OnlyContract(name="only", session_options={}, contract_options=options)


def test_a_module_inside_a_package_is_not_imported_from_outside() -> None:
    graph = graph_of(("core.cli.check", "core.readers.table"), ("core.cli.check", "core.readers"))
    assert wrong_in(faces(), graph) == ["core.cli.check imports core.readers.table"]


def test_modules_of_one_package_import_each_other() -> None:
    assert (
        wrong_in(faces(), graph_of(("core.readers.xlsx", "core.readers.table"), ("core.readers", "core.errors"))) == []
    )


def test_the_sandbox_imports_only_what_is_allowed() -> None:
    graph = graph_of(
        ("core.sandbox.http.routes", "core.contract"),
        ("core.sandbox.http.routes", "core.sandbox.storage"),
        ("core.sandbox.http.routes", "core.history"),
        ("core.sandbox.http.routes", "starlette"),
    )
    assert wrong_in(only(), graph) == ["core.sandbox.http.routes imports core.history"]
