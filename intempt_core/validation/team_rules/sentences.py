"""What a finding of the team's rules says: what is wrong, what is allowed, and how to fix it, by the keyword."""

from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches

from intempt_core.contract import FoundElsewhere, IssueKind, Json, format_count, format_given, join_words, shorten_value
from intempt_core.validation.team_rules.schema_expansion import RuleCheck

MAX_VALUES_LISTED = 12
"""Allowed values that a sentence lists."""

WHOLE_EVENT = "The event"
"""What a sentence calls the whole event."""

SOURCE = "the team's rules"

_TYPES = {
    "string": "text",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
    "object": "an object",
    "array": "a list",
    "null": "null",
}
_COUNTED = {
    "minLength": ("character", "characters", "At least", len),
    "maxLength": ("character", "characters", "At most", len),
    "minItems": ("item", "items", "At least", len),
    "maxItems": ("item", "items", "At most", len),
    "minProperties": ("key", "keys", "At least", len),
    "maxProperties": ("key", "keys", "At most", len),
}
_BOUNDS = {
    "minimum": "{} or more.",
    "maximum": "{} or less.",
    "exclusiveMinimum": "More than {}.",
    "exclusiveMaximum": "Less than {}.",
    "multipleOf": "A multiple of {}.",
}


def describe_finding(check: RuleCheck, where: str, value: Json, names: Sequence[str] = ()) -> IssueKind:
    """The kind of issue that a broken check is, in words about this case.

    Args:
        check: The check.
        where: The dotted path of the value in its event.
        value: The value; what is absent is ``None``.
        names: The keys that are too many, or missing.
    """
    message, allowed, fix = _phrase(check, where or WHOLE_EVENT, value, names)
    if check.message:
        message, fix = check.message, f"{fix} Allowed: {allowed[:1].lower()}{allowed[1:]}"
    return make_rule_kind(check, message, allowed, fix)


def make_rule_kind(check: RuleCheck, message: str = "", allowed: str = "", fix: str = "") -> IssueKind:
    """A kind of issue that is the team's; without words it stands for all findings of its code."""
    return IssueKind(
        code=check.code,
        severity=check.severity,
        title=check.name,
        message=message,
        allowed=allowed,
        fix=fix,
        source=SOURCE,
        reading=FoundElsewhere.BY_TEAM_RULES,
    )


def _phrase(check: RuleCheck, where: str, value: Json, names: Sequence[str]) -> tuple[str, str, str]:
    keyword = check.keyword
    if keyword in _COUNTED:
        one, many, bound, count = _COUNTED[keyword]
        return (
            f"{where} is {{given}}, {format_count(count(value), one, many)}.",
            f"{bound} {format_count(int(check.value), one, many)}.",
            "Make it longer." if bound == "At least" else "Make it shorter.",
        )
    if keyword in _BOUNDS:
        return f"{where} is {{given}}.", _BOUNDS[keyword].format(_quote(check.value)), "Correct the value."
    return _PHRASES.get(keyword, _phrase_other)(check, where, value, names)


def _phrase_type(check: RuleCheck, where: str, value: Json, _names: Sequence[str]) -> tuple[str, str, str]:
    wanted = [check.value] if isinstance(check.value, str) else list(check.value)
    allowed = join_words((_TYPES.get(one, one) for one in wanted), "or")
    is_number_text = isinstance(value, str) and {"number", "integer", "boolean"}.intersection(wanted)
    fix = "Give the value in that type."
    if is_number_text:
        fix = "Write it without quotes; of a column, see that the cell is one, and that the mapping gives it that type."
    return f"{where} is {{given}}, {_name_type(value)}.", f"{allowed[:1].upper()}{allowed[1:]}.", fix


def _name_type(value: Json) -> str:
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, str):
        return "a text"
    if isinstance(value, int | float):
        return "a number"
    return "an object" if isinstance(value, Mapping) else "a list" if isinstance(value, list) else "null"


def _phrase_enum(check: RuleCheck, where: str, value: Json, _names: Sequence[str]) -> tuple[str, str, str]:
    values = check.value if check.keyword == "enum" else [check.value]
    shown = [_quote(one) for one in values[:MAX_VALUES_LISTED]]
    more = f" and {len(values) - len(shown):,} more" if len(values) > len(shown) else ""
    allowed = f"{', '.join(shown)}{more}." if more else f"{join_words(shown, 'or')}." if shown else "Nothing."
    texts = {one.casefold(): one for one in values if isinstance(one, str)}
    near = get_close_matches(value.casefold()[:60], texts, n=1) if isinstance(value, str) else []
    fix = f"Did you mean “{texts[near[0]]}”?" if near else "Write what is allowed."
    return f"{where} is {{given}}.", allowed, fix


def _phrase_pattern(check: RuleCheck, where: str, _value: Json, _names: Sequence[str]) -> tuple[str, str, str]:
    allowed = f"A text in which the pattern “{shorten_value(check.value)}” is found."
    return f"{where} is {{given}}, which does not match.", allowed, "Write it as the pattern has it."


def _phrase_format(check: RuleCheck, where: str, _value: Json, _names: Sequence[str]) -> tuple[str, str, str]:
    return f"{where} is {{given}}.", f"A text of the format “{check.value}”.", "Write it in that format."


def _phrase_required(_check: RuleCheck, where: str, _value: Json, _names: Sequence[str]) -> tuple[str, str, str]:
    return f"{where} is missing.", f"{where} is there.", "Give it a value."


def _phrase_dependent(check: RuleCheck, where: str, _value: Json, names: Sequence[str]) -> tuple[str, str, str]:
    given = join_words([key for key, needed in check.value.items() if set(names).intersection(needed)] or ["another"])
    return f"{where} is missing, and {given} is given.", f"{where} where {given} is.", "Give both, or neither."


def _phrase_surplus(_check: RuleCheck, where: str, _value: Json, names: Sequence[str]) -> tuple[str, str, str]:
    shown = ", ".join(shorten_value(name) for name in names[:MAX_VALUES_LISTED]) or "more"
    more = f" and {len(names) - MAX_VALUES_LISTED:,} more" if len(names) > MAX_VALUES_LISTED else ""
    return (
        f"{where} has {shown}{more}, which the rules do not have there.",
        "Only what the rules name.",
        "Leave it out, or add it to the rules.",
    )


def _phrase_nothing(_check: RuleCheck, where: str, _value: Json, _names: Sequence[str]) -> tuple[str, str, str]:
    allowed = "No such event." if where == WHOLE_EVENT else f"No {where}."
    return f"{where} is {{given}}.", allowed, "Leave it out."


def _phrase_repeats(_check: RuleCheck, where: str, _value: Json, _names: Sequence[str]) -> tuple[str, str, str]:
    return f"{where} has an item twice.", "Items that differ from each other.", "Leave the repeats out."


def _phrase_other(check: RuleCheck, where: str, _value: Json, _names: Sequence[str]) -> tuple[str, str, str]:
    allowed = {
        "anyOf": "What one of the schemas of anyOf allows",
        "oneOf": "What exactly one of the schemas of oneOf allows",
        "not": "What the schema of not does not allow",
        "contains": "A list with an item that contains allows",
        "minContains": f"At least {_quote(check.value)} items that contains allows",
        "maxContains": f"At most {_quote(check.value)} items that contains allows",
        "propertyNames": "Keys that propertyNames allows",
    }.get(check.keyword, f"What {check.keyword} allows")
    return f"{where} is {{given}}.", f"{allowed} (see {check.pointer} of the rules).", "Correct the value."


_Phrase = Callable[[RuleCheck, str, Json, Sequence[str]], tuple[str, str, str]]
_PHRASES: dict[str, _Phrase] = {
    "type": _phrase_type,
    "enum": _phrase_enum,
    "const": _phrase_enum,
    "pattern": _phrase_pattern,
    "format": _phrase_format,
    "required": _phrase_required,
    "dependentRequired": _phrase_dependent,
    "additionalProperties": _phrase_surplus,
    "unevaluatedProperties": _phrase_surplus,
    "unevaluatedItems": _phrase_nothing,
    "items": _phrase_nothing,
    "false": _phrase_nothing,
    "uniqueItems": _phrase_repeats,
}


def _quote(value: Json) -> str:
    """An allowed value for a sentence: text in quotes, anything else as JSON."""
    if isinstance(value, str):
        return f"“{shorten_value(value)}”"
    return "null" if value is None else format_given(value) or ""
