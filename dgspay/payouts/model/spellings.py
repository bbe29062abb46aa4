"""Normal forms of references and accounts, however they are spelled.

A sheet that was exported again, typed over or saved by a spreadsheet spells them differently:
in capitals, with spaces, hyphens or accents, in full-width digits, without leading zeros. A
recipient who was paid under one spelling must not be paid again under another.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from dgspay.models.characters import visible_part
from dgspay.payouts.model.payout import Payout

# Most are written so that nothing is to be done about them.
_PLAIN_REFERENCE = re.compile(r"[a-z][a-z0-9._-]*|[1-9][0-9]*|[0-9]+[a-z._-][a-z0-9._-]*", re.ASCII)
_PLAIN_PHONE = re.compile(r"\+250[1-9][0-9]{8}", re.ASCII)
_DASHES = re.compile("[\u2010-\u2015\u2212]")
_ACCENTS = re.compile("[\u0300-\u036f]")
_BETWEEN_WORDS = re.compile(r"[\s-]+")
_RWANDA = "250"


def reference_key(reference: str) -> str:
    """Return the one spelling of a reference: case, accents and invisible characters go.

    A space stands for a hyphen. Neither is left out, or 1-12 and 11-2 would be one reference.
    """
    if _PLAIN_REFERENCE.fullmatch(reference):
        return reference
    text = visible_part(unicodedata.normalize("NFKC", reference)).casefold()
    text = _DASHES.sub("-", _ACCENTS.sub("", unicodedata.normalize("NFKD", text))).strip()
    text = _BETWEEN_WORDS.sub("-", unicodedata.normalize("NFKC", text))
    if text.isascii() and text.isdigit():
        # A spreadsheet that saves a CSV makes 7 of 007.
        text = text.lstrip("0") or "0"
    return text or reference


def account_key(payout: Payout) -> str:
    """Return the one spelling of who is paid: a phone, or a bank and an account at it."""
    if payout.bank_key is not None:
        return f"{reference_key(payout.bank_key)} {_letters_and_digits(payout.account)}"
    if _PLAIN_PHONE.fullmatch(payout.account):
        return payout.account
    digits = "".join(filter(str.isdigit, unicodedata.normalize("NFKC", payout.account)))
    return f"+{_RWANDA}{digits.lstrip('0').removeprefix(_RWANDA).lstrip('0')}"


def stored_keys(payout: Payout) -> tuple[str | None, str | None]:
    """Return how reference and account compare, each None where that is how it is written."""
    reference, account = reference_key(payout.reference), account_key(payout)
    return (
        None if reference == payout.reference else reference,
        None if account == payout.account else account,
    )


def are_plain(payouts: Sequence[Payout]) -> bool:
    """Say, quicker than row by row, whether all are written as they compare, as most sheets are."""
    _, references, _, accounts, banks, *_ = zip(*payouts, strict=True)
    return (
        banks.count(None) == len(banks)
        and all(map(_PLAIN_REFERENCE.fullmatch, references))
        and all(map(_PLAIN_PHONE.fullmatch, accounts))
    )


def _letters_and_digits(account: str) -> str:
    decomposed = unicodedata.normalize("NFKD", visible_part(account).casefold())
    text = "".join(char for char in decomposed if char.isalnum())
    return (text.lstrip("0") or text) if text.isdigit() else text
