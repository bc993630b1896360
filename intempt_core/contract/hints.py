"""Hints: advice that only one case can give, such as the event name that was probably meant."""

import re
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from functools import lru_cache

from intempt_core.contract.body import dump_json
from intempt_core.contract.fields import EARLIEST_MS, LATEST_MS, EventName, Json, read_epoch_ms
from intempt_core.contract.issues import shorten_value


def build_name_hint(value: Json) -> str:
    """Which of the four names was probably meant, as a sentence; empty where it cannot be told."""
    near = find_similar_name(value) if isinstance(value, str) else ""
    return f"Write “{near}”, exactly so." if near else ""


def find_similar_name(text: str) -> str:
    """The one of the four names that a text is nearly; empty where it is near none."""
    return _find_similar_folded(" ".join(text.replace("_", " ").split()).casefold()[:60])


@lru_cache(maxsize=4096)  # a file repeats its names, and a comparison takes its time
def _find_similar_folded(folded: str) -> str:
    names = {name.value.casefold(): name.value for name in EventName}
    near = get_close_matches(folded, names, n=1, cutoff=0.8)
    return names[near[0]] if near else ""


def build_product_hint(body: Json) -> str:
    """Where the product id seems to stand instead (CONTRACT 2.4), as a sentence; empty where nothing is near."""
    if not isinstance(body, Mapping):
        return ""
    for inside, prefix in ((body.get("data"), "data."), (body, "")):
        for key in inside if isinstance(inside, Mapping) else ():
            alike = isinstance(key, str) and re.sub(r"[^a-z]", "", key.casefold()) in ("productid", "product")
            if alike and prefix + key != "data.productId":
                return f"It seems to stand in {prefix}{key}: it must be data.productId, exactly."
    return ""


def build_time_hint(value: Json) -> str:
    """What a time probably is, by its size (CONTRACT 2.7), as a sentence; empty where it cannot be told."""
    time = read_epoch_ms(value)
    if time is None and isinstance(value, str) and re.fullmatch(r"[0-9]{10,17}", value):
        return "Write the number without quotes."
    if time is not None and EARLIEST_MS <= time * 1000 <= LATEST_MS:
        return "These look like seconds: multiply by 1,000."
    if time is not None and EARLIEST_MS <= time // 1000 <= LATEST_MS:
        return "These look like microseconds: divide by 1,000."
    return ""


HINT_BUILDERS: dict[str, Callable[[Json], str]] = {
    "event_name": build_name_hint,
    "timestamp_unreadable": build_time_hint,
    "timestamp_before_2010": build_time_hint,
    "timestamp_after_2040": build_time_hint,
}
"""Issue code → what the wrong value gives away. Any other hint depends on which fields there are, not on values."""


def format_given(value: Json) -> str | None:
    """A given value as an issue shows it: text as it is, anything else as JSON; ``None`` where there was none."""
    if value is None or isinstance(value, str):
        return None if value is None else shorten_value(value)
    return shorten_value(dump_json(value).decode())
