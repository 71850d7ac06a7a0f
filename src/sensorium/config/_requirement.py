"""Say in words what the value of a setting or an option must be."""

from __future__ import annotations

import json
import typing
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import pydantic
from pydantic.fields import FieldInfo

from sensorium.config._types import FINITE, Choice

Schema: TypeAlias = Mapping[str, Any]
SINGULAR = {"integer": "an integer", "number": "a number", "string": "text", "boolean": "true or false", "null": "null"}
PLURAL = {"integer": "integers", "number": "numbers", "string": "texts"}
OWN_REASON = "value_error"  # raised by a check of ours, whose message says what is right


def annotation_of(field: FieldInfo) -> Any:
    """Return the type of a field with its bounds."""
    return typing.Annotated[(field.annotation, *field.metadata)] if field.metadata else field.annotation


def json_schema(annotation: Any) -> dict[str, Any]:
    """Return the JSON Schema of a type."""
    try:
        return pydantic.TypeAdapter(annotation, config=FINITE).json_schema()
    except pydantic.errors.PydanticUserError:  # a model has a config of its own
        return pydantic.TypeAdapter(annotation).json_schema()


def requirement(annotation: Any, fault: Mapping[str, Any], path: Sequence[int | str] = ()) -> tuple[str, list[str]]:
    """Return what a value must be, such as "an integer, at least 1", and the keys of the mappings that lead to it.

    Args:
        annotation: the type of the setting.
        fault: pydantic's error.
        path: keys and indices within the setting that lead to the wrong part. A list is described as a whole.
    """
    whole = json_schema(annotation)
    schema, keys = _resolved(whole, whole), list[str]()
    for part in path:
        inner = _values(schema, whole)
        if inner is None:
            break
        schema, keys = inner, [*keys, str(part)]
    if fault["type"] == OWN_REASON:
        return str(fault["ctx"]["error"]), keys
    text = _words(schema, whole)
    return (text.replace("a number", "a finite number") if fault["type"] == "finite_number" else text), keys


def _resolved(schema: Schema, whole: Schema) -> Schema:
    return whole["$defs"][schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema


def _values(schema: Schema, whole: Schema) -> Schema | None:
    """Return the schema of the values of a mapping; None if it is no mapping of free keys."""
    for part in (_resolved(one, whole) for one in schema.get("anyOf", [schema])):
        inner = part.get("additionalProperties")
        if part.get("title") != Choice.__name__ and isinstance(inner, Mapping) and inner:
            return _resolved(inner, whole)
    return None


def _words(schema: Schema, whole: Schema) -> str:
    schema = _resolved(schema, whole)
    kind = str(schema.get("type"))
    if schema.get("title") == Choice.__name__:
        return "a name, or a mapping of a name and options"
    if "anyOf" in schema:
        parts = list(dict.fromkeys(_words(part, whole) for part in schema["anyOf"]))
        return (", or " if any("," in part for part in parts) else " or ").join(parts)
    if "const" in schema:
        return _spelt(schema["const"])
    if "enum" in schema:
        return f"one of {', '.join(map(_spelt, schema['enum']))}"
    if kind == "array":
        return _list(schema, whole)
    if kind == "object":
        inner = _values(schema, whole)
        least = "with at least one entry" if schema.get("minProperties", schema.get("minLength")) else ""
        return " ".join(filter(None, ["a mapping", f"of names to {_each(inner, whole)}" if inner else "", least]))
    return ", ".join([SINGULAR.get(kind, "any value"), *_bounds(schema)])


def _list(schema: Schema, whole: Schema) -> str:
    if "prefixItems" in schema:
        return f"a list of {len(schema['prefixItems'])} {_each(schema['prefixItems'][0], whole)}"
    least = schema.get("minItems", 0)
    number = f"at least {least} " if least > 1 else "one or more " if least else ""
    return f"a list of {number}{_each(schema.get('items', {}), whole)}"


def _each(schema: Schema, whole: Schema) -> str:
    """Describe the items of a list, or the values of a mapping."""
    schema = _resolved(schema, whole)
    plural, bounds = PLURAL.get(str(schema.get("type"))), _bounds(schema)
    if plural is None or "enum" in schema:
        return "lists" if schema.get("type") == "array" else "values"
    return f"{plural}, each {', '.join(bounds)}" if bounds else plural


def _bounds(schema: Schema) -> list[str]:
    whole = schema.get("type") == "integer"
    found = []
    if "exclusiveMinimum" in schema:
        low = schema["exclusiveMinimum"]
        found.append(f"at least {low + 1}" if whole else f"greater than {low:g}")
    if "minimum" in schema:
        found.append(f"at least {schema['minimum']:g}")
    if "exclusiveMaximum" in schema:
        high = schema["exclusiveMaximum"]
        found.append(f"at most {high - 1}" if whole else f"below {high:g}")
    if "maximum" in schema:
        found.append(f"at most {schema['maximum']}")
    return found


def _spelt(value: Any) -> str:
    return str(value) if str(value).isidentifier() else json.dumps(value, ensure_ascii=False)
