"""Number formats of spreadsheets that show another number than the cell holds."""

from __future__ import annotations

import re

PERCENT_FORMATS = frozenset({9, 10})
"""The formats that every workbook has under these numbers: 0% and 0.00%."""

_QUOTED = re.compile(r'"([^"]*)"|\\(.)|[_*].')
_BRACKETED = re.compile(r"\[\$([^\]-]*)[^\]]*\]|\[[^\]]*\]")
_SCALED = re.compile(r"[0#?],+(?![0#?,])")
_FOREIGN = re.compile(
    r"[$\u20ac\u00a3\u00a5]|\b(?:USD|EUR|GBP|KES|UGX|TZS|BIF|CDF)\b", re.IGNORECASE
)


def why_misleading(code: str) -> str | None:
    """Say how a format misleads about the number below it; None where it does not."""
    first = code.partition(";")[0]
    symbols: list[str] = []

    def drop(match: re.Match[str]) -> str:
        symbols.extend(filter(None, match.groups()))
        return ""

    plain = _BRACKETED.sub(drop, _QUOTED.sub(drop, first))
    if "%" in plain:
        return PERCENTAGE
    if _SCALED.search(plain):
        return "is shown in thousands, and holds another number; write it in full"
    if _FOREIGN.search(f"{plain} {' '.join(symbols)}"):
        return "is shown in another currency; payouts are in RWF"
    return None


PERCENTAGE = "is a percentage, and no amount"
