"""A file that was uploaded to one console is known to all that share its database, under its tab's token."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import select

from intempt_core.history import History, SharedUploads
from intempt_core.history.schema import upload_tokens, uploads
from intempt_core.uploads import Spool, SpooledFile, UploadRegistry, UploadTokens
from tests.core.history.factories import Clock

MOST = 1_000


def upload(registry: UploadRegistry, token: str, name: str, content: bytes) -> SpooledFile:
    with registry.spool.receive(name, len(content)) as incoming:
        incoming.write(content)
    registry.add_file(token, incoming.spooled)
    return incoming.spooled


@pytest.fixture
def history(postgres_url: str, clock: Clock) -> Iterator[History]:
    with closing(History.open(postgres_url)) as opened:
        opened.database.clock = clock
        yield opened


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(tmp_path / "shared", MOST)


def consoles(history: History, spool: Spool, most: int = 3 * MOST) -> tuple[SharedUploads, SharedUploads]:
    return SharedUploads(history.database, spool, most), SharedUploads(history.database, spool, most)


@pytest.mark.long
def test_a_tab_of_one_console_uploads_through_another(history: History, spool: Spool) -> None:
    first, second = consoles(history, spool)
    token = first.create_token()
    assert second.is_valid(token)
    assert not second.is_valid("nonsense")
    older = upload(second, token, "older.csv", b"a")
    newer = upload(second, token, "newer “ü”.csv", b"b")
    assert first.take_newest(token) == newer
    assert first.take_newest(token) is None
    assert second.take_newest(token) is None
    assert spool.path(older.digest).exists()


@pytest.mark.long
def test_a_page_that_is_loaded_again_at_another_console_goes_on_with_its_file(history: History, spool: Spool) -> None:
    first, second = consoles(history, spool)
    file = upload(first, first.create_token(), "a.csv", b"a")
    again = second.create_token()
    assert second.adopt_file(again, file.digest) == file
    assert second.take_newest(again) is None
    assert second.adopt_file(again, "0" * 64) is None
    spool.remove(file.digest)
    assert first.adopt_file(first.create_token(), file.digest) is None


@pytest.mark.long
def test_a_console_whose_folder_has_not_the_file_does_not_say_it_has(
    history: History, spool: Spool, tmp_path: Path
) -> None:
    first = SharedUploads(history.database, spool, MOST)
    apart = SharedUploads(history.database, Spool(tmp_path / "apart", MOST), MOST)
    token = first.create_token()
    file = upload(first, token, "a.csv", b"a")
    assert apart.adopt_file(apart.create_token(), file.digest) is None
    assert apart.take_newest(token) == file
    assert not apart.spool.touch(file.digest)


@pytest.mark.long
def test_a_tab_with_too_many_bytes_lets_its_oldest_go_unless_another_has_it(history: History, spool: Spool) -> None:
    first, second = consoles(history, spool, 2 * MOST)
    mine, other = first.create_token(), second.create_token()
    shared = upload(first, mine, "shared.csv", b"s" * MOST)
    second.adopt_file(other, shared.digest)
    gone = upload(second, mine, "gone.csv", b"g" * MOST)
    last = upload(first, mine, "last.csv", b"l" * MOST)
    assert second.list_let_go(mine) == ["shared.csv"]
    upload(first, mine, "more.csv", b"m" * MOST)
    assert first.list_let_go(mine) == ["shared.csv", "gone.csv"]
    assert second.was_let_go(mine, gone.digest)
    assert not second.was_let_go(mine, last.digest)
    assert not second.was_let_go(other, shared.digest)
    assert [spool.path(one.digest).exists() for one in (shared, gone, last)] == [True, False, True]


@pytest.mark.long
def test_both_registries_let_the_same_files_go(history: History, tmp_path: Path) -> None:
    alone = UploadTokens(Spool(tmp_path / "alone", MOST), 2 * MOST)
    shared = SharedUploads(history.database, Spool(tmp_path / "shared", MOST), 2 * MOST)
    found = []
    for registry in (alone, shared):
        token = registry.create_token()
        for number, size in enumerate((500, 900, 100, 1000, 30, 1000, 1)):
            upload(registry, token, f"{number}.csv", bytes([number]) * size)
        upload(registry, token, "0.csv again", bytes([0]) * 500)
        taken = registry.take_newest(token)
        found.append(
            (registry.list_let_go(token), taken and taken.name, sorted(p.name for p in registry.spool.folder.iterdir()))
        )
    assert found[0] == found[1]


@pytest.mark.long
def test_a_token_is_stored_as_its_digest_and_forgotten_after_a_week(
    history: History, spool: Spool, clock: Clock
) -> None:
    first, second = consoles(history, spool)
    silent, busy = first.create_token(), first.create_token()
    upload(first, silent, "a.csv", b"a")
    clock.now += 6 * 86_400_000
    assert second.is_valid(busy)
    clock.now += 2 * 86_400_000
    first.create_token()
    assert not second.is_valid(silent)
    assert second.is_valid(busy)
    with history.database.reading() as connection:
        assert busy not in set(connection.execute(select(upload_tokens.c.token)).scalars())
        assert connection.execute(select(uploads)).all() == []
    upload(first, silent, "late.csv", b"late")
    assert first.take_newest(silent) is None
