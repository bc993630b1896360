"""Sharing without a browser: links, comparisons, and a case file that Inspect opens."""

import json
from collections.abc import Callable

import pytest

from intempt_core import __version__
from intempt_core.exports.case_file import build_case, dump_case, render_case_page
from intempt_core.exports.salt import check_salt
from intempt_core.targets.target import Target, TargetRegistry
from pages.parts.shared.links import guard_copied_text
from pages.parts.shared.services import get_services
from tests.pages.conftest import Screen

EVENT = {"name": "Product viewed", "eventId": "shared-1", "userId": "anna", "data": {"productId": "p\u202e1"}}


@pytest.fixture
def sent(inspect: Screen) -> Screen:
    return inspect.paste(json.dumps(EVENT)).send("inspect-send")


def cold(tab: Callable[[str], Screen], **params: str) -> Screen:
    screen = tab("history.py")
    for name, text in params.items():
        screen.app.query_params[name] = text
    return screen.run()


def request_id(screen: Screen) -> str:
    return str(get_services().history.queries.requests(screen.inspect_state.guard.batch or "").items[0].id)


def test_a_link_to_an_event_opens_cold(sent: Screen, tab: Callable[[str], Screen]) -> None:
    screen = cold(tab, event="shared-1")
    assert "Event shared-1" in screen.texts
    assert "● accepted" in screen.markdown
    assert "Product viewed · p⟨U+202E⟩1" in screen.texts
    assert "No event with this id" in cold(tab, event="<b>unused-id</b>").texts


def test_two_things_are_compared_by_a_link_or_by_pasting(sent: Screen, tab: Callable[[str], Screen]) -> None:
    id_ = request_id(sent)
    screen = cold(tab, compare=f"request {id_}", **{"with": f"request {id_}"})
    assert "no differences" in screen.markdown
    screen.app.text_area(key="compare-right").set_value(json.dumps({**EVENT, "userId": "ben"}))
    screen.run()
    (found,) = screen.app.dataframe
    assert ["changed", "event 1 · userId", "anna", "ben"] in found.value.to_numpy().tolist()
    screen.app.text_area(key="compare-right").set_value("request 999")
    assert "History knows no request 999" in screen.run().texts
    assert "Enter two things to compare" in cold(tab, compare="").texts


@pytest.mark.parametrize("named", [False, True])
def test_inspect_opens_a_case_file(sent: Screen, *, named: bool) -> None:
    case = build_case(
        get_services().history, request_id(sent), __version__, salt=None if named else check_salt(b"s" * 16)
    )
    for text in (dump_case(case), "".join(render_case_page(case))):
        sent.paste(text)
        assert "From a case file made" in sent.texts
        assert "Recognised: request body, 1 group, 1 event" in sent.texts
        pasted = sent.inspect_state.text
        assert ('"anna"' in pasted) is named
    sent.paste('{"case_file": 9}')
    assert "This is a case file of another form" in sent.texts


def shop_with(key: str) -> Target:
    """A target with this key."""
    given = {"host": "api.intempt.com", "org": "a", "project": "b", "source": "1", "key": key}
    return TargetRegistry.from_sources({"targets": {"shop": given}}, {}, "").get("shop")


def test_no_link_and_no_copy_holds_a_key(sent: Screen) -> None:
    key = "shopprefix.9f3c51d2a7e84b60"
    get_services().typed_targets["shop"] = shop_with(key)
    sent.paste(json.dumps({**EVENT, "eventId": key}))
    assert key not in (sent.inspect_state.text)  # masked where it is pasted, JSON or not
    assert "The text held a key. It is masked, and not stored." in sent.texts
    assert not any(key in text for text in (*sent.codes, sent.markdown, sent.texts))
    sent.paste(json.dumps({**EVENT, "eventId": "e-1"}))
    get_services().typed_targets["shop"] = shop_with("a.e-1")
    assert guard_copied_text("e-1") == "e-1"  # a secret that is too short to be looked for alone
    assert guard_copied_text("the key a.e-1") != "the key a.e-1"
