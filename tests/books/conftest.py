"""A business of one month: an emulator with its own clock, a shop, a payroll, and its books."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import attrs
import pytest

from dgspay import Customer, DGSPay, RetryPolicy
from dgspay.books import Period, Statement, read_books
from dgspay.checkout import Checkout, SqliteOrders
from dgspay.emulator import Emulator, VirtualClock
from dgspay.encryption import CardEncryptor
from dgspay.payouts import Payouts, SqliteLedger
from tests.support.sheet_factory import write_sheet

URL = "https://shop.example/dgspay"
JANE = Customer(email="jane@example.com", first_name="Jane", last_name="Uwase", phone="0788123456")
OCTOBER, NOVEMBER = Period.parse("2026-10"), Period.parse("2026-11")
HELD = {"RWF": Decimal(1_000_000), "USD": Decimal(1_000)}
DAY = 86_400.0


class ShopClock:
    """The emulator's time, as a store of orders reads it."""

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator

    def time(self) -> float:
        return self._emulator.clock.time()

    def monotonic(self) -> float:
        return self._emulator.clock.time() - 1_700_000_000.0


@attrs.define
class Business:
    """One merchant account and all that records what it does."""

    emulator: Emulator
    dgs: DGSPay
    ledger: SqliteLedger
    store: SqliteOrders
    checkout: Checkout
    folder: Path
    delivered: int = 0

    def sell(self, order_id: str, amount: int, *, paid: bool = True) -> str:
        """Take an order, and have it paid or declined; return DGS-Pay's reference."""
        self.checkout.open(order_id, amount=amount, customer=JANE)
        order = self.checkout.pay_by_mobile_money(order_id, phone="0788123456", network="MTN")
        reference = order.attempts[-1].dgs_reference or ""
        (self.emulator.approve if paid else self.emulator.decline)(reference)
        self.deliver()
        return reference

    def charge(self, amount: int, *, paid: bool = True) -> str:
        """Charge a wallet without an order; its webhook is kept by nobody."""
        charge = self.dgs.charges.mobile_money(
            amount=amount,
            customer=JANE,
            network="MTN",
            phone="0788123456",
            redirect_url="https://shop.example/thanks",
        )
        (self.emulator.approve if paid else self.emulator.decline)(charge.dgs_reference)
        self.delivered = len(self.emulator.webhooks.deliveries)
        return charge.dgs_reference

    def charge_card(self, amount: str, currency: str, scenario: str = "issuer:approved") -> str:
        """Charge a card."""
        card = CardEncryptor(self.emulator.encryption_key).encrypt_card(
            number="4242424242424242", expiry_month="12", expiry_year="2030", cvv="123"
        )
        charge = self.dgs.charges.card(
            amount=amount,
            currency=currency,
            customer=JANE,
            card=card,
            redirect_url="https://shop.example/thanks",
            scenario=scenario,
        )
        if charge.next_action is not None:
            self.emulator.approve(charge.dgs_reference)
        return charge.dgs_reference

    def convert(self, amount: int, *, fails: bool = False) -> str:
        """Convert USD to RWF."""
        made = self.dgs.conversions.convert(
            from_currency="USD", to_currency="RWF", from_amount=amount
        )
        reference = made.dgs_conversion_ref
        (self.emulator.decline if fails else self.emulator.approve)(reference)
        self.deliver()
        return reference

    def pay(self, name: str, rows: list[dict[str, Any]], *, failing: int = 0) -> None:
        """Pay people; the first so many fail after DGS-Pay has taken them."""
        sheet = write_sheet(self.folder / f"{name}.csv", rows)
        payouts = Payouts(self.dgs, self.ledger)
        payouts.run(sheet, settle_within=0)
        sent = [each for each in self.emulator.disbursements if each.status == "pending"]
        for each in sent[:failing]:
            self.emulator.decline(each.dgs_reference, "Invalid account details")
        self.emulator.settle()
        payouts.run(sheet, settle_within=5)

    def deliver(self) -> None:
        """Bring the shop the webhooks that have arisen since the last time."""
        new = self.emulator.webhooks.deliveries[self.delivered :]
        self.delivered += len(new)
        for each in new:
            path = urlsplit(each.url or "").path or None
            self.checkout.receive(each.body, each.signature, path=path)

    def pass_days(self, days: float) -> None:
        self.emulator.clock.advance(days * DAY)

    def books(self, period: Period = NOVEMBER, **more: Any) -> Statement:
        given: dict[str, Any] = {"opening": HELD, "ledgers": [self.ledger], "orders": self.store}
        return read_books(self.dgs, period, **{**given, **more})


@pytest.fixture
def business(tmp_path: Path) -> Iterator[Business]:
    """It begins on 1 November, 00:10 in Kigali, which is October still in UTC."""
    clock = VirtualClock(dt.datetime(2026, 10, 31, 22, 10, tzinfo=dt.UTC))
    with (
        Emulator(settle_after=None, clock=clock, seed=11, balances=HELD) as emulator,
        emulator.serve() as server,
        DGSPay(
            api_key=emulator.api_key,
            account_number=emulator.account_number,
            environment="emulator",
            base_url=server.url,
            retry=RetryPolicy(attempts=1),
        ) as dgs,
        SqliteLedger(tmp_path / "ledger.sqlite3", clock=emulator.clock.time) as ledger,
    ):
        store = SqliteOrders(tmp_path / "orders.sqlite3", clock=ShopClock(emulator))
        checkout = Checkout(dgs, store, secret=emulator.webhook_secret, url=URL)
        yield Business(emulator, dgs, ledger, store, checkout, tmp_path)
        checkout.close()


def salaries(count: int, amount: int = 30_000) -> list[dict[str, Any]]:
    return [
        {
            "reference": f"salary-{number}",
            "amount": str(amount + number),
            "msisdn": f"+25078{number:07d}",
            "network": "MTN",
            "name": f"Person {number}",
        }
        for number in range(1, count + 1)
    ]
