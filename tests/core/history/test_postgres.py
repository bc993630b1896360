"""History in a PostgreSQL database: what is different there from a file."""

from contextlib import closing

import pytest

from intempt_core.history import History
from intempt_core.settings import Settings
from tests.core.history.factories import batch_of

pytestmark = pytest.mark.long


def test_the_settings_database_holds_history(empty_postgres_url: str) -> None:
    settings = Settings.from_environment({"CONSOLE_DATABASE_URL": empty_postgres_url})
    with closing(History.open(settings.history_url)) as history:
        batch = batch_of(history, [2, 1], [3])
        assert history.queries.batch(batch).total == 6
        assert history.database.file is None
    with closing(History.open(settings.history_url)) as again:
        assert again.queries.batch(batch).total == 6
