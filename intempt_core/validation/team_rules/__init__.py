"""The team's own rules: JSON Schemas in a file, beside the contract and never mixed with it (docs/rules.md).

- ``rules_file``: reads the file; the rules as a value.
- ``schema_expansion``: a schema with its references written out, and every check that it asks for.
- ``keywords``: the keywords of JSON Schema 2020-12, and what each holds.
- ``patterns``: which patterns can be used, and what they match.
- ``event_rules``: the rules asked about one event, by ``jsonschema-rs``.
- ``column_rules``: the same rules over whole columns of a table, in ``column_checks`` one field at a time.
- ``sentences``: what a finding says.
- ``mapping_fit``: whether rules and a mapping go together.
- ``remembered``: the rules that a console goes by, in its data folder.
"""
