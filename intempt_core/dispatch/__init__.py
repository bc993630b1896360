"""Sending: nothing is lost, doubled or reordered, and every outcome is recorded.

- ``dispatcher``: finds batches to send, takes over those of ended processes, reports progress
- ``environment``: what sending needs from outside: settings, targets, clock, network
- ``batch_runner``: sends one batch, its lanes in groups, chunk by chunk
- ``lane_sender``: sends one lane in order, and decides what follows each outcome
- ``arrival_questions``: what became of requests whose responses could not say it
- ``runner``, ``dbos_runner``: call for the chunks, in a loop or from workflows of the durable engine; ``engine_file``:
  the engine's file, moved aside where it is damaged
- ``rate_limits``: the limits and the circuit breaker that all batches to one target share; ``shared_turns``,
  ``shared_places``: what all processes of a data folder share of them
- ``history_writer``: writes transitions of many lanes in one transaction, and waits while history is unavailable
- ``process_locks``: which processes of a data folder are alive, and which is its console; ``alive_processes``: the same
  by leases where machines share a database
- ``workers/``: sending from such a database: leases, groups of lanes, the supervisor
- ``progress``, ``health``: how far a batch is, and whether this process can send
- ``one_shot``: sends a plan and waits for the outcome
- ``interrupted``: goes on with what the process of a batch left to be sent
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
