"""The keywords of JSON Schema 2020-12: what each holds, and how what is found inside it is reported."""

PATTERN_KEYWORD = "re2Pattern"
"""What ``pattern`` is called in an expanded schema: one engine, RE2, reads it for events and for columns."""

IN_PLACE_LISTS = frozenset({"allOf"})
"""Lists of schemas about the same value, each of which has to hold."""

IN_PLACE_SCHEMAS = frozenset({"then", "else"})
IN_PLACE_MAPS = frozenset({"dependentSchemas"})

INNER_MAPS = frozenset({"properties", "patternProperties"})
"""Objects of schemas about values inside the value."""

INNER_LISTS = frozenset({"prefixItems"})
INNER_SCHEMAS = frozenset({"additionalProperties", "items", "unevaluatedProperties", "unevaluatedItems"})

WHOLE_LISTS = frozenset({"anyOf", "oneOf"})
"""Lists of schemas of which one finding is reported, that of the keyword itself."""

SAME_VALUE = frozenset({"anyOf", "oneOf", "not", "if"})
"""Keywords beside those in place whose schemas are about the same value."""

WHOLE_SCHEMAS = frozenset({"not", "contains", "propertyNames"})
SILENT_SCHEMAS = frozenset({"if"})

NUMERIC = frozenset({"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"})

ASSERTIONS = NUMERIC | {
    "type", "enum", "const", "minLength", "maxLength", "pattern", "format", "required", "dependentRequired",
    "minItems", "maxItems", "uniqueItems", "minContains", "maxContains", "minProperties", "maxProperties",
}  # fmt: skip
"""Keywords that hold no schema and can be broken."""

ANNOTATIONS = frozenset({
    "$comment", "title", "description", "default", "examples", "deprecated", "readOnly", "writeOnly", "contentEncoding",
    "contentMediaType", "contentSchema",
})  # fmt: skip
"""Keywords that say something and ask for nothing."""

LABELS = ("x-name", "x-severity", "x-message")
"""Keywords of ours: what a finding is called, how much it weighs, and what it says."""

NOT_TAKEN = {
    "$id": "Refer to a schema of this file by its place, such as #/$defs/money.",
    "$anchor": "Refer to a schema by its place, such as #/$defs/money.",
    "$dynamicRef": "Use $ref with a place, such as #/$defs/money.",
    "$dynamicAnchor": "Refer to a schema by its place, such as #/$defs/money.",
    "$recursiveRef": "Use $ref with a place, such as #/$defs/money.",
    "$vocabulary": "Leave it out: it is for metaschemas.",
    "$schema": "It belongs at the top of the file.",
}
"""Keywords that are not taken, each with what to do instead."""

FORMER = {
    "definitions": "$defs",
    "dependencies": "dependentRequired or dependentSchemas",
    "additionalItems": "items beside prefixItems",
    "divisibleBy": "multipleOf",
    "extends": "allOf",
}
"""Keywords of earlier drafts, each with what 2020-12 has in its place."""

KNOWN = frozenset().union(
    IN_PLACE_LISTS, IN_PLACE_SCHEMAS, IN_PLACE_MAPS, INNER_MAPS, INNER_LISTS, INNER_SCHEMAS, WHOLE_LISTS, WHOLE_SCHEMAS,
    SILENT_SCHEMAS, ASSERTIONS, ANNOTATIONS, LABELS, ("$ref", "$defs"),
)  # fmt: skip
"""Every keyword that is read."""
