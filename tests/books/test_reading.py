"""Books of a month, read from every source, against the emulator's wallet."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import attrs
import pytest

from dgspay import MobileMoneyRecipient, errors
from dgspay.books import Accounts, Kind, Period, Statement, journal_of
from dgspay.books.from_transactions import TransactionReader
from dgspay.emulator.domain import settlement
from tests.books.conftest import HELD, NOVEMBER, OCTOBER, Business, salaries


def of(statement: Statement, currency: str) -> dict[str, Decimal]:
    """The sums of a currency by kind."""
    (found,) = [each for each in statement.reconciliations if each.currency == currency]
    return {kind.value: amount for kind, amount in found.by_kind.items()}


def live_through_a_month(business: Business) -> None:
    business.sell("A-1", 5_000)
    business.sell("A-2", 12_345)
    business.sell("A-3", 9_999, paid=False)
    business.charge(7_777)
    business.charge(1_000, paid=False)
    business.pass_days(9)
    business.charge_card("25.50", "USD")
    business.charge_card("4000", "RWF")
    business.charge_card("6000", "RWF", "issuer:insufficient_funds")
    business.convert(200)
    business.convert(50, fails=True)
    business.pass_days(10)
    business.checkout.refund("A-1", amount=2_000)
    business.emulator.settle()
    business.deliver()
    business.checkout.refund("A-2", amount=345, fee=100)
    business.emulator.settle()
    business.deliver()
    business.pay("salaries-november", salaries(12), failing=2)


def test_the_books_of_a_month_add_up_to_the_franc(business: Business) -> None:
    live_through_a_month(business)
    statement = business.books()
    assert statement.differences == []
    assert statement.is_reconciled
    paid_out = sum(30_000 + number for number in range(1, 13))
    assert of(statement, "RWF") == {
        # 3 % of each, in whole francs, stays with DGS-Pay.
        "charge": Decimal(5_000 - 150 + 12_345 - 370 + 7_777 - 233 + 4_000 - 120),
        "payout": Decimal(-paid_out),
        "payout returned": Decimal(30_001 + 30_002),
        "refund": Decimal(-2_000 - 445),
        "conversion": Decimal(200 * 1450),
    }
    assert of(statement, "USD") == {"charge": Decimal("24.73"), "conversion": Decimal(-200)}
    for each in statement.reconciliations:
        assert each.expected == each.balance == business.emulator.balance(each.currency)
        assert each.closing == each.balance
    # The orders are named, and the fee of a refund is what was sent on top of it.
    texts = [each.text for each in statement.movements if each.kind is Kind.CHARGE]
    assert "mobile_money order A-1" in texts
    fees = [each.fee for each in statement.movements if each.kind is Kind.REFUND]
    assert fees == [Decimal(0), Decimal(100)]
    assert any("no disbursements and no conversions" in note for note in statement.notes)
    assert any("2 payouts failed after DGS-Pay had taken them" in note for note in statement.notes)


def test_the_journal_of_a_month_balances_and_its_wallet_accounts_are_the_wallet(
    business: Business,
) -> None:
    live_through_a_month(business)
    statement = business.books()
    accounts = Accounts(wallets={"USD": "wallet in USD"})
    lines = [line for entry in journal_of(statement.movements, accounts) for line in entry.lines]
    for currency, name in (("RWF", accounts.wallet), ("USD", "wallet in USD")):
        moved = sum(line.debit - line.credit for line in lines if line.account == name)
        assert HELD[currency] + moved == business.emulator.balance(currency)
    fees = [line.debit for line in lines if line.account == accounts.charge_fees]
    assert sum(fees) == Decimal(150 + 370 + 233 + 120 + 100) + Decimal("0.77")


def test_fees_with_fractions_of_a_franc_are_kept_to_the_last_digit(
    business: Business, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settlement, "merchant_fee", lambda amount, _: amount * Decimal("0.0245"))
    for number in range(5):
        business.sell(f"A-{number}", 1_111 + number)
        business.charge(333 + number)
    statement = business.books()
    assert statement.is_reconciled, statement.differences
    fees = [each.fee for each in statement.movements if each.fee]
    assert len(fees) == 10
    assert Decimal("27.2195") in fees
    # What is a fraction in the wallet is one in the books.
    assert business.emulator.balance("RWF") % 1 != 0


def test_a_month_is_one_of_kigali(business: Business) -> None:
    # 31 October, 22:10 in UTC, is November in Kigali already.
    business.charge(1_000)
    assert len(business.books(NOVEMBER).movements) == 1
    assert business.books(OCTOBER).movements == []
    # For someone who knows that DGS-Pay writes Kigali's time, it was October.
    kigali = dt.timezone(dt.timedelta(hours=2))
    (movement,) = business.books(OCTOBER, api_timezone=kigali).movements
    assert movement.wallet == 970


def test_the_next_month_opens_with_what_this_one_closed_with(business: Business) -> None:
    live_through_a_month(business)
    first = business.books()
    business.pass_days(14)
    business.sell("B-1", 3_000)
    december = Period.parse("2026-12")
    opening = {each.currency: each.closing for each in first.reconciliations}
    statement = business.books(december, opening=opening)
    assert statement.is_reconciled, statement.differences
    assert of(statement, "RWF") == {"charge": Decimal(2_910)}
    # November's books say what moved since, and close as they did.
    again = business.books()
    assert again.is_reconciled
    assert [each.closing for each in again.reconciliations] == [*opening.values()]
    assert again.reconciliations[0].after == 2_910
    # And without an opening the history makes it, beside what was there before all of it.
    derived = business.books(december, opening=None)
    rwf = derived.reconciliations[0]
    assert rwf.opening == opening["RWF"] - HELD["RWF"]
    assert rwf.difference == HELD["RWF"]
    assert "give it (--opening) where the account held money before" in derived.differences[0]


def test_a_payout_in_doubt_is_no_movement_and_explains_the_difference(business: Business) -> None:
    business.emulator.faults.lose_answer("POST /disburse")
    business.pay("s", salaries(3))
    statement = business.books()
    (difference,) = statement.differences
    assert difference.startswith("RWF: the wallet holds 30,001 RWF less than the books.")
    assert "It is as much as s salary-1, of which it is not known" in difference
    assert [doubt.wallet for doubt in statement.doubts] == [Decimal(-30_001)]


def test_what_was_in_doubt_before_the_opening_is_no_part_of_a_later_difference(
    business: Business,
) -> None:
    business.emulator.faults.lose_answer("POST /disburse")
    business.pay("s", salaries(3))
    business.pass_days(31)
    held = business.emulator.balance("RWF")
    december = business.books(Period.parse("2026-12"), opening={"RWF": held, "USD": 1000})
    assert december.is_reconciled
    assert december.doubts == []


def test_a_payment_is_counted_though_a_failed_try_has_its_reference(business: Business) -> None:
    row = (
        b'{"id": "%s", "dgs_reference": "dgs_1", "amount": 1000, "currency": "RWF", "status": "%s",'
        b' "payment_method_type": "card", "created_at": "2026-11-02 10:00:00", "merchant_fee": 30}'
    )
    listed = b'{"status": "success", "data": [%s, %s], "pagination": {"page": 1, "pages": 1}}' % (
        row % (b"b", b"failed"),
        row % (b"a", b"success"),
    )
    business.emulator.faults.answer_next("GET /transactions", body=listed)
    (movement,) = business.books().movements
    assert movement.wallet == 970


def test_a_wallet_that_moves_meanwhile_is_read_again(
    business: Business, monkeypatch: pytest.MonkeyPatch
) -> None:
    charged: list[str] = []
    read = TransactionReader.read

    def charging(self: TransactionReader, *given: Any) -> Any:
        found = read(self, *given)
        if len(charged) < paid:
            charged.append(business.charge(1_000))
        return found

    monkeypatch.setattr(TransactionReader, "read", charging)
    paid = 1
    statement = business.books()
    assert statement.is_reconciled, statement.differences
    assert len(statement.movements) == 1
    # A wallet that never rests is said to be one.
    paid = 99
    assert "the wallet changed while it was read: read the books again" in business.books().notes


def test_a_disbursement_in_no_ledger_is_missed_and_never_guessed(business: Business) -> None:
    made = business.dgs.disbursements.create(
        amount=4_000, recipient=MobileMoneyRecipient(msisdn="0788123456", network="MTN")
    )
    statement = business.books()
    (difference,) = statement.differences
    assert "4,000 RWF less than the books" in difference
    assert "(--also FILE)" in difference
    also = business.folder / "also.csv"
    also.write_text(
        "date,kind,reference,amount,currency,fee,text\n"
        f"2026-11-01,payout,{made.dgs_reference},4000,RWF,100,the plumber\n"
    )
    assert business.books(also=also).is_reconciled
    # Once its webhook is kept with the orders it is known, and the file would count it twice.
    business.emulator.settle()
    business.deliver()
    known = business.books()
    assert known.is_reconciled
    assert [each.text for each in known.movements] == ["in no ledger: known from its webhook"]
    with pytest.raises(errors.ConfigError, match=r"line 2: .* is in the books already"):
        business.books(also=also)


def test_a_fee_that_dgs_pay_does_not_name_is_said_and_never_guessed(business: Business) -> None:
    business.charge(10_000)
    business.emulator.faults.fail_next("GET /transactions/{id}", error_code="92", times=10)
    statement = business.books()
    (movement,) = statement.movements
    assert movement.wallet == 10_000
    assert movement.fee is None
    (difference,) = statement.differences
    assert "300 RWF less" in difference
    assert "The fees of 1 charge of 10,000 RWF are not known, and are part of it" in difference
    assert any("has not named the fees of 1 charge" in note for note in statement.notes)


def test_fees_come_from_kept_webhooks_without_a_look_up(business: Business) -> None:
    business.sell("A-1", 5_000)
    before = len(business.emulator.requests)
    assert business.books().is_reconciled
    asked = {
        each.path.partition("/transactions")[2] for each in business.emulator.requests[before:]
    }
    assert asked == {""}


def test_an_order_that_is_paid_and_not_listed_is_named(business: Business) -> None:
    reference = business.sell("A-1", 5_000)
    nothing = (
        b'{"status": "success", "data": [], "pagination": {"page": 1, "total": 0, "pages": 0}}'
    )
    business.emulator.faults.answer_next("GET /transactions", body=nothing, times=5)
    statement = business.books()
    assert any(f"order A-1 was paid by {reference}" in each for each in statement.differences)


def test_batches_of_another_account_are_left_out(business: Business) -> None:
    business.pay("s", salaries(2))
    (ours,) = business.ledger.batches()
    other = attrs.evolve(ours.terms, account_number="ACC-OTHER")
    business.ledger.load(attrs.evolve(ours, name="other", terms=other, digest="other"), [])
    statement = business.books()
    assert statement.is_reconciled
    assert "1 batch of other accounts is left out" in statement.notes


@pytest.mark.parametrize("opening", [{"RWF": 1.5}, {"RWF": "-1"}, {"francs": 1}, {"RWF": True}])
def test_an_opening_that_is_no_amount_is_refused(business: Business, opening: object) -> None:
    with pytest.raises(errors.ConfigError, match="opening"):
        business.books(opening=opening)
