"""The services of a process: no message of a browser takes them away, and every screen says who may reach them."""

from collections.abc import Callable
from pathlib import Path

import pytest
import streamlit as st
from streamlit.proto.BackMsg_pb2 import BackMsg

from intempt_core.dispatch.process_locks import CONSOLE_LOCK_NAME, acquire_lock
from pages.parts.shared.services import close_services, get_services
from pages.parts.shared.socket_messages import NEEDED_KINDS, read_message_kind
from tests.pages.conftest import Screen


def test_clearing_every_cache_leaves_the_services_and_what_they_send(compose: Screen) -> None:
    before, client = get_services(), get_services().sandbox_client
    st.cache_resource.clear()
    st.cache_data.clear()
    assert get_services() is before
    assert get_services().sandbox_client is client
    compose.fill("compose-data-productId", "SKU_1").fill("compose-userId", "u1").send()
    assert get_services().history.queries.batches().total == 1


def test_a_console_without_a_password_that_others_may_reach_says_so(
    monkeypatch: pytest.MonkeyPatch, tab: Callable[[str], Screen]
) -> None:
    assert "password" not in tab("compose.py").texts
    close_services()
    monkeypatch.setenv("CONSOLE_UNPROTECTED", "1")
    screen = tab("compose.py")
    for page in ("compose.py", "history.py", "targets.py"):
        assert "asks for no password (CONSOLE_UNPROTECTED=1)" in screen.go(page).texts


def test_damage_a_lost_history_and_another_console_are_said_on_every_screen(
    tab: Callable[[str], Screen], data: Path
) -> None:
    screen = tab("compose.py")
    services = get_services()
    assert services.notices == []
    close_services()
    (data / "history.known.json").write_text('{"newest": 7, "at": 1}')
    for part in data.glob("history.sqlite3*"):
        part.unlink()
    lock = acquire_lock(data / CONSOLE_LOCK_NAME, {"pid": 1})
    assert lock is not None
    try:
        get_services().start(durable=False)
        get_services().history.database.note_damage()
        for page in ("compose.py", "history.py", "targets.py"):
            shown = screen.go(page).texts
            assert "Another console uses this data folder (process " in shown
            assert "is damaged: what is shown and recorded may be wrong" in shown
            assert "its newest batch had the number 7" in shown
    finally:
        lock.release()


def test_closed_services_are_opened_again_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONSOLE_DATA", str(tmp_path / "one"))
    first = get_services()
    close_services()
    close_services()
    monkeypatch.setenv("CONSOLE_DATA", str(tmp_path / "two"))
    assert get_services() is not first
    assert get_services().settings.data == tmp_path / "two"
    close_services()


def test_every_kind_of_message_that_streamlit_knows_is_needed_or_known_to_do_harm() -> None:
    """A new release brings new kinds: somebody has to look at each before this list grows."""
    known = {field.name for field in BackMsg.DESCRIPTOR.oneofs_by_name["type"].fields}
    harmful = {
        "clear_cache",
        "set_run_on_save",
        "load_git_info",
        "debug_disconnect_websocket",
        "debug_shutdown_runtime",
    }
    assert known == harmful | set(NEEDED_KINDS)


def test_of_operations_only_downloads_and_rows_are_needed() -> None:
    for operation, kind in {
        "deferred_file": "backend_operation_request",
        "dataframe_chunk": "backend_operation_request",
        "install_skills": "install_skills",
        "dismiss_skills_nudge": "dismiss_skills_nudge",
    }.items():
        sent = BackMsg()
        getattr(sent.backend_operation_request, operation).SetInParent()
        assert read_message_kind(sent.SerializeToString()) == kind
    assert read_message_kind(b"") is None
    with pytest.raises(ValueError, match="no message"):
        read_message_kind(b"\xff")
