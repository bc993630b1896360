"""The command line and the targets that were added on the screen."""

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from intempt_core.cli import main
from intempt_core.errors import TargetIncomplete
from intempt_core.history import History
from intempt_core.history.saved import targets
from intempt_core.settings import Settings
from intempt_core.targets import StoredTarget
from tests.core.dispatch.factories import OK, decides
from tests.core.transport.fault_server import HostileServer, hostile

KEY = "k3yPrefix.s3cretS3cret"


def stored(server: HostileServer, name: str = "Shop EU", variable: str = "SHOP_KEY") -> StoredTarget:
    return StoredTarget(name, server.url, "acme", "web", "1001", variable, production=False)


@contextlib.contextmanager
def opened(data: Path) -> Iterator[History]:
    with contextlib.closing(History.open(Settings(data=data).history_url)) as history:
        yield history


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "events.csv"
    path.write_text("name,eventId,userId,productId\nProduct viewed,e1,u1,p1\n", "utf-8")
    return str(path)


def test_a_stored_target_is_sent_to_by_its_name_with_the_key_of_its_variable(tmp_path: Path, file: str) -> None:
    data = tmp_path / "data"
    with hostile(decides(lambda _: OK)) as server:
        with opened(data) as history:
            history.targets.save(stored(server))
        call = ["send", file, "--target", "shop-eu", "--yes"]
        assert main(call, {"CONSOLE_DATA": str(data), "SHOP_KEY": KEY}) == 0
    assert server.received[0].path == "/v1/acme/projects/web/sources/1001/track"
    with opened(data) as history:
        (batch,) = history.queries.batches().items
        assert (batch.target.name, batch.target.origin) == ("Shop EU", "console")
        assert batch.target.credential_reference == "$SHOP_KEY"
    assert KEY.encode() not in b"".join(one.read_bytes() for one in data.rglob("*") if one.is_file())


def test_without_its_key_it_says_where_that_is_read_from(
    tmp_path: Path, file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "data"
    with hostile(decides(lambda _: OK)) as server:
        with opened(data) as history:
            history.targets.save(stored(server))
            history.targets.save(stored(server, "typed", ""))
        given = {"CONSOLE_DATA": str(data)}
        assert main(["send", file, "--target", "Shop EU", "--yes"], given) == 3
        assert "is read from $SHOP_KEY, which is not set here" in capsys.readouterr().err
        assert main(["send", file, "--target", "typed", "--yes"], given) == 3
        assert "is typed on the Targets screen for a session, and is not here" in capsys.readouterr().err
    assert server.received == []


def test_where_others_reach_the_console_it_may_lead_to_allowed_hosts_only(
    tmp_path: Path, file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "data"
    with hostile(decides(lambda _: OK)) as server:
        with opened(data) as history:
            history.targets.save(stored(server))
        given = {"CONSOLE_DATA": str(data), "SHOP_KEY": KEY, "CONSOLE_PASSWORD": "secret"}
        assert main(["send", file, "--target", "Shop EU", "--yes"], given) == 3
        assert "may lead to api.intempt.com or api.staging.intempt.com only" in capsys.readouterr().err
        allowed = {**given, "CONSOLE_ALLOWED_TARGET_HOSTS": server.url.removeprefix("http://")}
        assert main(["send", file, "--target", "Shop EU", "--yes"], allowed) == 0


def test_settings_and_a_wrong_name_list_it(tmp_path: Path, file: str, capsys: pytest.CaptureFixture[str]) -> None:
    data = tmp_path / "data"
    with hostile(decides(lambda _: OK)) as server, opened(data) as history:
        history.targets.save(stored(server))
    given = {"CONSOLE_DATA": str(data)}
    assert main(["settings", "--format", "json"], given) == 0
    rows = json.loads(capsys.readouterr().out)["targets"]
    assert [(row["target"], row["origin"], row["key"]) for row in rows][1:] == [("Shop EU", "console", "missing")]
    assert main(["send", file, "--target", "nope", "--yes"], given) == 3
    assert "There is: sandbox, Shop EU." in capsys.readouterr().err


def test_check_asks_for_no_database_that_is_not_there(tmp_path: Path, file: str) -> None:
    assert main(["check", file, "--target", "nope"], {"CONSOLE_DATA": str(tmp_path / "data")}) == 3
    assert not (tmp_path / "data").exists()


def test_the_store_has_each_name_once_and_a_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(targets, "MAX_STORED_TARGETS", 2)
    with hostile(decides(lambda _: OK)) as server, opened(tmp_path) as history:
        first = stored(server)
        history.targets.save(first)
        with pytest.raises(TargetIncomplete, match="There is a target SHOP_eu already"):
            history.targets.save(stored(server, "SHOP_eu"))
        history.targets.save(stored(server, "b"))
        with pytest.raises(TargetIncomplete, match="2 targets are stored"):
            history.targets.save(stored(server, "c"))
        history.targets.save(stored(server, "c"), replaces="b")
        history.targets.delete("c")
        assert history.targets.all() == [first]
