"""What programs get of a check: the report as JSON, and ``POST /validate``, which responds with it.

- ``report_document``: the report as JSON, which ``check --format json`` prints too, and its JSON Schema.
- ``file_schemas``: the JSON Schemas of what ``check --format json`` prints of ``--expect`` and of several files.
- ``bodies``: the body of a request, read and checked.
- ``forms``: a form of several parts: events, a mapping and the team's rules.
- ``routes``: the route, with its limits, and its part of the OpenAPI document.
"""
