"""Cells of a sheet: how a value is shown, and what is no value although something stands there."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import attrs

from dgspay.models.characters import visible_part

# What a spreadsheet shows for a formula that failed; LibreOffice numbers some of them.
_ERRORS = frozenset(
    {
        *("#ref!", "#n/a", "#value!", "#div/0!", "#name?", "#null!", "#num!", "#getting_data"),
        *(
            "#spill!",
            "#calc!",
            "#field!",
            "#blocked!",
            "#connect!",
            "#nom?",
            "#valeur!",
            "#nombre!",
        ),
        *("#" * length for length in range(2, 33)),
        *(f"err:{number}" for number in range(500, 541)),
    }
)
_PLACEHOLDERS = frozenset(
    {
        *("n/a", "n.a.", "n.a", "n\\a", "-", "--", "---", "?", "??", "???", ".", "..", "...", "/"),
        *("tbd", "tba", "tbc", "none", "null", "nil", "nan", "unknown", "\u2013", "\u2014"),
        *("n\u00e9ant", "neant", "xxx", "xxxx", "*", "_"),
    }
)
NO_VALUES = frozenset(
    spelled
    for text in _ERRORS | _PLACEHOLDERS
    for spelled in (text, text.upper(), text.capitalize(), text.title(), text.replace("nan", "NaN"))
)
"""Texts that stand where a value does, and are none; see `no_value`."""


@attrs.frozen
class BadCell:
    """A cell that holds something other than what a payee's cell may hold.

    Attributes:
        shown: What a person sees there.
        reason: What it is, and what to do about it.
    """

    shown: str
    reason: str


def shown(value: Any) -> str:
    """Return a cell as a person sees it."""
    match value:
        case None:
            return ""
        case BadCell():
            return value.shown
        case Decimal():
            return f"{value:f}"
        case _:
            return visible_part(str(value))


def no_value(value: str) -> str | None:
    """Say why a text is none although it is not empty; None where it may be one."""
    if value not in NO_VALUES:
        return None
    if value.lower() in _ERRORS:
        return "is the error of a formula; mend the formula, or enter the value"
    return "stands for no value; enter one, or leave the cell empty"


def has_digit(value: Any) -> bool:
    """Return whether a cell holds a digit, as each amount, phone and account does."""
    return any(map(str.isdigit, shown(value)))
