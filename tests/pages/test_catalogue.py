"""The product catalogue of a target, loaded on the Targets screen; other screens then name products."""

import json
from collections.abc import Callable
from uuid import uuid4

import pytest

from pages.parts.shared.services import get_services
from tests.pages.conftest import Screen
from tests.pages.tabs import tab_at

ITEMS = b"product_id,brand\nSKU_1,Runail\nSKU_2,\n"


def dropped(screen: Screen, data: bytes, name: str = "item.csv") -> Screen:
    """Upload a catalogue file."""
    tokens = get_services().upload_tokens
    with tokens.spool.receive(name, len(data)) as incoming:
        incoming.write(data)
    tokens.add_file(screen.app.session_state["console"].screen_states["CatalogueUpload"].token, incoming.spooled)
    return screen.run()


def sent(tab: Callable[[str], Screen], person: str, product: str) -> Screen:
    """Compose's event of one person, sent and accepted: added to the cart."""
    compose = tab("compose.py")
    compose.fill("compose-data-productId", product).fill("compose-userId", person)
    return compose.send()


def feeds_of(person: str) -> Screen:
    app = tab_at("feeds.py")
    app.query_params["by"], app.query_params["person"] = "userId", person
    return Screen(app).run()


def named_tiles(screen: Screen) -> list[tuple[str, str]]:
    """The products of the feeds and their names."""
    found = [json.loads(element.proto.json or "{}") for element in screen.app.get("bidi_component")]
    return [(tile["id"], tile["name"]) for data in found for tile in data.get("tiles", ())]


def test_a_catalogue_names_products_and_warns_of_unknown_ones_until_it_is_removed(
    tab: Callable[[str], Screen], targets: Screen
) -> None:
    person = f"person-{uuid4().hex}"
    sent(tab, person, "SKU_1")
    dropped(targets, ITEMS)
    assert "item.csv: 2 rows, 2 columns." in targets.texts
    targets.press("catalogue-load")
    assert "item.csv: 2 products of 2 rows" in targets.texts
    assert named_tiles(feeds_of(person)) == [("SKU_1", "Runail")]
    assert "Runail" in tab("compose.py").fill("compose-data-productId", "SKU_1").texts
    compose = sent(tab, person, "SKU_404")
    compose.press("compose-check")
    assert "is not in the catalogue that is loaded" in compose.texts
    assert named_tiles(feeds_of(person)) == [("SKU_404", "not in the catalogue"), ("SKU_1", "Runail")]
    targets.press("catalogue-remove")
    assert [name for _, name in named_tiles(feeds_of(person))] == ["", ""]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(b"\x89PNG\r\n\x1a\n\0\0", "item.csv"), (b"[1]", "no list of objects"), (b"", "is empty")],
    ids=["picture", "numbers", "nothing"],
)
def test_a_file_that_is_no_catalogue_is_a_sentence(targets: Screen, content: bytes, sentence: str) -> None:
    assert sentence in dropped(targets, content).texts


def test_a_column_without_ids_is_a_sentence_and_another_can_be_chosen(targets: Screen) -> None:
    dropped(targets, b"product_id,brand\nSKU_1,\n")
    targets.app.selectbox(key="catalogue-id-1").set_value("brand")
    assert "has a product id in its column brand" in targets.press("catalogue-load").texts
    targets.app.selectbox(key="catalogue-id-1").set_value("product_id")
    assert "item.csv: 1 product of 1 row" in targets.press("catalogue-load").texts


def test_a_damaged_catalogue_is_a_sentence_and_can_be_removed(targets: Screen) -> None:
    dropped(targets, ITEMS).press("catalogue-load")
    (file,) = (get_services().settings.data / "catalogues").iterdir()
    file.write_bytes(b"nonsense")
    assert "its file is damaged. Load it again, or remove it." in targets.run().texts
    assert "damaged" not in targets.press("catalogue-remove").texts
