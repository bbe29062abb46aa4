"""Sample history: as many settled transactions as a test of paging or a report needs."""

from __future__ import annotations

import random
from decimal import Decimal
from typing import Final

from dgspay.emulator.domain.account import Account
from dgspay.emulator.domain.identifiers import Identifiers
from dgspay.emulator.domain.records import Decline, Payer, Payment
from dgspay.emulator.domain.settlement import merchant_fee
from dgspay.models.enums import PaymentMethod, PaymentStatus
from dgspay.models.phones import NETWORKS

MOST: Final = 1_000_000

_FIRST_NAMES: Final = ("Aline", "Claude", "Diane", "Eric", "Grace", "Jean", "Keza", "Yves")
_LAST_NAMES: Final = ("Habimana", "Ingabire", "Kagabo", "Mukamana", "Niyonzima", "Uwase")
_CARDS: Final = (("visa", "4242"), ("visa", "1111"), ("mastercard", "4444"))
_DECLINES: Final = (Decline("Insufficient funds", "51"), Decline("Customer rejected the request"))
_REDIRECT: Final = "https://shop.example/thanks"
_SECONDS_BETWEEN = 60.0
_SUCCESSFUL, _FAILED = 0.85, 0.97
"""Shares of the states: of a hundred, 85 are successful, 12 failed and 3 pending."""


def generate(account: Account, count: int, seed: int | str) -> None:
    """Add payments of the past, one a minute up to now; no webhook is sent for them.

    Args:
        account: Whose they are; the wallet gets what they brought in.
        count: How many.
        seed: The same seed makes the same payments, ids included.

    Raises:
        ValueError: when the count is not from 1 to a million.
    """
    if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= MOST:
        raise ValueError(f"the number of transactions must be from 1 to {MOST:,}")
    # Simulated payers: a replay needs a seed, and nothing here is secret.
    chance = random.Random(f"payments {seed}")  # noqa: S311
    identifiers = Identifiers(f"generated {seed}")
    payers = [_payer(chance) for _ in range(min(count, 500))]
    first = account.clock.time() - count * _SECONDS_BETWEEN
    collected = Decimal(0)
    for place in range(count):
        payment = _payment(account, chance, identifiers, payers, first + place * _SECONDS_BETWEEN)
        account.add_payment(payment)
        collected += payment.net_amount
    if collected:
        account.wallet.credit("RWF", collected)


def _payer(chance: random.Random) -> Payer:
    first, last = chance.choice(_FIRST_NAMES), chance.choice(_LAST_NAMES)
    phone = f"78{chance.randrange(10**7):07d}"
    return Payer(f"{first}.{last}@example.com".lower(), first, last, phone, "250")


def _payment(
    account: Account,
    chance: random.Random,
    identifiers: Identifiers,
    payers: list[Payer],
    created_at: float,
) -> Payment:
    payer = chance.choice(payers)
    payment = Payment(
        id=identifiers.uuid(),
        dgs_reference=f"dgs_{_free(account, identifiers, 'dgs_')}",
        flw_reference=f"flw_{_free(account, identifiers, 'flw_')}",
        method=PaymentMethod.MOBILE_MONEY,
        amount=Decimal(chance.randrange(5, 2000) * 100),
        currency="RWF",
        payer=payer,
        created_at=created_at,
        redirect_url=_REDIRECT,
    )
    if chance.random() < 0.3:
        payment.method = PaymentMethod.CARD
        payment.card_brand, payment.card_last4 = chance.choice(_CARDS)
    else:
        payment.network, payment.phone = chance.choice(NETWORKS), payer.phone
    _settle(payment, chance)
    return payment


def _settle(payment: Payment, chance: random.Random) -> None:
    drawn = chance.random()
    if drawn >= _FAILED:
        return
    payment.settled_at = payment.created_at + 20
    if drawn < _SUCCESSFUL:
        payment.status = PaymentStatus.SUCCESSFUL
        payment.merchant_fee = merchant_fee(payment.amount, payment.currency)
    else:
        payment.status, payment.verdict = PaymentStatus.FAILED, chance.choice(_DECLINES)


def _free(account: Account, identifiers: Identifiers, prefix: str) -> str:
    while True:
        number = identifiers.number()
        if not account.has(prefix + number):
            return number
