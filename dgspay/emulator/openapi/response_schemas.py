"""JSON Schemas of answers, from dgspay's own models: what the SDK reads is what is described."""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Union, get_args, get_origin

import attrs

from dgspay.emulator.api.fields import JSONSchema
from dgspay.emulator.api.schema import MOMENT
from dgspay.models.enums import OpenEnum
from dgspay.models.payment_links import RecentCharge

_PLAIN: dict[object, JSONSchema] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    # `branch_required` is 0 or 1 (guide, "List Banks & Providers").
    bool: {"enum": [True, False, 0, 1]},
    Decimal: {"type": "number"},
    datetime: {"type": "string", "pattern": MOMENT},
}


def schemas_of(*models: type[Any]) -> dict[str, JSONSchema]:
    """Return the schemas of models and of what they are made of, by name."""
    found: dict[str, JSONSchema] = {}
    waiting = list(models)
    while waiting:
        model = waiting.pop()
        if model.__name__ not in found:
            attrs.resolve_types(model)
            found[model.__name__] = _schema(model)
            waiting += [inner for field in attrs.fields(model) for inner in _models_in(field.type)]
    return found


def reference(model: type[Any]) -> JSONSchema:
    """Return a reference to the schema of a model."""
    return {"$ref": f"#/components/schemas/{model.__name__}"}


def _schema(model: type[Any]) -> JSONSchema:
    fields = [field for field in attrs.fields(model) if field.name != "extra"]
    properties = {field.name: _kind(field.type) for field in fields}
    if model is RecentCharge:
        # Text with two places, here and nowhere else (guide, "Get Link Details & Stats").
        properties["amount"] = {"type": "string", "pattern": r"^[0-9]+\.[0-9]{2}$"}
    required = [field.name for field in fields if field.default is attrs.NOTHING]
    described = {
        "type": "object",
        "description": (model.__doc__ or "").partition("\n")[0],
        "properties": properties,
    }
    return {**described, "required": required} if required else described


def _kind(kind: Any) -> JSONSchema:
    """Return the schema of a field's type."""
    if kind in _PLAIN:
        return _PLAIN[kind]
    if get_origin(kind) in (Union, types.UnionType):
        (inner,) = (part for part in get_args(kind) if part is not type(None))
        return {"anyOf": [_kind(inner), {"type": "null"}]}
    if get_origin(kind) is tuple:
        return {"type": "array", "items": _kind(get_args(kind)[0])}
    if attrs.has(kind):
        return reference(kind)
    if isinstance(kind, type) and issubclass(kind, OpenEnum):
        synonyms = kind._synonyms()  # noqa: SLF001 - the wire's other words for the same things
        return {"type": "string", "enum": [*kind, *synonyms]}
    return {"type": "object"}


def _models_in(kind: Any) -> Iterator[type[Any]]:
    if attrs.has(kind):
        yield kind
    for part in get_args(kind):
        yield from _models_in(part)


def envelope(**properties: JSONSchema) -> JSONSchema:
    """Return the schema of an object with `status: success` and these, all of them there."""
    described: Mapping[str, JSONSchema] = {"status": {"const": "success"}, **properties}
    return {"type": "object", "properties": dict(described), "required": list(described)}
