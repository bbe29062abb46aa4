"""Watches the emulator read a request, and writes down what it looks for and in which form."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Final

from dgspay.emulator.api.call import Call
from dgspay.emulator.api.fields import LONGEST_TEXT, Fields
from dgspay.models.scenario import (
    CARD_AUTHORIZATIONS,
    ISSUERS,
    MOBILE_MONEY_SCENARIOS,
    TRANSFER_SCENARIOS,
    Scenario,
    ScenarioKind,
)

JSONSchema = dict[str, Any]

MOMENT: Final = "^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}$"
EMAIL: Final = r"^[^@\s]+@[^@\s]+\.[^@\s]+$"
URL: Final = r"^[hH][tT][tT][pP][sS]?://\S+$"

_SCENARIOS: Final[Mapping[ScenarioKind, tuple[tuple[str, ...], tuple[str, ...]]]] = {
    "card": (CARD_AUTHORIZATIONS, ISSUERS),
    "mobile_money": (MOBILE_MONEY_SCENARIOS, ()),
    "transfer": (TRANSFER_SCENARIOS, ()),
}


class Notes:
    """What was looked for in one object."""

    def __init__(self) -> None:
        self._properties: dict[str, JSONSchema] = {}
        self._inner: dict[str, Notes] = {}
        self._required: list[str] = []

    def add(self, name: str, schema: JSONSchema, *, required: bool) -> None:
        """Note a field; what is learnt of it later narrows what was noted first."""
        if name in self._properties:
            self._properties[name] = {**schema, **self._properties[name]}
            return
        if required:
            self._required.append(name)
        else:
            # null counts as missing.
            schema = {**schema, "type": [schema["type"], "null"]}
        self._properties[name] = schema

    def narrow(self, name: str, word: str) -> None:
        """Note that the fields are these only where a choice is this word."""
        self._properties[name] = {**self._properties[name], "enum": [word]}

    def inside(self, name: str) -> Notes:
        """Return the notes about an inner object, which must be there."""
        if name not in self._inner:
            self._inner[name] = Notes()
            self._required.append(name)
        return self._inner[name]

    def schema(self, *, partial: bool = False) -> JSONSchema:
        """Return them as a JSON Schema; other fields are ignored by the emulator.

        Args:
            partial: Whether no field has to be there.
        """
        inner = {name: notes.schema() for name, notes in self._inner.items()}
        found: JSONSchema = {"type": "object", "properties": {**self._properties, **inner}}
        return found if partial or not self._required else {**found, "required": self._required}


class WatchedFields(Fields):
    """Fields that note how they are read. Of the readers inside each other the outer counts."""

    def __init__(self, members: Mapping[str, Any], notes: Notes, prefix: str = "") -> None:
        super().__init__(members, prefix)
        self._notes = notes

    def _note(self, name: str, schema: JSONSchema, *, required: bool = False) -> None:
        self._notes.add(name, schema, required=required)

    def over(self, members: Mapping[str, Any]) -> Fields:
        """Lay these fields over others."""
        return WatchedFields({**members, **self._members}, self._notes, self._prefix)

    def inner(self, name: str) -> Fields:
        """Watch an inner object too."""
        members = self._members[name]
        return WatchedFields(members, self._notes.inside(name), f"{self.name(name)}.")

    def optional_text(self, name: str, *, longest: int = LONGEST_TEXT) -> str | None:
        """Note text."""
        self._note(name, {"type": "string", "maxLength": longest})
        return super().optional_text(name, longest=longest)

    def text(self, name: str, *, longest: int = LONGEST_TEXT) -> str:
        """Note text that is not blank."""
        schema = {"type": "string", "maxLength": longest, "pattern": r"\S"}
        self._note(name, schema, required=True)
        return super().text(name, longest=longest)

    def choice(self, name: str, allowed: Iterable[str]) -> str:
        """Note a choice of words."""
        words = list(allowed)
        self._note(name, {"type": "string", "enum": words}, required=True)
        return super().choice(name, words)

    def digits(self, name: str, pattern: str, example: str) -> str:
        """Note text of a form."""
        schema = {"type": "string", "pattern": f"^({pattern})$", "examples": [example]}
        self._note(name, schema, required=True)
        return super().digits(name, pattern, example)

    def email(self, name: str) -> str:
        """Note an e-mail address."""
        self._note(
            name, {"type": "string", "pattern": r"^[^@\s]+@[^@\s]+\.[^@\s]+$"}, required=True
        )
        return super().email(name)

    def optional_url(self, name: str) -> str | None:
        """Note a URL."""
        self._note(name, {"type": "string", "pattern": URL})
        return super().optional_url(name)

    def url(self, name: str) -> str:
        """Note a URL that must be there."""
        self._note(name, {"type": "string", "pattern": URL}, required=True)
        return super().url(name)

    def optional_amount(self, name: str) -> Decimal | None:
        """Note an amount."""
        self._note(name, {"type": "number", "exclusiveMinimum": 0})
        return super().optional_amount(name)

    def amount(self, name: str) -> Decimal:
        """Note an amount that must be there."""
        self._note(name, {"type": "number", "exclusiveMinimum": 0}, required=True)
        return super().amount(name)

    def currency(self, name: str) -> str:
        """Note a currency."""
        self._note(name, {"type": "string", "pattern": "^[A-Z]{3}$"}, required=True)
        return super().currency(name)

    def optional_count(self, name: str) -> int | None:
        """Note a number of times."""
        self._note(name, {"type": "integer", "minimum": 1})
        return super().optional_count(name)

    def optional_flag(self, name: str) -> bool | None:
        """Note true or false."""
        self._note(name, {"type": "boolean"})
        return super().optional_flag(name)

    def optional_object(self, name: str) -> Mapping[str, Any] | None:
        """Note an object of any form."""
        self._note(name, {"type": "object"})
        return super().optional_object(name)

    def optional_words(self, name: str, allowed: Iterable[str]) -> tuple[str, ...] | None:
        """Note a list of words."""
        words = list(allowed)
        items = {"type": "string", "enum": words}
        self._note(name, {"type": "array", "items": items, "minItems": 1, "uniqueItems": True})
        return super().optional_words(name, words)

    def optional_moment(self, name: str) -> float | None:
        """Note a moment."""
        self._note(name, {"type": "string", "pattern": MOMENT})
        return super().optional_moment(name)

    def scenario(self, kind: ScenarioKind) -> Scenario | None:
        """Note a scenario."""
        self._note("scenario_key", {"type": "string", "pattern": _scenario_pattern(kind)})
        return super().scenario(kind)


class WatchedCall(Call):
    """A call whose body is watched while it is read."""

    def watch(self, notes: Notes) -> None:
        """Have the fields of the body noted."""
        # In place of the cached property, which would make fields that note nothing.
        self.__dict__["fields"] = WatchedFields(self.body, notes)


def _scenario_pattern(kind: ScenarioKind) -> str:
    scenarios, issuers = _SCENARIOS[kind]
    scenario = f"scenario:({'|'.join(scenarios)})"
    if not issuers:
        return f"^{scenario}$"
    issuer = f"issuer:({'|'.join(issuers)})"
    return f"^({scenario}(&{issuer})?|{issuer}(&{scenario})?)$"
