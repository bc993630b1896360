"""What the list of batches shows beside their counts, quick however many batches and events there are.

- ``batch_search``: the batches that a text finds: by a part of a name, by the beginning of an id
- ``undecided``: the batches that wait for a person, and what there is to decide
- ``subjects``: of whom and of which products the events of a batch are
"""
