"""What a person may pay with at the emulator, and what becomes of it; printed by two commands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from dgspay.emulator.api.card_charges import OTP, PIN, card_stories, grouped

PHONES: Final = (
    ("0788123456", "MTN: approves after some seconds"),
    ("0738123456", "Airtel: approves after some seconds"),
    ("0789000001", "declined at once: too little money"),
    ("0789000003", "the payer declines the prompt"),
    ("0789000004", "nobody answers the prompt"),
)
"""Phone numbers to try, and what becomes of a payment."""

CARDS: Final = tuple((grouped(number), words) for number, words in card_stories())
"""Test cards, and what becomes of a payment."""

CODES: Final = f"Any expiry in the future and any CVV. The PIN is {PIN}, the code {OTP}."
"""What a card form asks for besides; another PIN or code declines the payment."""


def lines() -> Sequence[str]:
    """Return the lines that a command prints of them."""
    return [*(f"  {thing:<19}  {words}" for thing, words in (*PHONES, *CARDS)), f"  {CODES}"]
