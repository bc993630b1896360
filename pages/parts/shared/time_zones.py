"""Time zones: the browser's own, its name, and all that can be chosen."""

from datetime import UTC, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

import streamlit as st


def get_browser_zone() -> tzinfo:
    """The time zone of the person's browser; UTC where the browser does not name one."""
    try:
        return ZoneInfo(st.context.timezone or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return UTC


def get_zone_name() -> str:
    """The name of the browser's time zone, which a screen shows once."""
    return str(get_browser_zone())


def list_time_zones() -> list[str]:
    """The time zones to choose from: the browser's own, UTC, then all others by name."""
    first = list(dict.fromkeys((get_zone_name(), "UTC")))
    return first + sorted(available_timezones() - set(first))
