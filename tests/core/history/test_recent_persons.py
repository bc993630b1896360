"""The persons that were used before: of one target, newest first, each once, as their ids were given."""

from dataclasses import replace

from intempt_core.history import History
from tests.core.history.factories import ME, SHOP, event, intent, request


def test_persons_of_the_newest_events_come_first_and_once(history: History) -> None:
    persons: list[dict[str, str | None]] = [
        {"user_id": "u1"},
        {"user_id": "u2", "profile_id": "p2"},
        {"user_id": "u1"},
        {"user_id": None},
    ]
    for number, person in enumerate(persons):
        history.recorder.record(intent(owner=ME), [request(0, 0, [event(number, **person)])])
    elsewhere = replace(SHOP, key="elsewhere")
    history.recorder.record(intent(owner=ME, target=elsewhere), [request(0, 0, [event(9, user_id="other")])])
    found = history.persons.recent_persons(SHOP.key)
    assert found == [{"userId": "u1"}, {"userId": "u2", "profileId": "p2"}]
    assert history.persons.recent_persons(SHOP.key, limit=1) == found[:1]
    assert history.persons.recent_persons("nowhere") == []


def test_an_id_that_is_not_kept_whole_is_not_suggested(history: History) -> None:
    history.recorder.record(intent(owner=ME), [request(0, 0, [event(1, user_id="x" * 600), event(2, user_id="u2")])])
    assert history.persons.recent_persons(SHOP.key) == [{"userId": "u2"}]
