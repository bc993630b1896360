"""The token with which Prometheus reads the metrics."""

import pytest

from intempt_core.errors import SettingsError
from intempt_core.web import MetricsToken

TOKEN = "0123456789abcdef"


def scope(*headers: str) -> dict[str, object]:
    return {"type": "http", "headers": [(b"authorization", one.encode()) for one in headers]}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (f"Bearer {TOKEN}", True),
        (f"bearer  {TOKEN}", True),
        (f"Bearer {TOKEN}x", False),
        (f"Basic {TOKEN}", False),
        ("Bearer", False),
        ("Bearer é", False),
        (TOKEN, False),
    ],
)
def test_only_the_token_itself_opens(given: str, expected: bool) -> None:
    assert MetricsToken.from_environment({"CONSOLE_METRICS_TOKEN": f" {TOKEN} "}).is_in(scope(given)) is expected


def test_without_a_token_nothing_opens() -> None:
    for given in ((), ("Bearer ",), ("Bearer x",)):
        assert not MetricsToken.from_environment({}).is_in(scope(*given))


@pytest.mark.parametrize("given", ["tiny", "fifteen-letters", "é" * 16, "line\nbreak-in-the-middle"])
def test_a_token_that_could_be_guessed_or_not_sent_is_told_without_repeating_it(given: str) -> None:
    with pytest.raises(SettingsError, match="CONSOLE_METRICS_TOKEN takes at least 16") as told:
        MetricsToken.from_environment({"CONSOLE_METRICS_TOKEN": given})
    assert given not in str(told.value)


def test_it_is_never_shown() -> None:
    assert TOKEN not in repr(MetricsToken(TOKEN)) + str(MetricsToken(TOKEN))
