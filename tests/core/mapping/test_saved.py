"""Mappings kept by name: one form for what is saved, exported, imported and given to the command line."""

import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intempt_core.cli import main
from intempt_core.errors import MappingError
from intempt_core.mapping.mapping_folder import MappingFolder
from intempt_core.mapping.model import Mapping
from intempt_core.mapping.saved import MAPPING_NAME_LENGTH, MappingStore, SavedMapping, read_mapping_file

SHOP = Mapping({"sku": "data.productId", "who": "userId", "what": "name"}, names={"view": "Product viewed"})
HEADER = ("what", "sku", "who", "note")


@pytest.fixture
def kept(tmp_path: Path) -> MappingStore:
    return MappingStore(MappingFolder(tmp_path / "data" / "mappings"))


def folder_of(kept: MappingStore) -> Path:
    assert isinstance(kept.documents, MappingFolder)
    return kept.documents.folder


def names(kept: MappingStore) -> list[str]:
    return [saved.name for saved in kept.all()]


def test_what_is_saved_comes_back_and_is_a_mapping_file(kept: MappingStore) -> None:
    assert names(kept) == []
    kept.save(SavedMapping("shop", HEADER, SHOP))
    assert kept.get("shop") == SavedMapping("shop", HEADER, SHOP)
    (file,) = folder_of(kept).iterdir()
    assert Mapping.from_json(file.read_text("utf-8")) == SHOP
    assert kept.find_equal(SHOP) == kept.get("shop")
    assert kept.find_equal(Mapping({})) is None


names_of_any_kind = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=MAPPING_NAME_LENGTH)


@given(st.lists(names_of_any_kind | st.sampled_from([".", "..", "a/b", "A", "a", "nul"]), max_size=4, unique=True))
def test_every_name_is_kept_apart_and_deleted_alone(tmp_path_factory: pytest.TempPathFactory, given: list[str]) -> None:
    kept = MappingStore(MappingFolder(tmp_path_factory.mktemp("kept")))
    for name in given:
        kept.save(SavedMapping(name, HEADER, SHOP))
    assert sorted(names(kept)) == sorted(given)
    assert all(file.parent == folder_of(kept) for file in folder_of(kept).iterdir())
    for name in given[1:]:
        kept.delete(name)
    assert names(kept) == given[:1]


def test_saving_again_replaces_renaming_moves_and_nothing_is_lost(kept: MappingStore) -> None:
    kept.save(SavedMapping("shop", HEADER, Mapping({"x": "userId"})))
    kept.save(SavedMapping("shop", HEADER, SHOP))
    kept.save(SavedMapping("other", HEADER, SHOP))
    kept.rename("shop", "Shop.v2")
    assert names(kept) == ["other", "Shop.v2"]
    assert kept.get("Shop.v2").mapping == SHOP
    kept.rename("other", "other")
    with pytest.raises(MappingError, match="saved as “other” already"):
        kept.rename("Shop.v2", "other")
    assert names(kept) == ["other", "Shop.v2"]
    kept.delete("nobody")


@pytest.mark.parametrize("name", ["", " ", " shop", "a\nb", "x" * (MAPPING_NAME_LENGTH + 1)])
def test_what_is_no_name_is_rejected(kept: MappingStore, name: str) -> None:
    with pytest.raises(MappingError, match="name"):
        kept.save(SavedMapping(name, HEADER, SHOP))
    assert names(kept) == []


def test_a_mapping_that_is_wrong_is_not_kept(kept: MappingStore) -> None:
    with pytest.raises(MappingError, match="no field"):
        kept.save(SavedMapping("shop", HEADER, Mapping({"a": "nothing"})))


def test_a_file_is_recognised_by_its_header_in_any_order(kept: MappingStore) -> None:
    kept.save(SavedMapping("a part", ("sku", "who"), Mapping({"sku": "data.productId"})))
    kept.save(SavedMapping("shop", HEADER, SHOP))
    kept.save(SavedMapping("elsewhere", ("a",), Mapping({"a": "userId"})))
    kept.save(SavedMapping("nothing", HEADER, Mapping({})))
    found = kept.recognise([*reversed(HEADER), "expect", "problems"])
    assert [(one.saved.name, one.exact, one.new_columns) for one in found] == [
        ("shop", True, ()),
        ("a part", False, ("note", "what")),
    ]
    assert [one.exact for one in kept.recognise([*HEADER, "more"])] == [False, False]
    assert kept.recognise(["other"]) == []


def test_a_name_that_is_not_there_is_rejected_with_its_nearest(kept: MappingStore) -> None:
    with pytest.raises(MappingError, match=r"None is saved yet\."):
        kept.get("shop")
    kept.save(SavedMapping("shop", HEADER, SHOP))
    with pytest.raises(MappingError, match=r"Did you mean “shop”\?"):
        kept.get("shpo")


def test_a_file_that_a_person_put_there_is_taken_and_one_that_is_no_mapping_is_listed(kept: MappingStore) -> None:
    folder_of(kept).mkdir(parents=True)
    (folder_of(kept) / "by hand.json").write_text(SHOP.to_json())
    (folder_of(kept) / "broken.json").write_text("{")
    (folder_of(kept) / "latin.json").write_bytes(b'{"columns": {"\xe4": "userId"}}')
    (folder_of(kept) / "large.json").write_bytes(b" " * 10_000_001)
    (folder_of(kept) / "folder.json").mkdir()
    assert kept.get("by hand").header == tuple(SHOP.columns)
    assert names(kept) == ["by hand"]
    problems = "\n".join(kept.problems())
    for some in (
        "broken.json: The mapping is no JSON",
        "not UTF-8 (byte 14)",
        "10,000,001 bytes",
        "cannot be read",
    ):
        assert some in problems
    kept.delete("by hand")
    assert names(kept) == []


@pytest.mark.skipif(os.name != "posix", reason="a folder's rights")
def test_a_folder_that_takes_no_file_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "mappings").write_text("a file in the place of the folder")
    kept = MappingStore(MappingFolder(tmp_path / "mappings"))
    assert names(kept) == []
    with pytest.raises(MappingError, match="could not be saved in"):
        kept.save(SavedMapping("shop", HEADER, SHOP))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"name": 7}', "“name” of the mapping is not text"),
        ('{"header": "a"}', "“header” of the mapping is not a list of the columns' names."),
        ('{"header": [1]}', "“header” of the mapping is not a list"),
        ('{"columns": {"a": "x"}}', "no field"),
    ],
)
def test_what_is_bad_in_an_imported_mapping_is_a_sentence(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "brought.json").write_text(text)
    with pytest.raises(MappingError) as error:
        read_mapping_file(tmp_path / "brought.json")
    assert says in str(error.value)
    assert str(error.value).startswith("brought.json: ")


# ── the command line ──


def test_the_command_line_takes_a_file_or_a_saved_name_and_tells_what_is_saved(
    tmp_path: Path, kept: MappingStore, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "shop.csv"
    file.write_text("what,sku,who,note\nview,p1,u1,x\n")
    environment = {"CONSOLE_DATA": str(tmp_path / "data")}
    assert main(["check", str(file), "--mapping", "shop"], environment) == 2
    assert "No mapping is saved as “shop”. None is saved yet." in capsys.readouterr().err
    kept.save(SavedMapping("shop", HEADER, SHOP))
    assert main(["check", str(file), "--mapping", "shop"], environment) == 0
    exported = tmp_path / "exported"
    exported.write_text(kept.get("shop").to_json())
    assert main(["check", str(file), "--mapping", str(exported)], environment) == 0
    capsys.readouterr()
    assert main(["check", str(file)], environment) == 1
    assert "A mapping is saved for this header: --mapping “shop”." in capsys.readouterr().out
    assert main(["check", str(file), "--mapping", str(tmp_path / "none.json")], environment) == 2
    assert "none.json cannot be read" in capsys.readouterr().err
    assert json.loads(exported.read_text())["name"] == "shop"
