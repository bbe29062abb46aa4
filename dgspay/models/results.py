"""Base of every result and event: conversion to plain values and JSON, for a queue or a column."""

from __future__ import annotations

import enum
import json
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal, Self

import attrs

from dgspay.models.json_codec import dump_json, parse_json
from dgspay.models.structuring import structure_plain
from dgspay.secret import masked_data

Amounts = Literal["text", "number"]
"""Forms of a written amount: text (`"94.50"`), or a number of the same digits."""


class Result:
    """A model that becomes plain values by `to_dict`, and JSON by `to_json`, and comes back.

    It may be the response of a FastAPI endpoint and a field of a pydantic model, and msgspec
    encodes and decodes it. A converter of cattrs learns it by two hooks::

        converter.register_unstructure_hook(Result, lambda result: result.to_dict())
        converter.register_structure_hook(Result, lambda plain, kind: kind.from_dict(plain))

    It can be copied, pickled and hashed; `extra` and `metadata` count for equality, not for the
    hash.
    """

    __slots__ = ()

    def to_dict(self, *, amounts: Amounts = "text") -> dict[str, Any]:
        """Return the fields as plain values: what `json.dumps` takes, if amounts are text.

        Times are ISO 8601, statuses the guide's words. In `extra` and `metadata`, whatever looks
        like a secret or a card number is masked; the attributes themselves hold what came.

        Args:
            amounts: `text` (`"94.50"`), or `number` for a `Decimal`. A float is never made of one.
        """
        kind: Any = type(self)
        return {
            field.name: _plain(getattr(self, field.name), amounts) for field in attrs.fields(kind)
        }

    def to_json(self, *, amounts: Amounts = "text") -> str:
        """Return `to_dict()` as JSON text.

        Args:
            amounts: `text` (`"94.50"`), or `number` (`94.50`), digit for digit. Many JSON parsers
                make floats of numbers; `from_json` does not.
        """
        if amounts == "number":
            return dump_json(self.to_dict(amounts=amounts)).decode()
        return json.dumps(self.to_dict(), ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Self:
        """Build it again from what `to_dict` returned, amounts as text, int or `Decimal`.

        A field this version does not know goes to `extra`. That something was paid is no truer
        for standing in such a mapping: it is as good as the place it was kept in.

        Raises:
            TypeError: when it is no mapping.
            ValueError: naming the first field that is not what it should be.
        """
        if not isinstance(plain, Mapping):
            raise TypeError(f"{cls.__name__}.from_dict takes a mapping, not {type(plain).__name__}")
        return structure_plain(plain, cls)

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """Build it again from what `to_json` returned, exact in either form of amounts.

        Raises:
            TypeError: when it is not a JSON object.
            ValueError: naming the first field that is not what it should be.
            DecodeError: when it is not JSON.
        """
        return cls.from_dict(parse_json(text.encode() if isinstance(text, str) else text))

    @classmethod
    def __get_pydantic_core_schema__(
        cls, _source: Any, handler: Callable[[Any], Any]
    ) -> Mapping[str, Any]:
        """Return for pydantic how to check, write and document this model."""
        from dgspay.models.pydantic_schema import core_schema_of  # noqa: PLC0415 - loads pydantic

        return core_schema_of(cls, handler)


def _plain(value: Any, amounts: Amounts) -> Any:
    match value:
        case Result():
            return value.to_dict(amounts=amounts)
        case Decimal():
            return format(value, "f") if amounts == "text" else value
        case enum.Enum():
            return value.value
        case datetime():
            return value.isoformat()
        case tuple():
            return [_plain(item, amounts) for item in value]
        case Mapping():
            return _plain_extra(masked_data(value), amounts)
        case _:
            return value


def _plain_extra(value: Any, amounts: Amounts) -> Any:
    """Return parsed JSON with its exact numbers in the form that is wanted."""
    if isinstance(value, dict):
        return {str(key): _plain_extra(item, amounts) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain_extra(item, amounts) for item in value]
    return _plain(value, amounts)
