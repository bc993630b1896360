"""Sending from a database that many machines share: each process owns groups of lanes, and a lease says it is alive.

- ``lease_keeper``: renews this process's lease, and knows when it may not send any more
- ``group_runner``: sends the groups that this process owns
- ``group_engine``: the durable engine's queue, from which processes take groups; its workflows
- ``supervisor``: takes groups from the dead, and puts those that have something to send into the queue
"""
