"""Workers on many machines, in a PostgreSQL database: who is alive, who may send what, and the limits they share.

- ``leases``: the processes that send, each alive until its lease ends
- ``groups``: the groups of a batch's lanes, each owned by one worker at a time; the takeover of those of dead workers
- ``connections``: connections that can be cut, where a network has stalled
- ``limits``: the turns and the places of a target, over all workers

Time is the database's: a lease is written and judged in SQL, so that machines whose clocks differ agree on it.
"""
