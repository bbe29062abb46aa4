"""Card charges: the published test cards, and the vendor's encryption undone."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

import attrs

from dgspay.emulator.api import schema
from dgspay.emulator.api.call import Call
from dgspay.emulator.api.fields import Field
from dgspay.emulator.domain.account import Account
from dgspay.emulator.domain.records import Decline, Payment
from dgspay.emulator.domain.settlement import settle_payment
from dgspay.emulator.http import RefusedError, invalid
from dgspay.encryption import decrypt_field
from dgspay.secret import Secret

PIN: Final = "1234"
OTP: Final = "123456"

# The steps of `/authorize` for each word of `scenario:...`, in order.
STEPS: Final[Mapping[str, tuple[str, ...]]] = {
    "auth_pin": ("pin",),
    "auth_3ds": ("otp",),
    "auth_pin_3ds": ("pin", "otp"),
    "auth_avs": ("avs",),
}

# The result of each word of `issuer:...`, with the usual ISO 8583 response codes.
INCORRECT_PIN: Final = Decline("Incorrect PIN", "55")
INVALID_OTP: Final = Decline("Incorrect OTP", "63")
ISSUERS: Final[Mapping[str, Decline | None]] = {
    "approved": None,
    "insufficient_funds": Decline("Insufficient funds", "51"),
    "incorrect_pin": INCORRECT_PIN,
    "expired_card": Decline("Expired card", "54"),
    "invalid_cvv": Decline("Invalid CVV", "N7"),
    "do_not_honor": Decline("Do not honor", "05"),
    "system_error": Decline("System error", "96"),
}


@attrs.frozen
class KnownCard:
    """A card the emulator knows, and what it does when no scenario is given."""

    brand: str
    auth: str | None = None
    issuer: str = "approved"


# It is no valid number (it fails the Luhn check) and is accepted all the same.
_GUIDE_CARD: Final = "4532123456789010"

# The only card numbers that are accepted.
TEST_CARDS: Final[Mapping[str, KnownCard]] = {
    _GUIDE_CARD: KnownCard("visa"),
    "4242424242424242": KnownCard("visa"),
    "4111111111111111": KnownCard("visa"),
    "4012888888881881": KnownCard("visa"),
    "5555555555554444": KnownCard("mastercard"),
    "5105105105105100": KnownCard("mastercard"),
    "5200828282828210": KnownCard("mastercard"),
    "2223003122003222": KnownCard("mastercard"),
    "4000000000003055": KnownCard("visa", auth="auth_pin"),
    "5438898014560229": KnownCard("mastercard", auth="auth_pin"),
    "4187427415564246": KnownCard("visa", auth="auth_3ds"),
    "5531886652142950": KnownCard("mastercard", auth="auth_pin_3ds"),
    "4556052704172643": KnownCard("visa", auth="auth_avs"),
    "4000000000000002": KnownCard("visa", issuer="do_not_honor"),
    "4000000000009995": KnownCard("visa", issuer="insufficient_funds"),
    "4000000000000069": KnownCard("visa", issuer="expired_card"),
    "4000000000000127": KnownCard("visa", issuer="invalid_cvv"),
    "4000000000000119": KnownCard("visa", issuer="system_error"),
}

# Descriptions, for payers, of the ways in which a card may ask for more.
_ASKS: Final[Mapping[str, str]] = {
    "auth_pin": "asks for the PIN",
    "auth_3ds": "asks for a code",
    "auth_pin_3ds": "asks for PIN and code",
    "auth_avs": "asks for an address",
}

_NONCE = re.compile(r"[!-~]{12}", re.ASCII)


def encrypted(name: str) -> Field[str]:
    """Declare a field that the payer's browser encrypts; examples show its name in its place."""
    return schema.text(name, example=f"<{name}>")


def nonce(name: str) -> Field[str]:
    """Declare the nonce of an encryption."""
    return schema.text(name, example="abc123def456")


NUMBER: Final = encrypted("card_encrypted_number")
NONCE: Final = nonce("card_nonce")
EXPIRY_MONTH: Final = encrypted("card_encrypted_expiry_month")
EXPIRY_YEAR: Final = encrypted("card_encrypted_expiry_year")
CVV: Final = encrypted("card_encrypted_cvv")
SCENARIO: Final = schema.scenario("card")
FIELDS: Final = (NUMBER, NONCE, EXPIRY_MONTH, EXPIRY_YEAR, CVV, SCENARIO)


class UnknownCardError(RefusedError):
    """The number is not on the published list; it is neither kept nor shown."""

    def __init__(self) -> None:
        super().__init__(
            "90", "card_encrypted_number is not one of the emulator's published test cards"
        )


def card_stories() -> Sequence[tuple[str, str]]:
    """Return one card for each thing that can happen, and what it is, in a payer's words."""
    stories: dict[str, str] = {}
    for number, card in TEST_CARDS.items():
        verdict = ISSUERS[card.issuer]
        if card.auth is not None:
            words = _ASKS[card.auth]
        else:
            words = "approved" if verdict is None else f"declined: {verdict.processor_response}"
        # Card forms take valid numbers only.
        if number != _GUIDE_CARD:
            stories.setdefault(words, number)
    return [(number, words) for words, number in stories.items()]


def grouped(number: str) -> str:
    """Format a card number as on a card."""
    return " ".join(number[place : place + 4] for place in range(0, len(number), 4))


def charge(call: Call, payment: Payment) -> None:
    """Charge a card, which decides itself or by the scenario (guide, "Card Payments API")."""
    read(call, payment)
    call.account.add_payment(payment)
    start(call.account, payment)


def read(call: Call, payment: Payment) -> None:
    """Decrypt and check a card, and plan what it asks for and how the payment ends."""
    number = decrypted(call, NUMBER, NONCE)
    card = TEST_CARDS.get(number.reveal())
    if card is None:
        raise UnknownCardError
    _check(call, EXPIRY_MONTH, r"0?[1-9]|1[0-2]", "a month")
    _check(call, EXPIRY_YEAR, r"20[0-9]{2}|[0-9]{2}", "a year")
    _check(call, CVV, r"[0-9]{3}", "a CVV")
    payment.card_brand = card.brand
    payment.card_last4 = number.reveal()[-4:]
    scenario = call.fields[SCENARIO]
    auth = card.auth if scenario is None else scenario.scenario
    issuer = card.issuer if scenario is None else scenario.issuer
    payment.awaits = STEPS[auth] if auth else ()
    payment.verdict = ISSUERS[issuer or "approved"]


def start(account: Account, payment: Payment) -> None:
    """Settle the payment at once when the card asks for nothing more."""
    if not payment.awaits:
        settle_payment(account, payment)


def decrypted(call: Call, field: Field[str], sent_with: Field[str]) -> Secret:
    """Decrypt one field of a request with the nonce that was sent with it."""
    ciphertext, iv = call.fields[field], call.fields[sent_with]
    if not _NONCE.fullmatch(iv):
        raise invalid(f"{sent_with.name} must be exactly 12 ASCII characters")
    try:
        key = call.account.credentials.encryption_key
        return Secret(decrypt_field(ciphertext, key=key, nonce=iv))
    except ValueError:
        pass
    raise invalid(f"{field.name} cannot be decrypted with the encryption key and {sent_with.name}")


def _check(call: Call, field: Field[str], pattern: str, what: str) -> None:
    """Reject a decrypted field of the wrong form, without showing it."""
    if not re.fullmatch(pattern, decrypted(call, field, NONCE).reveal(), re.ASCII):
        raise invalid(f"{field.name} does not decrypt to {what}")
