"""What people save is the same for all consoles that share a database, and is in files for a console by itself."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from threading import Barrier

import pytest

from intempt_core.cli import main
from intempt_core.errors import CatalogueUnavailable, MappingError, RulesError
from intempt_core.history import History, SavedDocuments, move_history
from intempt_core.history.saved.catalogues import CatalogueDocuments, SharedCatalogues
from intempt_core.mapping import Mapping, SavedMapping
from intempt_core.settings import Settings
from intempt_core.validation import Baseline, ProductCatalogue, TeamRules, build_catalogue, read_catalogue_file

SHOP = Mapping({"sku": "data.productId", "who": "userId", "what": "name"}, names={"view": "Product viewed"})
HEADER = ("what", "sku", "who", "note")
RULES = '{"events": {"Product viewed": {"required": ["x"]}}}'
TARGET = "https://api.intempt.com/v1/acme/projects/shop/sources/1/track"


class TwoConsoles:
    """Two consoles with data folders of their own, and one database.

    Attributes:
        first: What the first one saves.
        second: What the second one saves.
    """

    def __init__(self, folder: Path, url: str) -> None:
        self.histories = [History.open(url), History.open(url)]
        self.settings = [Settings(data=folder / name, database_url=url) for name in ("first", "second")]
        self.first, self.second = (
            SavedDocuments.from_settings(settings, lambda history=history: history)  # type: ignore[misc]
            for settings, history in zip(self.settings, self.histories, strict=True)
        )


@pytest.fixture
def consoles(tmp_path: Path, postgres_url: str) -> Iterator[TwoConsoles]:
    made = TwoConsoles(tmp_path, postgres_url)
    yield made
    for history in made.histories:
        history.close()


def make_catalogue(folder: Path, *products: str) -> ProductCatalogue:
    file = folder / "items.csv"
    file.write_text("productId,name\n" + "".join(f"{product},called {product}\n" for product in products))
    return build_catalogue(read_catalogue_file(file, name=file.name), "productId", ["name"], loaded_at=7)


def at_once(documents: SavedDocuments) -> SharedCatalogues:
    """The catalogues of a console, as it sees them after a second."""
    assert isinstance(documents.catalogues, SharedCatalogues)
    documents.catalogues._look_again_seconds = -1.0
    return documents.catalogues


# ── in the database ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.long
def test_a_mapping_that_one_console_saves_is_there_for_the_other(consoles: TwoConsoles) -> None:
    saved = SavedMapping("Ümlaut “shop”", HEADER, SHOP)
    consoles.first.mappings.save(saved)
    assert consoles.second.mappings.get("Ümlaut “shop”") == saved
    assert [found.exact for found in consoles.second.mappings.recognise(HEADER)] == [True]
    consoles.second.mappings.save(SavedMapping("Ümlaut “shop”", HEADER[:3], SHOP))
    assert consoles.first.mappings.get("Ümlaut “shop”").header == HEADER[:3]
    consoles.second.mappings.rename("Ümlaut “shop”", "plain")
    assert [one.name for one in consoles.first.mappings.all()] == ["plain"]
    consoles.first.mappings.delete("plain")
    consoles.first.mappings.delete("plain")
    with pytest.raises(MappingError, match="None is saved yet"):
        consoles.second.mappings.get("plain")
    assert not any(settings.mappings_folder.exists() for settings in consoles.settings)


@pytest.mark.long
def test_two_consoles_that_save_one_name_at_once_leave_one_mapping_and_no_error(
    consoles: TwoConsoles, tmp_path: Path
) -> None:
    stores = (consoles.first.mappings, consoles.second.mappings)
    catalogues = (consoles.first.catalogues, consoles.second.catalogues)
    product, together = make_catalogue(tmp_path, "1"), Barrier(2)

    def save(number: int) -> None:
        for name in range(15):
            together.wait(30)
            stores[number].save(SavedMapping(f"shop {name}", HEADER[number:], SHOP))
            catalogues[number].save(TARGET, product)

    with ThreadPoolExecutor(2) as threads:
        for done in [threads.submit(save, number) for number in range(2)]:
            done.result(60)
    found = stores[0].all()
    assert len(found) == 15
    assert {one.header for one in found} <= {HEADER, HEADER[1:]}


@pytest.mark.long
def test_a_header_that_no_database_stores_as_it_is_comes_back(consoles: TwoConsoles) -> None:
    saved = SavedMapping("odd", ("nul \0", "half \ud83d"), Mapping({"half \ud83d": "userId"}))
    consoles.first.mappings.save(saved)
    assert consoles.second.mappings.get("odd") == saved


@pytest.mark.long
def test_a_document_that_a_later_console_wrote_is_said_and_the_others_are_read(consoles: TwoConsoles) -> None:
    consoles.first.mappings.save(SavedMapping("good", HEADER, SHOP))
    consoles.histories[0].mappings.write("new", "new", '{"columns": 5}', most=10)
    assert [one.name for one in consoles.second.mappings.all()] == ["good"]
    (problem,) = consoles.second.mappings.problems()
    assert problem.startswith("The mapping “new”: ")


@pytest.mark.long
def test_the_teams_rules_are_those_of_all_consoles(consoles: TwoConsoles) -> None:
    rules = TeamRules.from_json(RULES, "plan.json")
    assert consoles.second.rules.get() is None
    consoles.first.rules.save(rules)
    assert consoles.second.rules.get() == rules
    consoles.second.rules.save(TeamRules.from_json(RULES, "other.json"))
    found = consoles.first.rules.get()
    assert found is not None
    assert found.name == "other.json"
    consoles.first.rules.remove()
    assert consoles.second.rules.get() is None
    consoles.histories[0].team_rules.write("team-rules", "bad.json", "{", most=1)
    with pytest.raises(RulesError, match=r"“bad\.json” are damaged. Choose the file again"):
        consoles.second.rules.get()


@pytest.mark.long
def test_a_file_is_compared_with_what_another_console_checked(consoles: TwoConsoles) -> None:
    assert consoles.first.checks.remember("a", 1, Baseline("a.csv", 9, {"name": "text"}, {})) is None
    earlier = consoles.second.checks.remember("b", 2, Baseline("b.csv", 9, {"name": "text"}, {}))
    assert earlier is not None
    assert earlier.digest == "a"


@pytest.mark.long
def test_a_catalogue_that_one_console_loads_is_the_others_and_is_copied_once(
    consoles: TwoConsoles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = at_once(consoles.first), at_once(consoles.second)
    assert second.get(TARGET) is None
    first.save(TARGET, make_catalogue(tmp_path, "1", "2"))
    fetched: list[str] = []
    read = CatalogueDocuments.read

    def count_reads(documents: CatalogueDocuments, key: str, stamp: str) -> bytes | None:
        fetched.append(stamp)
        return read(documents, key, stamp)

    monkeypatch.setattr(CatalogueDocuments, "read", count_reads)
    for _ in range(3):
        found = second.get(TARGET)
        assert found is not None
        assert (found.name, found.rows, found.loaded_at, len(found)) == ("items.csv", 2, 7, 2)
    assert len(fetched) == 1
    first.save(TARGET, make_catalogue(tmp_path, "9"))
    found = second.get(TARGET)
    assert found is not None
    assert found.names_of(["9", "1"]) == {"9": "called 9"}
    copies = consoles.settings[1].catalogues_folder / "copies"
    assert len(list(copies.iterdir())) == 1, "the copy of the former one is gone"
    second.remove(TARGET)
    assert first.get(TARGET) is None
    assert list(copies.iterdir()) == []


@pytest.mark.long
def test_a_stamp_is_believed_for_a_second_and_a_damaged_copy_is_fetched_again(
    consoles: TwoConsoles, tmp_path: Path
) -> None:
    now = 0.0
    history = consoles.histories[1]
    store = SharedCatalogues(lambda: history, tmp_path / "copies", monotonic=lambda: now)
    assert store.get(TARGET) is None
    consoles.first.catalogues.save(TARGET, make_catalogue(tmp_path, "1"))
    assert store.get(TARGET) is None
    now = 1.5
    assert store.get(TARGET) is not None
    (copy,) = (tmp_path / "copies").iterdir()
    copy.write_bytes(b"damaged")
    found = store.get(TARGET)
    assert found is not None
    assert len(found) == 1


@pytest.mark.long
def test_a_database_that_is_away_is_a_sentence_for_catalogues_and_none_for_checks(
    consoles: TwoConsoles, tmp_path: Path
) -> None:
    consoles.first.catalogues.save(TARGET, make_catalogue(tmp_path, "1"))
    consoles.histories[0].database.engine.dispose()
    url = consoles.settings[0].database_url.rpartition("/")[0]
    ask: list[Callable[[SharedCatalogues], object]] = [
        lambda store: store.get(TARGET),
        lambda store: store.save(TARGET, make_catalogue(tmp_path, "2")),
        lambda store: store.remove(TARGET),
    ]

    def open_history() -> History:
        return History.open(f"{url}/no_such_database")

    for call in ask:
        with pytest.raises(CatalogueUnavailable):
            call(SharedCatalogues(open_history, tmp_path / "copies"))


@pytest.mark.long
def test_check_takes_a_mapping_by_its_name_from_the_database(
    consoles: TwoConsoles, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    consoles.first.mappings.save(SavedMapping("shop", ("what", "sku", "who"), SHOP))
    file = tmp_path / "shop.csv"
    file.write_text("what,sku,who\nview,p1,u1\n")
    environment = {"CONSOLE_DATA": str(tmp_path / "third"), "CONSOLE_DATABASE_URL": consoles.settings[0].database_url}
    assert main(["check", str(file), "--mapping", "shop"], environment) == 0
    assert main(["check", str(file)], environment) == 1
    assert "A mapping is saved for this header: --mapping “shop”." in capsys.readouterr().out


def test_check_goes_on_where_the_database_is_away_and_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "events.csv"
    file.write_text("name,eventId,userId,productId\nProduct viewed,e1,u1,p1\n")
    environment = {"CONSOLE_DATA": str(tmp_path), "CONSOLE_DATABASE_URL": "postgresql://u:s3cret@127.0.0.1:1/x"}
    assert main(["check", str(file)], environment) == 0
    told = "".join(capsys.readouterr())
    assert "Saved mappings are not known: History" in told
    assert "s3cret" not in told


# ── moved ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.long
def test_what_was_saved_in_files_is_moved_with_the_history_and_what_cannot_be_read_is_named(
    tmp_path: Path, postgres_url: str
) -> None:
    settings = Settings(data=tmp_path / "alone")
    History.open(settings.history_url).close()
    files = SavedDocuments.from_folder(settings)
    files.mappings.save(SavedMapping("shop", HEADER, SHOP))
    (settings.mappings_folder / "broken.json").write_text("{")
    files.rules.save(TeamRules.from_json(RULES, "plan.json"))
    files.checks.remember("a", 1, Baseline("a.csv", 9, {"name": "text"}, {}))
    files.catalogues.save(TARGET, make_catalogue(tmp_path, "1", "2"))
    (settings.catalogues_folder / "0123.arrow").write_bytes(b"no catalogue")
    before = {file: file.read_bytes() for file in settings.data.rglob("*") if file.is_file()}
    report = move_history(settings.history_file, postgres_url)
    assert {table.name: table.rows for table in report.tables if table.rows} == {
        "mappings": 1, "team_rules": 1, "checks": 1, "catalogues": 1
    }  # fmt: skip
    assert [problem.split(":")[0].rpartition("/")[2] for problem in report.left_out] == ["broken.json", "0123.arrow"]
    assert {file: file.read_bytes() for file in before} == before
    shared = Settings(data=tmp_path / "shared", database_url=postgres_url)
    with closing(History.open(postgres_url)) as history:
        found = SavedDocuments.from_settings(shared, lambda: history)
        assert found.mappings.get("shop") == files.mappings.get("shop")
        assert found.rules.get() == files.rules.get()
        catalogue = found.catalogues.get(TARGET)
        assert catalogue is not None
        assert catalogue.names_of(["1"]) == {"1": "called 1"}
        assert found.checks.remember("b", 2, Baseline("b.csv", 9, {"name": "text"}, {})) is not None
