"""Excerpts of a response: its beginning, its message, and as much of its body as a person reads.

What is quoted is masked, and masking a text takes a hundred times as long as reading it. So it is
cut before that, in such a way that no half of a secret is left at the end.
"""

from __future__ import annotations

import string
from collections.abc import Sequence
from typing import Any

from dgspay.models.json_codec import JSONObject
from dgspay.secret import Secret, masked, masked_text

EXCERPT_CHARACTERS = 200
_WINDOW = 4 * EXCERPT_CHARACTERS

# What of a body an error keeps. The bodies of refusals have a few hundred characters.
_MOST_VALUES = 2_000
_MOST_CHARACTERS = 50_000
_LONGEST_TEXT = 10_000
_LEFT_OUT = "..."

# What may stand between the groups of a card number, and in them.
_OF_A_NUMBER = string.digits + string.whitespace + "-"


def excerpt_of(body: bytes, secrets: Sequence[Secret]) -> str | None:
    """Quote the beginning of an answer that is not JSON, in one line."""
    beginning = body[:_WINDOW].decode("utf-8", "replace")
    return one_line(beginning, secrets, is_cut=len(body) > _WINDOW) or None


def one_line(text: str, secrets: Sequence[Secret], *, is_cut: bool = False) -> str:
    """Return the beginning of a text in one line, masked.

    Args:
        text: The server's own words.
        secrets: What must not be quoted.
        is_cut: Whether it went on.
    """
    if len(text) > _WINDOW:
        text, is_cut = text[:_WINDOW], True
    line = masked_text(" ".join(text.split()), secrets)
    if len(line) > EXCERPT_CHARACTERS:
        # Cut after masking, or the cut could hide that a run of digits is a card number.
        return line[:EXCERPT_CHARACTERS] + "..."
    if is_cut:
        # So much was white space that the end shows, where half a secret may stand unmasked.
        line = masked_text(" ".join(_whole_words(text).split()), secrets)
    return line


def kept_of(body: JSONObject | None, secrets: Sequence[Secret]) -> JSONObject | None:
    """Return a body as an error keeps it: masked, and without what is too much of it."""
    if body is None:
        return None
    kept: JSONObject = masked(_Room().kept(body), secrets)
    return kept


class _Room:
    """The remaining allowance of what an error keeps."""

    def __init__(self) -> None:
        self._values = _MOST_VALUES
        self._characters = _MOST_CHARACTERS

    def kept(self, value: Any) -> Any:
        self._values -= 1
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, dict):
            members: JSONObject = {}
            for position, (name, item) in enumerate(value.items()):
                if self._is_full:
                    members[_LEFT_OUT] = f"{len(value) - position} more"
                    break
                kept_name = self._text(name)
                members[kept_name] = self.kept(item)
            return members
        if isinstance(value, list):
            items: list[Any] = []
            for position, item in enumerate(value):
                if self._is_full:
                    items.append(f"{_LEFT_OUT} {len(value) - position} more")
                    break
                items.append(self.kept(item))
            return items
        return value

    @property
    def _is_full(self) -> bool:
        return self._values <= 0 or self._characters <= 0

    def _text(self, text: str) -> str:
        most = max(min(self._characters, _LONGEST_TEXT), 0)
        self._characters -= min(len(text), most)
        if len(text) <= most:
            return text
        return f"{_whole_words(text[:most])}{_LEFT_OUT} ({len(text)} characters)"


def _whole_words(text: str) -> str:
    """Leave off the end of what was cut: the rest of a word, or of a number in groups."""
    if not text[-1:].isspace():
        words = text.rsplit(maxsplit=1)
        text = words[0] if len(words) > 1 else ""
    return text.rstrip(_OF_A_NUMBER)
