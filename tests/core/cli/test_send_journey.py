"""``send --journey``: a saved journey, or one in a file, with values of the call."""

import json
from pathlib import Path
from typing import Any

import pytest

from intempt_core.cli import main
from intempt_core.history import History
from intempt_core.journeys import parse_journey
from intempt_core.settings import Settings
from tests.core.dispatch.factories import OK, decides
from tests.core.transport.fault_server import hostile

JOURNEY = {
    "name": "First order",
    "person": {"userId": "user_123"},
    "product": {"productId": "SKU_987", "price": 12.5},
    "events": [{"name": "Added to cart"}, {"name": "Product ordered", "set": {"data.price": 11}}],
}


def environment(data: Path) -> dict[str, str]:
    return {"CONSOLE_DATA": str(data), "INTEMPT_API_KEY": "pre.secretsecret"}


def write(folder: Path, journey: Any = JOURNEY) -> str:
    file = folder / "journey.json"
    file.write_text(json.dumps(journey), "utf-8")
    return str(file)


def test_a_file_is_sent_with_the_calls_values_and_new_ids_each_time(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call = ["send", "--journey", write(tmp_path), "--set", "userId=u7", "--set", "data.productId=A1", "--yes"]
    call += ["--set", "data.price:=3"]
    with hostile(decides(lambda _: OK)) as server:
        target = f"{server.url}/v1/acme/projects/shop/sources/1001/track"
        for _ in range(2):
            assert main([*call, "--target", target], environment(tmp_path / "data")) == 0
        bodies = [json.loads(received.body) for received in server.received]
    assert "--set data.price is not taken by event 2, which says its own." in capsys.readouterr().err
    assert [[group["name"] for group in body["track"]] for body in bodies] == [["Added to cart", "Product ordered"]] * 2
    events = [event for body in bodies for group in body["track"] for event in group["payload"]]
    assert {event["userId"] for event in events} == {"u7"}
    assert [event["data"] for event in events] == [
        {"productId": "A1", "price": 3},
        {"productId": "A1", "price": 11},
    ] * 2
    assert len({event["eventId"] for event in events}) == 4
    times = [event["timestamp"] for event in events]
    assert times == sorted(set(times))


def test_a_saved_one_is_sent_by_its_name_and_history_says_which(tmp_path: Path) -> None:
    data = tmp_path / "data"
    history = History.open(Settings(data=data).history_url)
    history.journeys.save(parse_journey(json.dumps(JOURNEY)))
    assert main(["send", "--journey", "first order", "--target", "sandbox", "--yes"], environment(data)) == 0
    (batch,) = history.queries.batches().items
    assert (batch.label, batch.notes["journey"], batch.total) == ("First order", "First order", 2)
    history.close()


def test_a_dry_run_prints_the_body_and_sends_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = tmp_path / "data"
    call = ["send", "--journey", write(tmp_path), "--target", "sandbox", "--dry-run"]
    assert main(call, environment(data)) == 0
    told = capsys.readouterr()
    assert [group["name"] for group in json.loads(told.out)["track"]] == ["Added to cart", "Product ordered"]
    assert "Nothing was sent" in told.err
    history = History.open(Settings(data=data).history_url)
    assert history.queries.batches().total == 0
    history.close()


def test_a_dry_run_of_a_file_records_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "events.csv"
    file.write_text("name,eventId,userId,productId\nProduct viewed,e1,u1,p1\n", "utf-8")
    call = ["send", str(file), "--target", "sandbox", "--dry-run"]
    assert main(call, environment(tmp_path / "data")) == 0
    told = capsys.readouterr()
    assert (told.out, "To send: 1 event" in told.err) == ("", True)


def test_events_with_errors_are_excluded_and_nothing_else_is_sent(tmp_path: Path) -> None:
    wrong = {"name": "j", "events": [{"name": "Product viewed", "set": {"userId": "u"}}]}
    call = ["send", "--journey", write(tmp_path, wrong), "--target", "sandbox", "--yes"]
    assert main(call, environment(tmp_path / "data")) == 1


def test_one_with_an_id_of_its_own_is_not_sent_twice_unasked(tmp_path: Path) -> None:
    fixed = {**JOURNEY, "events": [{"name": "Added to cart", "set": {"eventId": "evt_7"}}]}
    call = ["send", "--journey", write(tmp_path, fixed), "--target", "sandbox", "--yes"]
    given = environment(tmp_path / "data")
    assert [main(call, given), main(call, given), main([*call, "--again"], given)] == [0, 5, 0]


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["--journey", "none", "--target", "sandbox"], 2, "No journey is saved as “none”. None is saved yet."),
        (["--journey", "none.json", "--target", "sandbox"], 2, "The journey none.json cannot be read"),
        (["--journey", "FILE", "--target", "sandbox", "--set", "userid=1"], 2, "Did you mean “userId”?"),
        (["--journey", "FILE", "--target", "nowhere"], 3, "There is no target “nowhere”"),
        (["--journey", "FILE"], 2, "send needs --target"),
        (["--target", "sandbox"], 2, "send needs FILE, --event or --journey"),
        (["--journey", "FILE", "x.csv", "--target", "sandbox"], 2, "takes no FILE"),
        (["--journey", "FILE", "--target", "sandbox", "--mapping", "m"], 2, "takes no --mapping"),
        (["--journey", "FILE", "--target", "sandbox", "--sheet", "s", "--new-ids"], 2, "no --new-ids and no --sheet"),
        (["x.csv", "--target", "sandbox", "--set", "userId=1"], 2, "say --event or --journey beside it"),
        (["--resume", "--journey", "FILE"], 2, "--resume sends what history has of a batch: it takes no --journey"),
    ],
)
def test_what_cannot_be_sent_is_said_with_its_exit_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, says: str
) -> None:
    arguments = [write(tmp_path) if one == "FILE" else one for one in arguments]
    try:
        found = main(["send", *arguments], environment(tmp_path / "data"))
    except SystemExit as ended:
        found = int(ended.code or 0)
    assert found == code
    assert says in capsys.readouterr().err
