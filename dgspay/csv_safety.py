"""Guard for text in CSV files: no cell acts as a formula when a spreadsheet opens the file."""

from __future__ import annotations

import re

# A spreadsheet runs a cell that begins with one of these, white space before it or not; the
# wide forms are what an Asian keyboard writes.
_FORMULA_STARTS = ("=", "+", "-", "@", "|", "%", "\uff1d", "\uff0b", "\uff0d", "\uff20")
# A phone or an account, sign included: digits alone are no formula, and an apostrophe in front
# would make another number of them for every program that reads the file.
_NUMBER = re.compile(r"[+-]?[0-9]+", re.ASCII)


def safe_cell(text: str) -> str:
    """Return text as a cell that no spreadsheet runs: a formula gets an apostrophe in front.

    What is nothing but digits, with a sign or not, is returned as it is.
    """
    is_formula = text.lstrip().startswith(_FORMULA_STARTS) and not _NUMBER.fullmatch(text)
    return f"'{text}" if is_formula else text
