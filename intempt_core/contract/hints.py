"""Hints: advice that only one case can give, such as the event name that was probably meant."""

import re
from collections.abc import Mapping
from difflib import get_close_matches
from functools import lru_cache

from intempt_core.contract.fields import EARLIEST_MS, LATEST_MS, EventName, Json, read_epoch_ms


def build_name_hint(value: Json) -> str:
    """Say which event name was probably meant, as a sentence; empty where it cannot be told."""
    near = find_similar_name(value) if isinstance(value, str) else ""
    return f"Write “{near}”, exactly so." if near else ""


def find_similar_name(text: str) -> str:
    """Find the event name that a text nearly is; empty where it is near none."""
    return _find_similar_folded(" ".join(text.replace("_", " ").split()).casefold()[:60])


@lru_cache(maxsize=4096)  # a file repeats its names, and a comparison takes its time
def _find_similar_folded(folded: str) -> str:
    names = {name.value.casefold(): name.value for name in EventName}
    near = get_close_matches(folded, names, n=1, cutoff=0.8)
    return names[near[0]] if near else ""


def build_product_hint(body: Json) -> str:
    """Say where the product id seems to be instead (CONTRACT 2.4); empty where nothing is near."""
    if not isinstance(body, Mapping):
        return ""
    if not isinstance(body.get("data"), Mapping):
        return "Put an object with the product id into data."
    for inside, prefix in ((body["data"], "data."), (body, "")):
        for key in inside:
            alike = isinstance(key, str) and re.sub(r"[^a-z]", "", key.casefold()) in ("productid", "product")
            if alike and prefix + key != "data.productId":
                return f"It seems to be in {prefix}{key}: it must be data.productId, exactly."
    return ""


def build_time_hint(value: Json) -> str:
    """Say what a time probably is, by its size (CONTRACT 2.7); empty where it cannot be told."""
    time = read_epoch_ms(value)
    if time is None and isinstance(value, str) and re.fullmatch(r"[0-9]{10,17}", value):
        return "Write the number without quotes."
    if time is not None and EARLIEST_MS <= time * 1000 <= LATEST_MS:
        return "These look like seconds: multiply by 1,000."
    if time is not None and EARLIEST_MS <= time // 1000 <= LATEST_MS:
        return "These look like microseconds: divide by 1,000."
    return ""
