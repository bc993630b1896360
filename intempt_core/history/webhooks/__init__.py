"""What the webhooks of targets are to be told: written with the change that they tell of, and kept until it is told.

- ``announcements``: adds a row, in the transaction that changes a batch's state
- ``outbox``: what is due, and what came of each delivery
"""
