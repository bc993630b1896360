"""Files that were not written here, where they lie beside the repository; elsewhere our own samples hold the claims."""

import json

from intempt_core.mapping.model import Mapping
from intempt_core.mapping.table_events import map_table
from intempt_core.readers.table import read_table
from intempt_core.validation.check import check_table
from tests.data.samples import SHOP_MAPPING, shared_data


def test_files_that_others_wrote_are_read_as_they_are_meant() -> None:
    folder = shared_data()
    for path in sorted(folder.glob("csv-spectrum/csvs/*.csv")):
        meant = json.loads((folder / "csv-spectrum" / "json" / f"{path.stem}.json").read_text())
        if b"\r" not in path.read_bytes():  # git stored these with LF
            meant = [{key: cell.replace("\r\n", "\n") for key, cell in record.items()} for record in meant]
        table = read_table(path, name=path.name)
        assert [table.record(row) for row in range(table.rows)] == meant, path.name
    for path in sorted(folder.glob("cosmetics/data_2022_*.csv")):
        table = read_table(path, name=path.name)
        assert (table.rows, list(table.lines)) == (999, list(range(2, 1001)))
        assert (table.cell_counts, table.notes) == ({}, ())
        mapped = map_table(table, Mapping.from_json(SHOP_MAPPING.read_text("utf-8")))
        assert check_table(mapped).rows_with_errors == 0, path.name
        assert len({event.body["eventId"] for event in mapped.events()}) == 999
    for path in folder.glob("vendor-events/*.jsonl"):
        table = read_table(path, name=path.name)
        assert table.rows == 25
        assert "properties.product_id" in table.header
