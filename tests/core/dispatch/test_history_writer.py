"""What lanes wait for is written together, and where responses are slow they then go on one after another."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from intempt_core.dispatch.history_writer import FAST_RESPONSE_MS, HistoryWriter
from intempt_core.history import AttemptEnd, AttemptStart, History, RequestState
from tests.core.history.factories import ME, attempt, batch_of

LANES = 3


@pytest.fixture
def history(tmp_path: Path) -> Iterator[History]:
    opened = History.open(f"sqlite:///{tmp_path / 'history.sqlite3'}")
    yield opened
    opened.close()


def first_of_each_lane(history: History, batch: str) -> list[int]:
    return [history.queue.take(batch, lane.lane, 1)[0].id for lane in history.queue.lanes(batch)]


async def start_and_send(
    history: History, writer: HistoryWriter, batch: str, steps: list[tuple[str, int]], cancelled: int | None = None
) -> None:
    """Let each lane write that its request starts, prepare it and, a turn of the loop later, send it."""

    async def go_on(id_: int) -> None:
        await writer.write([AttemptStart(id_)])
        assert history.queries.batch(batch).requests == {RequestState.IN_FLIGHT: LANES}
        steps.append(("prepares", id_))
        await asyncio.sleep(0)
        steps.append(("sends", id_))

    lanes = {id_: asyncio.create_task(go_on(id_)) for id_ in first_of_each_lane(history, batch)}
    if cancelled is not None:
        await asyncio.sleep(0)  # its transition is given to the writer
        lanes[cancelled].cancel()
    await asyncio.gather(*lanes.values(), return_exceptions=cancelled is not None)


async def learn_response_time(history: History, writer: HistoryWriter, milliseconds: float) -> None:
    """Write the outcome of a request of another batch that took so long."""
    (only,) = first_of_each_lane(history, batch_of(history, [1]))
    await writer.write([AttemptStart(only)])
    await writer.write([AttemptEnd(only, attempt(elapsed_ms=milliseconds))])


def test_each_lane_sends_before_the_next_prepares_where_responses_are_slow(history: History) -> None:
    batch, steps = batch_of(history, *[[1]] * LANES), list[tuple[str, int]]()
    lanes = first_of_each_lane(history, batch)

    async def run() -> None:
        writer = HistoryWriter(history, ME)
        await learn_response_time(history, writer, 100 * FAST_RESPONSE_MS)
        await start_and_send(history, writer, batch, steps)
        writer.close()

    asyncio.run(run())
    assert steps == [(step, lane) for lane in lanes for step in ("prepares", "sends")]


def test_all_lanes_go_on_at_once_where_responses_are_fast(history: History) -> None:
    batch, steps = batch_of(history, *[[1]] * LANES), list[tuple[str, int]]()
    lanes = first_of_each_lane(history, batch)

    async def run() -> None:
        writer = HistoryWriter(history, ME)
        await learn_response_time(history, writer, 1.0)
        await start_and_send(history, writer, batch, steps)
        writer.close()

    asyncio.run(run())
    assert steps == [(step, lane) for step in ("prepares", "sends") for lane in lanes]


def test_a_lane_that_is_cancelled_meanwhile_keeps_no_other_waiting(history: History) -> None:
    batch, steps = batch_of(history, *[[1]] * LANES), list[tuple[str, int]]()
    first, second, third = first_of_each_lane(history, batch)

    async def run() -> None:
        writer = HistoryWriter(history, ME)
        await learn_response_time(history, writer, 100 * FAST_RESPONSE_MS)
        async with asyncio.timeout(10):
            await start_and_send(history, writer, batch, steps, cancelled=second)
        writer.close()

    asyncio.run(run())
    assert [lane for step, lane in steps if step == "sends"] == [first, third]
