"""An issue: one thing found wrong, with its place in a file or a JSON document and the value that was given.

Its words come from the catalogue in ``issue_kinds.py``; what only this case can say is its hint.
"""

from dataclasses import dataclass

from intempt_core.contract.body import dump_json
from intempt_core.contract.fields import Json
from intempt_core.contract.issue_kinds import ISSUE_KINDS, IssueKind, Severity
from intempt_core.contract.quantities import shorten_value


def escape_pointer_key(key: str) -> str:
    """Write a key as one step of an RFC 6901 pointer."""
    return key.replace("~", "~0").replace("/", "~1")


def split_pointer(pointer: str) -> list[str]:
    """Split an RFC 6901 pointer into its keys; an index of a list is text too."""
    return [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]


@dataclass(frozen=True, slots=True)
class Place:
    """The location of something in a file and in the JSON.

    Attributes:
        row: The event of the input, from 1; the header is not a row.
        line: The physical line, from 1.
        column: The file's own header.
        pointer: An RFC 6901 pointer: into the pasted document, into the request of a form, or, for a file, into the
            event that the row becomes.
        span: From where to where in the pasted document, for what a pointer alone does not tell apart (a comma, a
            comment, one of several equal keys).
        member: Which event of its row it is, from 1; 0 where the row is one event.
    """

    row: int | None = None
    line: int | None = None
    column: str | None = None
    pointer: str = ""
    span: tuple[int, int] | None = None
    member: int = 0

    @property
    def path(self) -> str:
        """The pointer in JavaScript's notation: ``track[0].payload[16].data.productId``."""
        text = "".join(f"[{key}]" if key.isdigit() else f".{key}" for key in split_pointer(self.pointer))
        return text.removeprefix(".")

    @property
    def label(self) -> str:
        """The place as the beginning of a sentence: ``Row 18, column product_id``, ``Line 7, data.productId``."""
        head = f"Row {self.row:,}" if self.row is not None else f"Line {self.line:,}" if self.line is not None else ""
        head += f", member {self.member:,}" if self.member else ""
        tail = f"column {self.column}" if self.column is not None else self.path
        return ", ".join(part for part in (head, tail) if part)


@dataclass(frozen=True, slots=True)
class Issue:
    """One thing found wrong.

    Attributes:
        code: The key of its kind in the catalogue.
        place: Where it is.
        given: The value as text, ``None`` where there was none.
        hint: Advice that only this case can give ("These look like seconds: multiply by 1,000."); it takes the place of
            the kind's own fix.
        rule: The kind of issue where it is the team's own and not the contract's.
    """

    code: str
    place: Place
    given: str | None = None
    hint: str = ""
    rule: IssueKind | None = None

    @property
    def kind(self) -> IssueKind:
        """The catalogue's entry, or the team's rule."""
        return self.rule or ISSUE_KINDS[self.code]

    @property
    def severity(self) -> Severity:
        """Error or warning."""
        return self.kind.severity

    @property
    def given_phrase(self) -> str:
        """The given value for a sentence: quoted, or ``missing``, or ``empty``."""
        if self.given is None:
            return "missing"
        return f"“{self.given}”" if self.given else "empty"

    @property
    def message(self) -> str:
        """What is wrong, without the place."""
        kind = self.kind
        detail = kind.message_detail(self.given) if kind.message_detail and self.given else ""
        return f"{kind.message.replace('{given}', self.given_phrase)} {detail}".rstrip()

    @property
    def fix(self) -> str:
        """What to do: this case's own hint, or what helps every case of its kind."""
        return self.hint or self.kind.fix

    @property
    def sentence(self) -> str:
        """The place, what is wrong, and what to do, in one line."""
        where = self.place.label
        return f"{where}: {self.message} {self.fix}" if where else f"{self.message} {self.fix}"


def format_given(value: Json) -> str | None:
    """Write a given value as an issue shows it: text as it is, anything else as JSON; ``None`` where there was none."""
    if value is None or isinstance(value, str):
        return None if value is None else shorten_value(value)
    return shorten_value(dump_json(value).decode())
