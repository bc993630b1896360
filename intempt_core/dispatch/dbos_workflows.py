"""What the durable engine runs: one workflow per group of lanes, one step per chunk.

A workflow knows a batch and some lanes, and nothing else: what is to be sent stands in history, and no body and no
key ever comes into the engine's database. A step that is run again after a crash takes what is pending *then*; its
process has made what was on its way unknown before (``in_flight_to_unknown``). So a step that is repeated, or
whose result was lost, sends nothing twice.

This module is imported where the engine is launched, and nowhere else: the library needs no engine.
"""

from dbos import DBOS

from intempt_core.dispatch.runner import ChunkSender

WORKFLOW_VERSION = "1"
"""The form of these workflows. A workflow of another form is not taken up again: history says what it had to do."""

CHUNK_SENDERS: dict[str, ChunkSender] = {}
"""Who sends the chunks of a batch, by batch: there for as long as this process drives it."""


@DBOS.workflow(name="lanes")
async def run_lanes_workflow(batch: str, lanes: list[int]) -> None:
    """Send some lanes of a batch, chunk after chunk, until there is no more, or the batch is not to be sent now."""
    while await run_chunk_step(batch, lanes):
        pass


@DBOS.step(name="chunk")
async def run_chunk_step(batch: str, lanes: list[int]) -> bool:
    """One chunk; whether there is more. Where nobody drives the batch here, it was paused, or is another's: no."""
    hand = CHUNK_SENDERS.get(batch)
    return hand is not None and await hand(lanes)
