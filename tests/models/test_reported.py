"""What is reported of a payment, held against what was asked for."""

from __future__ import annotations

from decimal import Decimal

import pytest

from dgspay.models.reported import (
    Disagreement,
    Matter,
    PaymentFacts,
    account_in,
    disagreements,
    usable_reference,
)

ASKED = PaymentFacts(2000, "RWF", "+250788123456")


@pytest.mark.parametrize(
    "reported",
    [
        PaymentFacts(),
        PaymentFacts(Decimal("2000.00"), "rwf", "0788123456"),
        PaymentFacts(Decimal(2000), "RWF", "250 788-123-456"),
        PaymentFacts(Decimal(2000), "RWF", "0788***456"),
    ],
)
def test_what_is_the_same_or_not_reported_does_not_differ(reported: PaymentFacts) -> None:
    assert [*disagreements(ASKED, reported)] == []


@pytest.mark.parametrize(
    ("reported", "found"),
    [
        (PaymentFacts(Decimal(1999)), [(Matter.AMOUNT, "1999 RWF")]),
        (PaymentFacts(Decimal("1E+4")), [(Matter.AMOUNT, "10000 RWF")]),
        (PaymentFacts(Decimal(2000), "USD"), [(Matter.CURRENCY, "2000 in USD")]),
        (PaymentFacts(Decimal(1), "USD"), [(Matter.CURRENCY, "1 in USD")]),
        (PaymentFacts(None, "U\x1bSD" * 9), [(Matter.CURRENCY, "an amount in U�SDU�SDU�SDU�SD")]),
        (PaymentFacts(account="0788999999"), [(Matter.ACCOUNT, "another account")]),
        (
            PaymentFacts(Decimal(1), "RWF", "0788999999"),
            [(Matter.AMOUNT, "1 RWF"), (Matter.ACCOUNT, "another account")],
        ),
    ],
)
def test_what_differs_is_named_and_no_account_is_shown(
    reported: PaymentFacts, found: list[tuple[Matter, str]]
) -> None:
    assert [*disagreements(ASKED, reported)] == [Disagreement(*each) for each in found]


def test_what_was_not_asked_for_cannot_differ() -> None:
    reported = PaymentFacts(Decimal(5), "USD", "0788999999")
    assert [*disagreements(PaymentFacts(), reported)] == []
    assert [*disagreements(PaymentFacts(4), reported)] == [Disagreement(Matter.AMOUNT, "5")]


def test_a_letter_in_front_makes_another_account() -> None:
    reported = PaymentFacts(account="0788")
    assert [*disagreements(PaymentFacts(account="788"), reported)] == []
    other = Disagreement(Matter.ACCOUNT, "another account")
    assert [*disagreements(PaymentFacts(account="X788"), reported)] == [other]


def test_an_account_is_read_from_a_recipient_as_dgs_pay_writes_it() -> None:
    assert account_in({"account_number": "1234", "msisdn": "0788"}) == "1234"
    assert account_in({"account_number": "", "msisdn": "0788"}) == "0788"
    assert account_in({"account_number": 1234}) is None
    assert account_in("1234") is None


@pytest.mark.parametrize(
    ("reference", "usable"),
    [
        *((reference, False) for reference in (None, "", " ", "a\0", "a" * 257)),
        *((reference, True) for reference in ("D", "D 1", "a" * 256)),
    ],
)
def test_a_reference_that_no_database_can_hold_is_none(reference: str | None, usable: bool) -> None:
    assert usable_reference(reference) == (reference if usable else None)
