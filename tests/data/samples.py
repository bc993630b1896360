"""Samples of files as others write them, and the real ones where they lie beside the repository.

``shop-export.csv``
    A shop's log as a shop exports it: its own headers and names, no event ids, some removals logged twice, an order as
    several rows of one time and session, no end of the last line. Written for these tests.
``shop-mapping.json``
    The mapping file that makes events of it.
``vendor-events.jsonl``
    Events in the shape of another vendor's track calls, one a line, with a blank line. Written for these tests.
"""

from pathlib import Path

import pytest

DATA = Path(__file__).parent
SHOP_EXPORT = DATA / "shop-export.csv"
SHOP_EXPORT_ROWS = 240
SHOP_MAPPING = DATA / "shop-mapping.json"
VENDOR_EVENTS = DATA / "vendor-events.jsonl"


def shared_data() -> Path:
    """The folder of real files that nobody here wrote, ``../shared/data``; skips the test where it is not there."""
    folder = DATA.parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("no real files lie beside this repository")
    return folder
