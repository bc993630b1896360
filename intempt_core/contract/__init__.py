"""The contract: what the Track API takes, what it does with an event, and the words in which every package says it.

- ``fields``: event names, the fields of an event with their types, what counts as given, as an id, as a time.
- ``issue_kinds``: the catalogue of issues: each rule with its code, severity, words, source and readings.
- ``readings``: how a rule reads one event and how it reads columns.
- ``rules``: one event judged by every rule that reads a field.
- ``issues``: an issue with its place and the value that was given.
- ``invisible``: characters that cannot be seen, written out.
- ``hints``: advice that a wrong value gives away; ``time_hints``: how a time that cannot be read seems to be written.
- ``counting``: which event counts, stated once.
- ``id_forms``: placeholders with who writes them, and ids that a float or a spreadsheet has changed.
- ``identity``: which ids an event has, and which link it to a person.
- ``model``: one event and one request as pydantic models.
- ``json_schema``: the contract as JSON Schema, made of the models and the rules.
- ``body``: request bodies, written as the events came.
- ``feeds``: what a person's events show in each feed.
- ``person_history``: a person's events as analysis reads them.
- ``outcome``: what is known after an attempt.
- ``faults``: simulated failures of the sandbox, as a document.
- ``quantities``: counts in words, ``2 events``.
- ``sandbox_api``: the paths and filters of the sandbox's own API.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
