"""Words of sheets, compared however they are typed: accents, capitals and signs go."""

from __future__ import annotations

import re
import unicodedata

from dgspay.models.characters import visible_part

_ACCENTS = re.compile("[\u0300-\u036f]")
_SIGNS = re.compile(r"[\W_]+")


def folded(text: str) -> str:
    """Return the words of a text in small letters, without accents, with one space between."""
    plain = unicodedata.normalize("NFKD", visible_part(text)).casefold()
    return _SIGNS.sub(" ", _ACCENTS.sub("", plain)).strip()


def composed(text: str) -> str:
    """Return text with each accent and its letter as one character (NFC), as most programs do."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def line_words(lines: list[int]) -> str:
    """Name lines for a person: `line 3`, or `lines 3, 5-9`."""
    runs: list[tuple[int, int]] = []
    for line in sorted({*lines}):
        if runs and line == runs[-1][1] + 1:
            runs[-1] = (runs[-1][0], line)
        else:
            runs.append((line, line))
    words = ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in runs)
    return f"{'line' if words.isdigit() else 'lines'} {words}"
