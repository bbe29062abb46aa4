"""Output to the terminal: consoles, text made harmless, and amounts made readable.

Consoles here never read markup, emoji codes or highlights into text, so what a server sends
is shown as it is. Control characters are made visible before, by `visible`.
"""

from __future__ import annotations

import os
import sys
from datetime import datetime
from decimal import Decimal

from rich.console import Console

from dgspay.money import minor_unit_digits

_WIDTH_OF_A_PIPE = 120
_SPACES = "\u00a0\u202f\u2007"


def console(*, stderr: bool = False, width: int | None = None) -> Console:
    """Return a console for the stdout or stderr of this moment.

    With NO_COLOR, and where the output is no terminal, it writes plain text.
    """
    stream = sys.stderr if stderr else sys.stdout
    plain = bool(os.environ.get("NO_COLOR"))
    if width is None and not stream.isatty() and "COLUMNS" not in os.environ:
        width = _WIDTH_OF_A_PIPE
    return Console(
        stderr=stderr,
        width=width,
        color_system=None if plain else "auto",
        markup=False,
        emoji=False,
        highlight=False,
        soft_wrap=False,
    )


def visible(text: str) -> str:
    r"""Return text without a character that could steer a terminal: ESC becomes `\x1b`."""
    if text.isprintable():
        return text
    return "".join(_visible(char) for char in text)


def _visible(char: str) -> str:
    if char.isprintable():
        return char
    return " " if char in _SPACES else char.encode("unicode_escape").decode()


def shown(value: object) -> str:
    """Return any value of a model as text for one cell; None is a dash."""
    match value:
        case None:
            return "-"
        case bool():
            return "yes" if value else "no"
        case datetime():
            return value.isoformat(sep=" ")
        case Decimal():
            return figure(value)
        case _:
            return visible(str(value))


def figure(amount: Decimal, currency: str | None = "RWF") -> str:
    """Return an amount with thousands set off: `1,000,000` RWF, `94.50` EUR.

    No digit is ever rounded away.
    """
    digits = minor_unit_digits(currency or "RWF")
    if digits == 0 and amount == amount.to_integral_value():
        return f"{amount.to_integral_value():,f}"
    exponent = amount.as_tuple().exponent
    if isinstance(exponent, int) and exponent > -(digits or 2):
        amount = amount.quantize(Decimal(1).scaleb(-(digits or 2)))
    return f"{amount:,f}"


def money(amount: Decimal | None, currency: str | None) -> str:
    """Return an amount with its currency, `5,000 RWF`; a dash where there is none."""
    if amount is None:
        return "-"
    return f"{figure(amount, currency)} {visible(currency or '')}".rstrip()


def speaks_unicode() -> bool:
    """Return whether stdout can show more than ASCII."""
    return (sys.stdout.encoding or "").lower().replace("-", "") in ("utf8", "utf16", "utf32")
