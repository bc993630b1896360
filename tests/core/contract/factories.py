"""The fields of events, from the model and from the rules: what properties try without anybody remembering them."""

from collections.abc import Iterator

from pydantic import BaseModel

from intempt_core.contract.issue_kinds import ISSUE_KINDS
from intempt_core.contract.readings import FoundElsewhere


def model_fields(model: type[BaseModel]) -> Iterator[str]:
    """Every field of a model as a dotted path, those of models inside it too."""
    for name, field in model.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from (f"{name}.{inside}" for inside in model_fields(kind))
        else:
            yield name


RULE_FIELDS = frozenset(
    field
    for kind in ISSUE_KINDS.values()
    if not isinstance(kind.reading, FoundElsewhere)
    for field in kind.reading.fields
)
"""Every field that a rule reads; empty text is the event itself."""
