"""The claims: orders cost little beside the bare client, and settled ones cost a sweep nothing.

Run it with the extras `aiohttp` and `postgres` and a PostgreSQL from Debian's packages:

    python -m benchmarks.orders [--write benchmarks/orders.md] [--only rates|sweep]

A server in a process of its own answers each charge after 30 ms. A subject opens an order, charges
it, gets its webhook and runs the shop's handler; the bare client charges and no more. Between the
two stands a shop written by hand, which commits as often and checks nothing (see `by_hand`). The
subjects take turns in every round; what is compared is the best round of each.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import os
import platform
import sqlite3
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import attrs
import httpx

from benchmarks import by_hand
from benchmarks.payouts import resident_mib
from benchmarks.turns import CONCURRENCY, LATENCY, ROUNDS, Subject, rates_in_turns
from dgspay import AsyncDGSPay, Customer, DGSPay
from dgspay.checkout import AsyncCheckout, AsyncOrdersStore, Checkout, Order, SqliteOrders
from dgspay.transports.httpx import HttpxTransport
from dgspay.webhooks import sign

ORDERS = 3_000
LEAST = {"SQLite": 0.8, "PostgreSQL": 0.7}
FEW, MANY, OPEN = 1_000, 1_000_000, 1_000
MOST_OF_A_SWEEP, MOST_BYTES, MOST_GROWTH_MIB = 1.2, 1536, 20.0

SECRET = "whsec_of_the_benchmark"
PHONE = "0788123456"
JANE = Customer(email="jane@example.com", first_name="Jane", last_name="Uwase", phone=PHONE)
EVENT = (
    '{"event":"payment.success","dgs_reference":"%s","amount":2000,"currency":"RWF",'
    '"merchant_fee":60,"net_amount":1940,"status":"success",'
    '"timestamp":"2026-04-02T10:30:00Z","environment":"test"}'
)

NUMBERS = itertools.count(1)


async def at_once(one: Callable[[int], Awaitable[None]], count: int) -> float:
    """Run so many, with a limited number under way; return the seconds it took."""
    waiting = iter(range(count))

    async def work() -> None:
        for _ in waiting:
            await one(next(NUMBERS))

    began = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(CONCURRENCY):
            group.create_task(work())
    return time.perf_counter() - began


async def bare(dgs: AsyncDGSPay) -> float:
    async def charge(number: int) -> None:
        await dgs.charges.mobile_money(
            amount=2000,
            network="MTN",
            phone=PHONE,
            customer=JANE,
            redirect_url="https://shop.example/thanks",
            idempotency_key=f"bare-{number}",
        )

    return await at_once(charge, ORDERS)


@attrs.define
class Shop:
    """A shop's checkout, and how many orders it has shipped."""

    checkout: AsyncCheckout
    shipped: int = 0

    async def sell(self, number: int) -> None:
        """Open an order, charge it, and take its webhook as DGS-Pay delivers it."""
        checkout = self.checkout
        order_id = f"order-{number}"
        await checkout.open(order_id, amount=2000, customer=JANE, description="A book")
        order = await checkout.pay_by_mobile_money(order_id, phone=PHONE, network="MTN")
        scope = await checkout.carry_out(checkout.shop.scope())
        path = urlsplit(checkout.shop.callback_url(scope, order, "a1")).path
        body = (EVENT % order.attempts[0].dgs_reference).encode()
        answer = await checkout.receive(body, sign(body, SECRET), path=path)
        if answer.status != 200:
            raise SystemExit(f"a webhook was answered {answer.status}")

    async def ship(self, order: Order) -> None:
        self.shipped += 1


def shop_on(dgs: AsyncDGSPay, store: AsyncOrdersStore) -> Shop:
    checkout = AsyncCheckout(dgs, store, secret=SECRET, url="https://shop.example/dgspay")
    shop = Shop(checkout)
    checkout.on_paid(shop.ship)
    return shop


async def sold(dgs: AsyncDGSPay, store: AsyncOrdersStore) -> float:
    """Sell on a store, and see that each order was shipped."""
    shop = shop_on(dgs, store)
    try:
        seconds = await at_once(shop.sell, ORDERS)
        await shop.checkout.drain()
    finally:
        shop.checkout.close()
    if shop.shipped != ORDERS:
        raise SystemExit(f"{shop.shipped} of {ORDERS} orders were shipped")
    return seconds


async def sold_by_hand(dgs: AsyncDGSPay, commit: by_hand.Commit) -> float:
    return await at_once(by_hand.Shop(dgs, commit, JANE, SECRET, EVENT).sell, ORDERS)


async def by_hand_on_sqlite(dgs: AsyncDGSPay) -> float:
    with tempfile.TemporaryDirectory() as folder:
        async with by_hand.on_sqlite(Path(folder) / "orders.sqlite3") as commit:
            return await sold_by_hand(dgs, commit)


def by_hand_on_postgres(conninfo: str) -> Subject:
    async def run(dgs: AsyncDGSPay) -> float:
        async with by_hand.on_postgres(conninfo) as commit:
            return await sold_by_hand(dgs, commit)

    return run


@attrs.define
class Metered:
    """A subject, and the processor time of this process that an order took in each round.

    Attributes:
        subject: The subject.
        milliseconds: For each order, by round.
    """

    subject: Subject
    milliseconds: list[float] = attrs.field(factory=list)

    async def __call__(self, dgs: AsyncDGSPay) -> float:
        began = time.process_time()
        seconds = await self.subject(dgs)
        self.milliseconds.append((time.process_time() - began) * 1000 / ORDERS)
        return seconds


@attrs.define
class OnSqlite:
    """The subject that sells on SQLite; it notes what its orders leave behind.

    Attributes:
        bytes_an_order: Bytes of the file for each order.
        grown: MiB by which the process grew in each round.
    """

    bytes_an_order: float = 0.0
    grown: list[float] = attrs.field(factory=list)

    async def __call__(self, dgs: AsyncDGSPay) -> float:
        with tempfile.TemporaryDirectory() as folder:
            path, before = Path(folder) / "orders.sqlite3", resident_mib()
            seconds = await sold(dgs, SqliteOrders(path))
            self.grown.append(resident_mib() - before)
            self.bytes_an_order = path.stat().st_size / ORDERS
            return seconds


def on_postgres(conninfo: str) -> Subject:
    async def run(dgs: AsyncDGSPay) -> float:
        from dgspay.checkout import PostgresOrders  # noqa: PLC0415 - the extra

        return await sold(dgs, PostgresOrders(conninfo))

    return run


def measured_rates(sqlite: OnSqlite) -> dict[str, tuple[float, float]]:
    """Return the best rate of each subject, and the least processor time an order took it."""
    metered = {
        "no orders": Metered(bare),
        "SQLite, by hand": Metered(by_hand_on_sqlite),
        "SQLite": Metered(sqlite),
    }

    def subjects_with(conninfo: str | None) -> dict[str, Metered]:
        if conninfo is not None:
            metered["PostgreSQL, by hand"] = Metered(by_hand_on_postgres(conninfo))
            metered["PostgreSQL"] = Metered(on_postgres(conninfo))
        return metered

    rates = rates_in_turns(subjects_with, ORDERS)
    return {name: (max(rates[name]), min(metered[name].milliseconds)) for name in rates}


def rates_told(measured: dict[str, tuple[float, float]], sqlite: OnSqlite) -> tuple[str, bool]:
    """The rates as a table, the bytes and the memory, and whether every claim about them holds."""
    lines = [
        "| what | orders/s | share of the bare client | claimed | processor, ms an order |",
        "|---|---|---|---|---|",
    ]
    good = True
    bare_rate, _ = measured["no orders"]
    for name, (rate, milliseconds) in measured.items():
        share, least = rate / bare_rate, LEAST.get(name)
        good &= least is None or share >= least
        claimed = "" if least is None else f"at least {least}"
        lines.append(f"| {name} | {rate:,.0f} | {share:.2f} | {claimed} | {milliseconds:.2f} |")
    lines.append(
        "\nBy hand, a shop commits as often, and does nothing but write. The processor's time is "
        "that of the shop's own process, with the client's call in it."
    )
    # The first round loads what every later one finds loaded.
    grown = max(sqlite.grown[1:])
    good &= sqlite.bytes_an_order < MOST_BYTES and grown < MOST_GROWTH_MIB
    lines.append(
        f"\nAn order with its attempt and its webhook takes {sqlite.bytes_an_order:,.0f} bytes on "
        f"SQLite (claimed: under {MOST_BYTES:,}). A further {ORDERS:,} orders made the process "
        f"grow by {grown:.1f} MiB (claimed: less than {MOST_GROWTH_MIB:.0f})."
    )
    return "\n".join(lines), good


# --- the sweep ----------------------------------------------------------------------------------

PENDING = {
    "status": "success",
    "transaction": {
        "id": "1",
        "dgs_reference": "",
        "amount": 2000,
        "currency": "RWF",
        "status": "pending",
        "payment_method_type": "mobile_money",
    },
}


def answered_at_once(request: httpx.Request) -> httpx.Response:
    """Answer a look-up as pending, and a charge likewise, without any network."""
    if request.method == "POST":
        reference = f"DGS{next(NUMBERS)}"
        return httpx.Response(200, json={"status": "success", "dgs_reference": reference})
    reference = request.url.path.rpartition("/")[2]
    transaction = {**PENDING["transaction"], "dgs_reference": reference}  # type: ignore[dict-item]
    return httpx.Response(200, json={**PENDING, "transaction": transaction})


def copies(path: Path, count: int) -> None:
    """Copy the first order of a file, settled as it is, row by row so many times."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        for table, new in {
            "dgspay_orders": {"key": "key + n", "id": "id || '-' || n"},
            "dgspay_order_attempts": {
                "order_key": "order_key + n",
                "dgs_reference": "dgs_reference || '-' || n",
            },
            "dgspay_order_events": {
                "key": "key + n",
                "order_key": "order_key + n",
                "digest": "randomblob(32)",
            },
        }.items():
            names = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
            values = ", ".join(new.get(name, name) for name in names)
            connection.execute(
                f"WITH RECURSIVE numbers(n) AS "
                f"(SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {count}) "
                f"INSERT INTO {table} ({', '.join(names)}) SELECT {values} FROM numbers, "
                f"(SELECT * FROM {table} ORDER BY 1 LIMIT 1)"
            )
        connection.commit()


@contextlib.contextmanager
def shop_among(settled: int) -> Iterator[Checkout]:
    """Yield a checkout with open orders among so many settled ones."""
    client = httpx.Client(transport=httpx.MockTransport(answered_at_once))
    with (
        tempfile.TemporaryDirectory() as folder,
        client,
        DGSPay(
            api_key="sk_test_benchmark",
            account_number="ACC",
            environment="emulator",
            base_url="http://127.0.0.1:9",
            transport=HttpxTransport(client),
        ) as dgs,
    ):
        path = Path(folder) / "orders.sqlite3"
        with checkout_on(dgs, path) as checkout:
            sell(checkout, "settled")
            reference = checkout.order("settled").attempts[0].dgs_reference
            body = (EVENT % reference).encode()
            checkout.receive(body, sign(body, SECRET))
            if not checkout.order("settled").is_paid:
                raise SystemExit("the order that is copied was not paid")
        copies(path, settled)
        with checkout_on(dgs, path) as checkout:
            for number in range(OPEN):
                sell(checkout, f"open-{number}")
            yield checkout


@contextlib.contextmanager
def checkout_on(dgs: DGSPay, path: Path) -> Iterator[Checkout]:
    checkout = Checkout(dgs, SqliteOrders(path), secret=SECRET, url="https://shop.example/dgspay")
    checkout.on_paid(lambda order: None)
    with contextlib.closing(checkout):
        yield checkout


def sell(checkout: Checkout, order_id: str) -> None:
    checkout.open(order_id, amount=2000, customer=JANE, description="A book")
    checkout.pay_by_mobile_money(order_id, phone=PHONE, network="MTN")


def swept(checkout: Checkout) -> float:
    began = time.perf_counter()
    done = checkout.sweep(everything=True, most=OPEN + 1, per_second=1e9)
    seconds = time.perf_counter() - began
    if done.looked_up != OPEN or done.settled:
        raise SystemExit(f"the sweep did something else: {done}")
    return seconds


def sweep_told() -> tuple[str, bool]:
    """A sweep among few and among many in a sentence, and whether the claim about it holds."""
    with shop_among(FEW) as among_few, shop_among(MANY) as among_many:
        # In turns, so that other work of the machine slows both.
        rounds = [(swept(among_few), swept(among_many)) for _ in range(ROUNDS)]
    few, many = (min(seconds) for seconds in zip(*rounds, strict=True))
    ratio = many / few
    text = (
        f"A sweep of {OPEN:,} open orders took {many:.2f} s among {MANY:,} settled ones and "
        f"{few:.2f} s among {FEW:,}, {ratio:.2f} times as long (claimed: at most "
        f"{MOST_OF_A_SWEEP:g}); its look-ups are answered at once, within the process."
    )
    return text, ratio <= MOST_OF_A_SWEEP


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--write", type=Path, help="also write the result to this file")
    parser.add_argument("--only", choices=["rates", "sweep"], help="only one of the two")
    chosen = parser.parse_args()
    busy, processors = os.getloadavg()[0], os.cpu_count()
    others = f"before it, {busy:.1f} programs were running on {processors} processors"
    parts, good = [], True
    if chosen.only != "sweep":
        sqlite = OnSqlite()
        text, holds = rates_told(measured_rates(sqlite), sqlite)
        parts.append(text)
        good &= holds
    if chosen.only != "rates":
        text, holds = sweep_told()
        parts.append(text)
        good &= holds
    text = (
        "# Orders beside the bare client\n\n"
        "`python -m benchmarks.orders --write benchmarks/orders.md` "
        f"(CPython {platform.python_version()}, {platform.machine()}, {ORDERS:,} orders, "
        f"{LATENCY * 1000:.0f} ms latency, {CONCURRENCY} at once, aiohttp, the best of {ROUNDS} "
        f"rounds; {others})\n\n" + "\n\n".join(parts) + "\n"
    )
    print(text)
    if chosen.write is not None:
        chosen.write.write_text(text, encoding="utf-8")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
