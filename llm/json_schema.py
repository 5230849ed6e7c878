"""A pydantic model as the JSON schema that a service enforces while it writes.

Services take a subset of JSON Schema: every object closed, every property required. A constraint
outside the subset moves into the description, where a model may still heed it; the engine checks
the answer with pydantic anyway.
"""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

from pydantic import BaseModel


class _Dialect(NamedTuple):
    """What one API enforces beyond types, properties, items, unions and enumerations."""

    constraints: frozenset[str]
    string_formats: frozenset[str]
    max_min_items: int | None
    types_literals: bool


_STRING_FORMATS = frozenset("date-time time date duration email hostname ipv4 ipv6 uuid".split())
_OPENAI = _Dialect(
    constraints=frozenset(
        "pattern multipleOf minimum maximum exclusiveMinimum exclusiveMaximum"
        " minItems maxItems".split()
    ),
    string_formats=_STRING_FORMATS,
    max_min_items=None,
    types_literals=True,
)
_ANTHROPIC = _Dialect(
    constraints=frozenset({"minItems"}),
    string_formats=_STRING_FORMATS | {"uri"},
    max_min_items=1,
    types_literals=False,
)
_STRUCTURE = frozenset(
    "$defs $ref type enum const title description properties required additionalProperties items"
    " anyOf oneOf default discriminator".split()
)


@cache
def openai_schema(model: type[BaseModel]) -> dict[str, Any]:
    """The schema in the subset of OpenAI's strict mode, which vLLM takes as well.

    Unlike the SDK's, it holds no default and no length of a string: the service rejects both.

    Raises:
        TypeError: the model holds what strict schemas cannot express (a free dict, a tuple, Any).
    """
    return _strict_root(model, _OPENAI)


@cache
def anthropic_schema(model: type[BaseModel]) -> dict[str, Any]:
    """The schema in the subset of Anthropic's structured outputs.

    Unlike the SDK's `transform_schema`, it requires every property.

    Raises:
        TypeError: the model holds what strict schemas cannot express (a free dict, a tuple, Any).
    """
    return _strict_root(model, _ANTHROPIC)


def _strict_root(model: type[BaseModel], dialect: _Dialect) -> dict[str, Any]:
    schema = model.model_json_schema()
    definitions = schema.get("$defs", {})
    if "$ref" in schema:  # pydantic's form of a recursive model; services want an object on top
        schema = definitions[schema["$ref"].removeprefix("#/$defs/")]
    strict = _strict(schema, dialect)
    if definitions:
        strict["$defs"] = {name: _strict(node, dialect) for name, node in definitions.items()}
    return strict


def _strict(node: dict[str, Any], dialect: _Dialect) -> dict[str, Any]:
    if "$ref" in node:
        return {"$ref": node["$ref"]}
    _check_expressible(node)
    copied = ("type", "enum", "const", "title")
    strict: dict[str, Any] = {key: node[key] for key in copied if key in node}
    if not dialect.types_literals and ("enum" in node or "const" in node):
        strict.pop("type", None)
    if "anyOf" in node or "oneOf" in node:
        variants = node.get("anyOf") or node["oneOf"]
        strict["anyOf"] = [_strict(variant, dialect) for variant in variants]
    if "items" in node:
        strict["items"] = _strict(node["items"], dialect)
    if "properties" in node:
        properties = node["properties"]
        strict["properties"] = {name: _strict(of, dialect) for name, of in properties.items()}
        strict["required"] = list(properties)
        strict["additionalProperties"] = False
    constraints = {key: value for key, value in node.items() if key not in _STRUCTURE}
    enforced = {key: value for key, value in constraints.items() if _enforces(dialect, key, value)}
    hoped_for = [f"{key}: {value}" for key, value in constraints.items() if key not in enforced]
    notes = [node["description"]] if "description" in node else []
    notes += ["{" + ", ".join(hoped_for) + "}"] if hoped_for else []
    return strict | enforced | ({"description": "\n\n".join(notes)} if notes else {})


def _check_expressible(node: dict[str, Any]) -> None:
    is_free_dict = node.get("type") == "object" and "properties" not in node
    is_tuple = "prefixItems" in node
    is_any = not node.keys() & {"type", "enum", "const", "anyOf", "oneOf"}
    if is_free_dict or is_tuple or is_any:
        message = f"no strict schema can express {node}: use a model, a list or a union instead"
        raise TypeError(message)


def _enforces(dialect: _Dialect, key: str, value: object) -> bool:
    if key == "format":
        return value in dialect.string_formats
    if key == "minItems" and dialect.max_min_items is not None:
        return isinstance(value, int) and value <= dialect.max_min_items
    return key in dialect.constraints
