"""The product catalogue of a target: its product ids, and what the products are called (CONTRACT 2.5).

It is read from a CSV or JSON file, the column of the product id chosen by a person unless it is called ``productId``
(CONTRACT 2.4), and kept in the data folder, one for each target. Every id stays the text that it is in the file. A
product that is in the file several times has the last of its names that is not empty.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from intempt_core.arrays import Mask, combine_column, make_array, make_scalar, view_numbers
from intempt_core.contract import BLANK_CHARACTERS, now_ms
from intempt_core.errors import CatalogueUnavailable, ReadError
from intempt_core.mapping import replace_file
from intempt_core.readers import ReadLimits, read_table

PRODUCT_ID_HEADER = "productId"
"""The one header that is the product id without being asked about (CONTRACT 2.4)."""

LIKELY_ID_HEADERS = ("product_id", "productid", "product id", "sku", "id", "item_id", "itemid")
"""Headers, in lower case, that probably are the product id: offered, never taken silently."""

PRODUCT_NAME_HEADERS = ("name", "title", "product_name", "productname", "label", "brand", "category_code", "category")
"""Headers, in lower case, that probably say what a product is called."""

MAX_PRODUCT_NAME_LENGTH = 120
"""Characters of a product's name that are kept."""

MAX_CATALOGUE_JSON_BYTES = 200_000_000
"""Bytes of a JSON file at the most: it is read whole into memory, several times its size."""

MAX_CATALOGUE_KEYS = 200
"""Different keys that the objects of a JSON file may have."""

_SCHEMA = pa.schema([("id", pa.large_string()), ("name", pa.large_string())])


@dataclass(frozen=True, slots=True, eq=False)
class CatalogueFile:
    """A file that may be a catalogue.

    Attributes:
        name: The file's name.
        header: Its columns, in order.
        columns: Header → its cells, all text.
        rows: How many rows it has.
    """

    name: str
    header: tuple[str, ...]
    columns: Mapping[str, pa.ChunkedArray]
    rows: int

    @property
    def id_column(self) -> str | None:
        """The column that is called exactly ``productId``, if there is one."""
        return PRODUCT_ID_HEADER if PRODUCT_ID_HEADER in self.header else None

    @property
    def likely_id_column(self) -> str:
        """The column that is probably the product id."""
        by_name = {column.strip().lower(): column for column in self.header}
        return self.id_column or next((by_name[name] for name in LIKELY_ID_HEADERS if name in by_name), self.header[0])

    @property
    def name_columns(self) -> list[str]:
        """The columns that probably say what a product is called, at most three, the most telling first."""
        by_name = {column.strip().lower(): column for column in self.header}
        return [by_name[name] for name in PRODUCT_NAME_HEADERS if name in by_name][:3]


@dataclass(frozen=True, slots=True, eq=False)
class ProductCatalogue:
    """The products of a file.

    Attributes:
        name: The file's name.
        loaded_at: When it was loaded, epoch milliseconds.
        rows: The rows that the file had.
        ids: The product ids, sorted, each once.
        names: Beside each id what the product is called; empty where nothing says it.
    """

    name: str
    loaded_at: int
    rows: int
    ids: pa.Array
    names: pa.Array

    def __len__(self) -> int:
        return len(self.ids)

    def is_unknown(self, ids: pa.Array | pa.ChunkedArray) -> Mask:
        """Which of these ids (texts) are no product of the catalogue; a million take a fraction of a second."""
        found: Mask = view_numbers(pc.invert(pc.is_in(ids, value_set=self.ids)))
        return found

    def names_of(self, ids: Iterable[str]) -> dict[str, str]:
        """The names of those of these products that have one."""
        asked = make_array([text for text in dict.fromkeys(ids) if _is_encodable(text)])
        at = pc.index_in(asked, value_set=self.ids)
        names = self.names.take(at).to_pylist()
        return {id_: name for id_, name in zip(asked.to_pylist(), names, strict=True) if name}

    def unknown_ids(self, ids: Iterable[str]) -> frozenset[str]:
        """Those of these ids that are no product of the catalogue."""
        asked = [text for text in dict.fromkeys(ids) if _is_encodable(text)]
        lacking = self.is_unknown(make_array(asked))
        return frozenset(text for text, lacks in zip(asked, lacking, strict=True) if lacks)


def _is_encodable(text: str) -> bool:
    """Whether Arrow can hold a text: half a character is in no catalogue either."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


# ── reading ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def read_catalogue_file(data: bytes | Path, *, name: str, limits: ReadLimits | None = None) -> CatalogueFile:
    """Read a file that may be a catalogue. JSON: a list of objects, an object with such a list, or one a line.

    Raises :class:`ReadError` with a sentence where it is neither that nor a table, and
    :class:`~intempt_core.errors.TableTooLarge` for more than ``limits``.
    """
    head = _read_head(data)
    if head.lstrip()[:1] in (b"{", b"["):
        return _read_json_file(data, name)
    table = read_table(data, name=name, limits=limits or ReadLimits())
    return CatalogueFile(name, table.header, table.columns, table.rows)


def _read_head(data: bytes | Path) -> bytes:
    if isinstance(data, bytes):
        return data[:4096].removeprefix(b"\xef\xbb\xbf")
    try:
        with data.open("rb") as file:
            return file.read(4096).removeprefix(b"\xef\xbb\xbf")
    except OSError as error:
        raise ReadError(f"The file cannot be read: {error.strerror}.") from None


def _read_json_file(data: bytes | Path, name: str) -> CatalogueFile:
    size = len(data) if isinstance(data, bytes) else data.stat().st_size
    if size > MAX_CATALOGUE_JSON_BYTES:
        raise ReadError(
            f"{name} has {size:,} bytes; a JSON catalogue has {MAX_CATALOGUE_JSON_BYTES:,} at the most. Give it as CSV."
        )
    content = data if isinstance(data, bytes) else data.read_bytes()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ReadError(f"{name} begins like JSON and is not UTF-8. Save it as UTF-8.") from None
    objects = _extract_products(_parse_documents(text, name), name)
    keys = list(islice(dict.fromkeys(key for one in objects for key in one), MAX_CATALOGUE_KEYS + 1))
    if len(keys) > MAX_CATALOGUE_KEYS:
        raise ReadError(
            f"{name} has objects with more than {MAX_CATALOGUE_KEYS} different keys; products have the same few."
        )
    if not keys:
        raise ReadError(f"{name} holds no product: a catalogue is a list of objects, each with an id.")
    columns = {key: pa.chunked_array([make_array([_format_cell(one.get(key)) for one in objects])]) for key in keys}
    return CatalogueFile(name, tuple(keys), columns, len(objects))


def _parse_documents(text: str, name: str) -> Any:
    """The document, or the documents of its lines. Any: JSON. Numbers stay text (CONTRACT 1.2)."""

    def parse_json(document: str) -> Any:
        return json.loads(document, parse_int=str, parse_float=str, parse_constant=str)

    try:
        return parse_json(text)
    except RecursionError:
        raise ReadError(f"{name} is nested too deeply for a catalogue.") from None
    except ValueError as error:
        lines = text.splitlines()
        documents = []
        for number, line in enumerate(lines, 1):
            if line.strip():
                try:
                    documents.append(parse_json(line))
                except (ValueError, RecursionError):
                    where = f"line {number:,}" if documents else str(error)
                    raise ReadError(f"{name} begins like JSON and is none: {where}.", line=number) from None
        return documents


def _extract_products(document: Any, name: str) -> list[dict[str, Any]]:
    """The products of a document. Any: JSON."""
    if isinstance(document, dict):
        lists = [value for value in document.values() if isinstance(value, list)]
        document = lists[0] if len(lists) == 1 else [document]
    if not isinstance(document, list) or not all(isinstance(one, dict) for one in document):
        raise ReadError(f"{name} is no list of objects: a catalogue has an object for each product.")
    return document


def _format_cell(value: Any) -> str:
    """A value as text; half a character is replaced, for no id has one. Any: JSON."""
    if isinstance(value, bool | None):
        text = "" if value is None else str(value).lower()
    else:
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text.encode(errors="replace").decode()


def build_catalogue(
    file: CatalogueFile, id_column: str, name_columns: Sequence[str] = (), *, loaded_at: int | None = None
) -> ProductCatalogue:
    """Build the catalogue of a file. Rows without an id are no products.

    ``name_columns`` are joined to what a product is called. Raises :class:`ReadError` where no row has an id.
    """
    ids = combine_column(file.columns[id_column])
    given = _is_filled(pc.utf8_trim(ids, characters=BLANK_CHARACTERS))
    names = make_array([""] * len(ids))
    for column in name_columns:
        more = pc.utf8_trim_whitespace(combine_column(file.columns[column]))
        between = pc.if_else(pc.and_(_is_filled(names), _is_filled(more)), make_scalar(" · "), make_scalar(""))
        names = pc.binary_join_element_wise(names, between, more, make_scalar(""))
    names = pc.utf8_slice_codeunits(names, 0, MAX_PRODUCT_NAME_LENGTH)
    table = pa.table([ids, names], _SCHEMA).filter(given)
    if not table.num_rows:
        raise ReadError(f"No row of {file.name} has a product id in its column {id_column}. Choose another column.")
    # The last name that is not empty: such rows sort last of their id, and a stable order keeps them as in the file.
    named = _is_filled(table["name"]).cast(pa.int8())
    order = pc.sort_indices(
        pa.table({"id": table["id"], "named": named, "row": make_array(np.arange(table.num_rows))}),
        [("id", "ascending"), ("named", "ascending"), ("row", "ascending")],
    )
    table = table.take(order)
    sorted_ids = combine_column(table["id"])
    last = np.ones(len(sorted_ids), np.bool_)
    last[:-1] = view_numbers(pc.not_equal(sorted_ids.slice(1), sorted_ids.slice(0, len(sorted_ids) - 1)))
    table = table.filter(make_array(last))
    return ProductCatalogue(
        file.name,
        now_ms() if loaded_at is None else loaded_at,
        file.rows,
        combine_column(table["id"]),
        combine_column(table["name"]),
    )


def _is_filled(texts: pa.Array) -> pa.Array:
    return pc.not_equal(texts, make_scalar(""))


# ── keeping ──────────────────────────────────────────────────────────────────────────────────────────────────────────


class CatalogueStore(Protocol):
    """What keeps the catalogues, one for each target (by its key): a folder, or a database that consoles share."""

    def get(self, target: str) -> ProductCatalogue | None:
        """A target's catalogue, if one is loaded. Raises :class:`CatalogueUnavailable`: it cannot be read."""

    def save(self, target: str, catalogue: ProductCatalogue) -> None:
        """Make it a target's catalogue, replacing an earlier one. Raises :class:`CatalogueUnavailable`."""

    def remove(self, target: str) -> None:
        """Remove a target's catalogue, if it has one. Raises :class:`CatalogueUnavailable`."""


class CatalogueFolder:
    """The catalogues of one folder, a file each."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._loaded: dict[str, tuple[tuple[int, int], ProductCatalogue]] = {}
        self._paths: dict[str, Path] = {}  # asked for several times whenever a screen is drawn

    def get(self, target: str) -> ProductCatalogue | None:
        """A target's catalogue, if one is loaded. Raises :class:`CatalogueUnavailable`: its file cannot be read."""
        file = self._path_of(target)
        try:
            found = file.stat()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _explain_unavailable(file, error) from None
        stamp = (found.st_mtime_ns, found.st_ino)
        kept = self._loaded.get(target)
        if kept is None or kept[0] != stamp:
            kept = self._loaded[target] = (stamp, _load_catalogue(file))
        return kept[1]

    def save(self, target: str, catalogue: ProductCatalogue) -> None:
        """Make it a target's catalogue, replacing an earlier one. Raises :class:`CatalogueUnavailable`."""
        file = self._path_of(target)
        try:
            with replace_file(file) as part, pa.OSFile(str(part), "wb") as sink:
                _write_catalogue(catalogue, sink)
        except OSError as error:
            raise _explain_unavailable(file, error) from None
        self._loaded.pop(target, None)

    def remove(self, target: str) -> None:
        """Remove a target's catalogue, if it has one. Raises :class:`CatalogueUnavailable`."""
        file = self._path_of(target)
        try:
            file.unlink(missing_ok=True)
        except OSError as error:
            raise _explain_unavailable(file, error) from None
        self._loaded.pop(target, None)

    def _path_of(self, target: str) -> Path:
        if target not in self._paths:
            self._paths[target] = self._folder / f"{hash_target_key(target)}.arrow"
        return self._paths[target]


def hash_target_key(target: str) -> str:
    """What a target's catalogue is called where it is kept: its key is too long, and no name of a file."""
    return sha256(target.encode()).hexdigest()[:32]


def dump_catalogue(catalogue: ProductCatalogue) -> bytes:
    """A catalogue as the content of its file."""
    sink = pa.BufferOutputStream()
    _write_catalogue(catalogue, sink)
    return bytes(sink.getvalue())


def parse_catalogue(content: bytes) -> ProductCatalogue:
    """The catalogue in the content of a file. Raises :class:`CatalogueUnavailable` where it is damaged."""
    try:
        return _read_catalogue(pa.BufferReader(content))
    except _DAMAGE as error:
        raise CatalogueUnavailable(f"The catalogue is damaged ({error}). Load it again, or remove it.") from None


def _write_catalogue(catalogue: ProductCatalogue, sink: pa.NativeFile) -> None:
    metadata = {"name": catalogue.name, "loaded_at": catalogue.loaded_at, "rows": catalogue.rows}
    schema = _SCHEMA.with_metadata({"catalogue": json.dumps(metadata)})
    with pa.ipc.new_file(sink, schema) as writer:
        writer.write_table(pa.table([catalogue.ids, catalogue.names], schema))


def _read_catalogue(source: pa.NativeFile) -> ProductCatalogue:
    table = pa.ipc.open_file(source).read_all()
    metadata = json.loads(table.schema.metadata[b"catalogue"])
    return ProductCatalogue(
        metadata["name"],
        metadata["loaded_at"],
        metadata["rows"],
        combine_column(table["id"]),
        combine_column(table["name"]),
    )


def _load_catalogue(file: Path) -> ProductCatalogue:
    try:
        with pa.memory_map(str(file)) as source:
            return _read_catalogue(source)
    except _DAMAGE as error:
        raise _explain_unavailable(file, error) from None


_DAMAGE = (OSError, pa.ArrowException, KeyError, TypeError, ValueError)
"""What reading a damaged file raises."""


def _explain_unavailable(file: Path, error: Exception) -> CatalogueUnavailable:
    why = error.strerror if isinstance(error, OSError) and error.strerror else "its file is damaged"
    return CatalogueUnavailable(f"The catalogue ({file}) cannot be used: {why}. Load it again, or remove it.")
