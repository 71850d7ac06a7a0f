"""Describe the type and range of a setting in words."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sensorium.config._types import Choice

BOUNDS = {"exclusiveMinimum": "> {}", "minimum": "≥ {}", "exclusiveMaximum": "< {}", "maximum": "≤ {}"}
CHOICE = "name, or mapping of name and options"
WORDS = {"integer": "integer", "number": "number", "string": "text", "boolean": "true or false", "null": "null"}


def type_in_words(schema: Mapping[str, Any], definitions: Mapping[str, Any] | None = None) -> str:
    """Describe a JSON Schema in words."""
    definitions = definitions or schema.get("$defs", {})
    if "$ref" in schema:
        return type_in_words(definitions[schema["$ref"].rpartition("/")[2]], definitions)
    if schema.get("title") == Choice.__name__:
        return CHOICE
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(type_in_words(part, definitions) for part in schema["anyOf"]))
    if "enum" in schema or "const" in schema:
        values = schema.get("enum", [schema.get("const")])
        return ", ".join(map(str if all(str(value).isidentifier() for value in values) else json.dumps, values))
    kind = schema.get("type")
    if "prefixItems" in schema:
        parts = list(dict.fromkeys(type_in_words(part, definitions) for part in schema["prefixItems"]))
        return f"list of {len(schema['prefixItems'])} {' and '.join(map(_plural, parts))}"
    if kind == "array":
        return f"list of {_plural(type_in_words(schema.get('items', {}), definitions))}"
    if kind == "object":
        inner = schema.get("additionalProperties")
        if not isinstance(inner, dict) or not inner:
            return "mapping"
        return f"mapping of names to {_plural(type_in_words(inner, definitions))}"
    bounds = [text.format(schema[key]) for key, text in BOUNDS.items() if key in schema]
    return " ".join([WORDS.get(str(kind), "any value"), *([", ".join(bounds)] if bounds else [])])


def _plural(words: str) -> str:
    if words.startswith("mapping"):
        return "mappings"
    plurals = {"list of": "lists of", "text": "texts", "number": "numbers", "integer": "integers"}
    plurals[CHOICE] = CHOICE.replace("name,", "names,").replace("mapping", "mappings")
    return next((words.replace(one, more, 1) for one, more in plurals.items() if words.startswith(one)), words)
