"""Kinds of fields, to declare one with: `AMOUNT = schema.amount("amount")`."""

from __future__ import annotations

import re
import sys
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final, TypeVar

import attrs

from dgspay.emulator.api.fields import Field, Fields, JSONSchema, example_of, object_schema
from dgspay.emulator.http import invalid
from dgspay.models.scenario import (
    CARD_AUTHORIZATIONS,
    ISSUERS,
    MOBILE_MONEY_SCENARIOS,
    TRANSFER_SCENARIOS,
    Scenario,
    ScenarioKind,
)
from dgspay.models.validators import is_web_url
from dgspay.money import parse_amount, parse_currency

LONGEST_TEXT: Final = 2000
MOMENT: Final = "^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}$"

_EMAIL: Final = r"[^@\s]+@[^@\s]+\.[^@\s]+"
_URL: Final = r"^[hH][tT][tT][pP][sS]?://\S+$"
_SCENARIOS: Final[Mapping[ScenarioKind, tuple[Collection[str], Collection[str]]]] = {
    "card": (CARD_AUTHORIZATIONS, ISSUERS),
    "mobile_money": (MOBILE_MONEY_SCENARIOS, ()),
    "transfer": (TRANSFER_SCENARIOS, ()),
}

T = TypeVar("T")


def optional(field: Field[T]) -> Field[T | None]:
    """Return a field that may be missing, which reads as None."""

    def check(value: Any, name: str) -> T | None:
        return None if value is None else field.check(value, name)

    return Field(field.name, check, field.schema, field.example, required=False)


def absent(name: str, why: str) -> Field[None]:
    """Declare a member that a form must not have, and the message for a body that has it."""

    def check(value: Any, _: str) -> None:
        if value is not None:
            raise invalid(why)

    return Field(name, check, {"type": "null"}, required=False)


def only(field: Field[str], word: str) -> Field[str]:
    """Return a choice as a form shows it that belongs to one of its words."""
    return attrs.evolve(field, schema={**field.schema, "enum": [word]}, example=word)


def text(name: str, *, longest: int = LONGEST_TEXT, example: str | None = None) -> Field[str]:
    """Declare text, which must not be blank where it is required."""

    def check(value: Any, shown: str) -> str:
        return _text(value, shown, longest)

    return Field(name, check, {"type": "string", "maxLength": longest}, example)


def choice(name: str, allowed: Collection[str], example: str | None = None) -> Field[str]:
    """Declare one of some words, spelled exactly so."""

    def check(value: Any, shown: str) -> str:
        if _text(value, shown) not in allowed:
            raise invalid(f"{shown} must be one of: {', '.join(allowed)}")
        # The same words come with every request: kept once, they cost next to nothing.
        return sys.intern(value)

    return Field(name, check, _string(enum=list(allowed)), example)


def matching(
    name: str, pattern: str, example: str, looks: str = "", *, longest: int = LONGEST_TEXT
) -> Field[str]:
    """Declare text that matches a pattern; what does not must look like `looks`, or the example."""

    def check(value: Any, shown: str) -> str:
        if not re.fullmatch(pattern, _text(value, shown, longest), re.ASCII):
            raise invalid(f"{shown} must look like {looks or example}")
        # Numbers come again and again, as the words of a choice do.
        return sys.intern(value)

    return Field(name, check, _string(maxLength=longest, pattern=f"^({pattern})$"), example)


def email(name: str, example: str) -> Field[str]:
    """Declare text with the form of an e-mail address."""

    def check(value: Any, shown: str) -> str:
        if not re.fullmatch(_EMAIL, _text(value, shown)):
            raise invalid(f"{shown} must be an email address")
        return str(value)

    return Field(name, check, _string(pattern=f"^{_EMAIL}$"), example)


def url(name: str, example: str | None = None) -> Field[str]:
    """Declare an absolute http(s) URL. `javascript:` and the like are rejected."""

    def check(value: Any, shown: str) -> str:
        if not is_web_url(_text(value, shown)):
            raise invalid(f"{shown} must be an absolute http or https URL")
        return sys.intern(value)

    return Field(name, check, _string(pattern=_URL), example)


def amount(name: str, example: int | None = None) -> Field[Decimal]:
    """Declare a positive amount. It must be a JSON number, not text."""

    def check(value: Any, shown: str) -> Decimal:
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            raise invalid(f"{shown} must be a number")
        try:
            return parse_amount(value, field=shown)
        except ValueError as error:
            raise invalid(str(error)) from None

    return Field(name, check, {"type": "number", "exclusiveMinimum": 0}, example)


def currency(name: str) -> Field[str]:
    """Declare an ISO 4217 code, which must come in capitals."""

    def check(value: Any, shown: str) -> str:
        try:
            if parse_currency(_text(value, shown), field=shown) == value:
                return sys.intern(value)
        except ValueError as error:
            raise invalid(str(error)) from None
        raise invalid(f"{shown} must be in capitals, such as RWF")

    return Field(name, check, _string(pattern="^[A-Z]{3}$"), "RWF")


def count(name: str) -> Field[int]:
    """Declare a whole number of at least 1."""

    def check(value: Any, shown: str) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise invalid(f"{shown} must be a whole number of at least 1")
        return value

    return Field(name, check, {"type": "integer", "minimum": 1}, 1)


def flag(name: str) -> Field[bool]:
    """Declare true or false."""

    def check(value: Any, shown: str) -> bool:
        if not isinstance(value, bool):
            raise invalid(f"{shown} must be true or false")
        return value

    return Field(name, check, {"type": "boolean"})


def any_object(name: str) -> Field[Mapping[str, Any]]:
    """Declare a JSON object of any form."""
    return Field(name, _object, {"type": "object"})


def inner(name: str, *fields: Field[Any]) -> Field[Fields]:
    """Declare a JSON object with fields of its own."""

    def check(value: Any, shown: str) -> Fields:
        return Fields(_object(value, shown), f"{shown}.")

    return Field(name, check, object_schema(fields), example_of(fields))


def words(name: str, allowed: Collection[str], example: list[str]) -> Field[tuple[str, ...]]:
    """Declare a list of different allowed words that is not empty."""

    def check(value: Any, shown: str) -> tuple[str, ...]:
        if (
            not isinstance(value, list)
            or not value
            or any(not isinstance(word, str) or word not in allowed for word in value)
            or len(set(value)) != len(value)
        ):
            raise invalid(f"{shown} must be a list of: {', '.join(allowed)}")
        return tuple(value)

    items = {"type": "string", "enum": list(allowed)}
    schema = {"type": "array", "items": items, "minItems": 1, "uniqueItems": True}
    return Field(name, check, schema, example)


def moment(name: str) -> Field[float]:
    """Declare `YYYY-MM-DD HH:MM:SS`, taken as UTC; it is read as seconds since 1970."""
    example = "2026-12-31 23:59:59"

    def check(value: Any, shown: str) -> float:
        written = _text(value, shown)
        try:
            return datetime.strptime(written, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC).timestamp()
        except ValueError:
            raise invalid(f"{shown} must look like {example}") from None

    return Field(name, check, _string(pattern=MOMENT), example)


def scenario(kind: ScenarioKind) -> Field[Scenario | None]:
    """Declare the forced outcome (guide, "Simulating Scenarios with scenario_key"), optional."""

    def check(value: Any, shown: str) -> Scenario:
        try:
            return Scenario.parse(value, kind)
        except (TypeError, ValueError) as error:
            raise invalid(f"{shown} is not valid: {error}") from None

    schema = {"type": "string", "pattern": _scenario_pattern(kind)}
    return optional(Field("scenario_key", check, schema))


def _text(value: Any, shown: str, longest: int = LONGEST_TEXT) -> str:
    if not isinstance(value, str):
        raise invalid(f"{shown} must be a string")
    if len(value) > longest:
        raise invalid(f"{shown} must not be longer than {longest} characters")
    return value


def _object(value: Any, shown: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise invalid(f"{shown} must be an object")
    return value


def _string(**more: object) -> JSONSchema:
    return {"type": "string", "maxLength": LONGEST_TEXT, **more}


def _scenario_pattern(kind: ScenarioKind) -> str:
    scenarios, issuers = _SCENARIOS[kind]
    scenario_word = f"scenario:({'|'.join(scenarios)})"
    if not issuers:
        return f"^{scenario_word}$"
    issuer = f"issuer:({'|'.join(issuers)})"
    return f"^({scenario_word}(&{issuer})?|{issuer}(&{scenario_word})?)$"
