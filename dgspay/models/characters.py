"""Characters that no reader sees, which copying leaves in numbers and names of things.

A chat wraps a phone number in direction marks, a web page puts zero-width spaces into an account,
a spreadsheet begins with a byte order mark. Two texts that look alike must be alike.
"""

from __future__ import annotations

import re
import unicodedata

# Compiled by `re` when first used: most texts are ASCII, and these are large.
# Unicode's default ignorable characters, and the blank of Braille: none of them has a shape.
_INVISIBLE = (
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202d"
    "\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U000e0000-\U000e0fff]"
)
_REVERSES = "\u202e"
_SPACES = "[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]"


def without_invisible(text: str, *, field: str) -> str:
    """Return text as a reader sees it: no invisible character, plain spaces, none around it.

    Raises:
        ValueError: when it has the mark that shows what follows backwards: what a reader sees is
            not what would be used.
    """
    if text.isascii():
        return text.strip()
    if _REVERSES in text:
        raise ValueError(
            f"{field} has an invisible character that shows it backwards (U+202E); enter it again"
        )
    return visible_part(text)


def visible_part(text: str) -> str:
    """Return what a reader sees of a text, to compare it with another: marks of direction gone."""
    seen = re.sub(_INVISIBLE, "", text).replace(_REVERSES, "")
    return re.sub(_SPACES, " ", seen).strip()


def named(character: str) -> str:
    """Return what a person calls a character: its code point, and its name where it has one."""
    name = unicodedata.name(character, "")
    return f"U+{ord(character):04X}{f', {name}' if name else ''}"


def printable(text: str) -> str:
    """Return a text of DGS-Pay's so that every database can hold it and every reader see it."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)
