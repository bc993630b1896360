"""What has to be known of history is printed before a command uses it."""

from pathlib import Path

import pytest

from intempt_core.cli.sends.sending import open_history
from intempt_core.settings import Settings


def test_a_history_that_was_lost_is_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = Settings(data=tmp_path)
    with open_history(settings):
        pass
    assert capsys.readouterr().err == ""
    settings.engine_file.write_bytes(b"something")
    (tmp_path / "history.sqlite3").unlink()
    with open_history(settings):
        pass
    assert "history.sqlite3 was gone or empty then, where there was one before" in capsys.readouterr().err
