"""Base of every result and event: conversion to plain values and JSON, for a queue or a column."""

from __future__ import annotations

import enum
import json
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

import attrs

from dgspay.secret import masked_data


class Result:
    """A model that becomes plain values by `to_dict`, and JSON by `to_json`.

    It may be the response of a FastAPI endpoint and a field of a pydantic model, too.
    """

    __slots__ = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as values that `json.dumps` takes.

        Amounts are text, digit for digit (`"94.50"`), times ISO 8601, statuses the guide's words.
        In `extra` and `metadata`, whatever looks like a secret or a card number is masked; the
        attributes themselves hold what came.
        """
        kind: Any = type(self)
        return {field.name: _plain(getattr(self, field.name)) for field in attrs.fields(kind)}

    def to_json(self) -> str:
        """Return `to_dict()` as JSON text."""
        return json.dumps(self.to_dict(), ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def __get_pydantic_core_schema__(
        cls, _source: Any, _handler: Callable[[Any], Any]
    ) -> Mapping[str, Any]:
        """Tell pydantic, where the program has it: an instance is valid, and is written as JSON."""
        from pydantic_core import core_schema  # noqa: PLC0415 - it is pydantic that calls this

        return core_schema.json_or_python_schema(
            json_schema=core_schema.dict_schema(),
            python_schema=core_schema.is_instance_schema(cls),
            serialization=core_schema.plain_serializer_function_ser_schema(
                cls.to_dict, return_schema=core_schema.dict_schema()
            ),
        )


def _plain(value: Any) -> Any:
    match value:
        case Result():
            return value.to_dict()
        case Decimal():
            return format(value, "f")
        case enum.Enum():
            return value.value
        case datetime():
            return value.isoformat()
        case tuple():
            return [_plain(item) for item in value]
        case Mapping():
            return _plain_extra(masked_data(value))
        case _:
            return value


def _plain_extra(value: Any) -> Any:
    """Return parsed JSON with its exact numbers as text."""
    if isinstance(value, dict):
        return {str(key): _plain_extra(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain_extra(item) for item in value]
    return _plain(value)
