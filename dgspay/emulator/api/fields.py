"""Reads the fields of a request strictly; what is wrong is refused with 90 and its name."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from dgspay.emulator.http import invalid
from dgspay.models.scenario import Scenario, ScenarioKind
from dgspay.money import parse_amount, parse_currency

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
LONGEST_TEXT = 2000


class Fields:
    """The members of a JSON object, each read by the kind it must be. null counts as missing."""

    def __init__(self, members: Mapping[str, Any], prefix: str = "") -> None:
        self._members = members
        self._prefix = prefix

    def __contains__(self, name: str) -> bool:
        return name in self._members

    def over(self, members: Mapping[str, Any]) -> Fields:
        """Return these fields laid over others: what is not here is taken from there."""
        return Fields({**members, **self._members}, self._prefix)

    def name(self, name: str) -> str:
        """Return the name as messages show it, such as `recipient.bank_key`."""
        return f"{self._prefix}{name}"

    def optional_text(self, name: str, *, longest: int = LONGEST_TEXT) -> str | None:
        """Return text, or None."""
        value = self._members.get(name)
        if value is None:
            return None
        if not isinstance(value, str):
            raise invalid(f"{self.name(name)} must be a string")
        if len(value) > longest:
            raise invalid(f"{self.name(name)} must not be longer than {longest} characters")
        return value

    def text(self, name: str, *, longest: int = LONGEST_TEXT) -> str:
        """Return text that is not blank."""
        value = self.optional_text(name, longest=longest)
        if value is None or not value.strip():
            raise invalid(f"{self.name(name)} is required")
        return value

    def choice(self, name: str, allowed: Iterable[str]) -> str:
        """Return one of the allowed words, spelled exactly so."""
        value = self.text(name)
        if value not in allowed:
            raise invalid(f"{self.name(name)} must be one of: {', '.join(allowed)}")
        # The same words come with every request: kept once, they cost next to nothing.
        return sys.intern(value)

    def digits(self, name: str, pattern: str, example: str) -> str:
        """Return text that matches a pattern, else name an example."""
        value = self.text(name)
        if not re.fullmatch(pattern, value, re.ASCII):
            raise invalid(f"{self.name(name)} must look like {example}")
        return value

    def email(self, name: str) -> str:
        """Return text with the form of an e-mail address."""
        value = self.text(name)
        if not _EMAIL.fullmatch(value):
            raise invalid(f"{self.name(name)} must be an email address")
        return value

    def optional_url(self, name: str) -> str | None:
        """Return an absolute http(s) URL, or None. `javascript:` and the like are refused."""
        value = self.optional_text(name)
        if value is None:
            return None
        if not is_web_url(value):
            raise invalid(f"{self.name(name)} must be an absolute http or https URL")
        return sys.intern(value)

    def url(self, name: str) -> str:
        """Return an absolute http(s) URL."""
        self.text(name)
        return self.optional_url(name) or ""

    def optional_amount(self, name: str) -> Decimal | None:
        """Return a positive amount, or None. It must be a JSON number, not text."""
        value = self._members.get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            raise invalid(f"{self.name(name)} must be a number")
        try:
            return parse_amount(value, field=self.name(name))
        except ValueError as error:
            raise invalid(str(error)) from None

    def amount(self, name: str) -> Decimal:
        """Return a positive amount."""
        value = self.optional_amount(name)
        if value is None:
            raise invalid(f"{self.name(name)} is required")
        return value

    def currency(self, name: str) -> str:
        """Return an ISO 4217 code, which must come in capitals."""
        value = self.text(name)
        try:
            if parse_currency(value, field=self.name(name)) == value:
                return sys.intern(value)
        except ValueError as error:
            raise invalid(str(error)) from None
        raise invalid(f"{self.name(name)} must be in capitals, such as RWF")

    def optional_count(self, name: str) -> int | None:
        """Return a whole number of at least 1, or None."""
        value = self._members.get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise invalid(f"{self.name(name)} must be a whole number of at least 1")
        return value

    def optional_flag(self, name: str) -> bool | None:
        """Return true or false, or None."""
        value = self._members.get(name)
        if value is not None and not isinstance(value, bool):
            raise invalid(f"{self.name(name)} must be true or false")
        return value

    def optional_object(self, name: str) -> Mapping[str, Any] | None:
        """Return a JSON object, or None."""
        value = self._members.get(name)
        if value is not None and not isinstance(value, dict):
            raise invalid(f"{self.name(name)} must be an object")
        return value

    def inner(self, name: str) -> Fields:
        """Return the fields of a JSON object that must be there."""
        value = self.optional_object(name)
        if value is None:
            raise invalid(f"{self.name(name)} is required")
        return Fields(value, f"{self.name(name)}.")

    def optional_words(self, name: str, allowed: Iterable[str]) -> tuple[str, ...] | None:
        """Return a list of different allowed words that is not empty, or None."""
        value = self._members.get(name)
        if value is None:
            return None
        if (
            not isinstance(value, list)
            or not value
            or any(not isinstance(word, str) or word not in allowed for word in value)
            or len(set(value)) != len(value)
        ):
            raise invalid(f"{self.name(name)} must be a list of: {', '.join(allowed)}")
        return tuple(value)

    def optional_moment(self, name: str) -> float | None:
        """Return `YYYY-MM-DD HH:MM:SS`, taken as UTC, as seconds since 1970, or None."""
        value = self.optional_text(name)
        if value is None:
            return None
        try:
            moment = datetime.strptime(value, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
        except ValueError:
            raise invalid(f"{self.name(name)} must look like 2026-12-31 23:59:59") from None
        return moment.timestamp()

    def scenario(self, kind: ScenarioKind) -> Scenario | None:
        """Return the forced outcome (guide, "Simulating Scenarios with scenario_key"), or None."""
        value = self._members.get("scenario_key")
        if value is None:
            return None
        try:
            return Scenario.parse(value, kind)
        except (TypeError, ValueError) as error:
            raise invalid(f"scenario_key is not valid: {error}") from None


def is_web_url(text: str) -> bool:
    """Say whether text is an absolute http or https URL without spaces or controls."""
    if not text.isprintable() or any(char.isspace() for char in text):
        return False
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
