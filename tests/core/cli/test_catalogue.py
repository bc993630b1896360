"""The command line checks products against the catalogue of the target, as the screens do (CONTRACT 2.5)."""

import json
from pathlib import Path

import pytest

from intempt_core.cli import main
from intempt_core.settings import Settings
from intempt_core.targets import derive_target_key, sandbox_target
from intempt_core.validation import CatalogueFolder, build_catalogue, read_catalogue_file

EVENTS = """\
name,eventId,userId,productId,timestamp
Product viewed,e1,u1,SKU_1,1700000000000
Product viewed,e2,u1,SKU_404,1700000000000
Product viewed,e3,u2,007,1700000000000
"""
ITEMS = "product_id,category_code,brand\nSKU_1,nail.polish,Runail\n007,,Bond\n"


@pytest.fixture
def events(tmp_path: Path) -> str:
    file = tmp_path / "events.csv"
    file.write_text(EVENTS)
    return str(file)


@pytest.fixture
def items(tmp_path: Path) -> str:
    file = tmp_path / "items.csv"
    file.write_text(ITEMS)
    return str(file)


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return {"CONSOLE_DATA": str(tmp_path / "data")}


def loaded_for_sandbox(items: str, environment: dict[str, str]) -> Path:
    """Load a catalogue as the screens do; the file that it is kept in."""
    folder = Settings.from_environment(environment).catalogues_folder
    listing = read_catalogue_file(Path(items), name="items.csv")
    catalogue = build_catalogue(listing, "product_id", listing.name_columns)
    CatalogueFolder(folder).save(derive_target_key(sandbox_target("http://127.0.0.1:1")), catalogue)
    (file,) = folder.iterdir()
    return file


def test_without_a_catalogue_no_product_is_unknown(
    events: str, environment: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    for more in ([], ["--target", "sandbox"]):
        assert main(["check", events, *more], environment) == 0
        assert "product_unknown" not in capsys.readouterr().out


def test_a_product_that_the_catalogue_of_a_file_lacks_is_a_warning(
    events: str, items: str, environment: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    call = ["check", events, "--catalogue", items, "--catalogue-column", "product_id", "--format", "json"]
    assert main(call, environment) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["counts"] == {"product_unknown": 1}
    assert [(issue["row"], issue["given"]) for issue in told["issues"]] == [(2, "SKU_404")]


def test_a_json_document_is_checked_against_the_catalogue_too(
    tmp_path: Path, items: str, environment: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    event = {"name": "Product viewed", "eventId": "e", "userId": "u", "data": {"productId": "SKU_2"}}
    document = tmp_path / "event.json"
    document.write_text(json.dumps(event))
    call = ["check", str(document), "--catalogue", items, "--catalogue-column", "product_id"]
    assert main(call, environment) == 0
    assert "product_unknown" in capsys.readouterr().out


def test_check_and_send_use_the_catalogue_that_is_loaded_for_their_target(
    events: str, items: str, environment: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    loaded_for_sandbox(items, environment)
    assert main(["check", events, "--target", "sandbox"], environment) == 0
    said = capsys.readouterr()
    assert "product_unknown" in said.out
    assert "Products are checked against the catalogue of Sandbox: items.csv, 2 products." in said.err
    assert main(["send", events, "--target", "sandbox", "--yes"], environment) == 0
    assert "0 rows have errors, 1 row has warnings" in capsys.readouterr().err


def test_a_file_goes_before_what_is_loaded_for_the_target(
    tmp_path: Path, events: str, items: str, environment: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    loaded_for_sandbox(items, environment)
    (tmp_path / "all.csv").write_text("productId\nSKU_1\nSKU_404\n007\n")
    assert main(["check", events, "--target", "sandbox", "--catalogue", str(tmp_path / "all.csv")], environment) == 0
    assert "product_unknown" not in capsys.readouterr().out


def test_a_loaded_catalogue_that_is_damaged_checks_nothing_and_that_is_said(
    events: str, items: str, environment: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    loaded_for_sandbox(items, environment).write_bytes(b"damaged")
    assert main(["check", events, "--target", "sandbox"], environment) == 0
    said = capsys.readouterr()
    assert "product_unknown" not in said.out
    assert said.err.endswith("Load it again, or remove it. Products are not checked.\n")


def test_the_column_of_the_product_id_is_never_guessed(
    events: str, items: str, environment: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", events, "--catalogue", items], environment) == 2
    assert capsys.readouterr().err == (
        "The catalogue items.csv cannot be used: No column is called productId. Say which column holds the product id,"
        " perhaps --catalogue-column “product_id”.\n"
    )
    assert main(["check", events, "--catalogue", items, "--catalogue-column", "sku"], environment) == 2
    assert "There is no column “sku”." in capsys.readouterr().err


@pytest.mark.parametrize(("content", "says"), [(None, "cannot be read"), ("", "empty"), ("{}", "holds no product")])
def test_a_catalogue_that_cannot_be_read_is_2(
    tmp_path: Path,
    events: str,
    environment: dict[str, str],
    content: str | None,
    says: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = tmp_path / "catalogue.csv"
    if content is not None:
        file.write_text(content)
    assert main(["check", events, "--catalogue", str(file)], environment) == 2
    error = capsys.readouterr().err
    assert "catalogue.csv" in error
    assert says in error
    assert error.count("\n") == 1


def test_a_target_that_is_not_described_is_3(
    events: str, environment: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", events, "--target", "shop"], environment) == 3
    assert "There is no target “shop”" in capsys.readouterr().err
