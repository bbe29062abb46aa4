"""A process of a shop with a checkout: `orders_worker STORE ACTION...`, set up by its environment.

STORE is a path, or the address of a PostgreSQL. It says "ready", and acts once it reads a line.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dgspay import Customer, DGSPay
from dgspay.checkout import Checkout, Order, Timing
from dgspay.checkout.flow import Handle
from dgspay.emulator import Emulator
from tests.support.crash_points import environ_of

JANE = Customer(email="jane@example.com", first_name="Jane", last_name="Uwase", phone="0788123456")
URL = "https://shop.example/dgspay"
FAST = 10_000.0


def store_of(address: str, clock: Any = None) -> Any:
    if address.startswith("postgresql:"):
        from dgspay.checkout import PostgresOrders

        return PostgresOrders(address, clock=clock)
    from dgspay.checkout import SqliteOrders

    return SqliteOrders(address, clock=clock)


def told_path(address: str) -> Path:
    return Path(f"{address}.told")


def told(address: str) -> list[str]:
    """The orders that handlers were run for, as often as they were."""
    if not address.startswith("postgresql:"):
        path = told_path(address)
        return sorted(path.read_text().split()) if path.exists() else []
    import psycopg

    with psycopg.connect(address) as connection:
        return sorted(row[0] for row in connection.execute("SELECT id FROM told"))


def checkout_of(address: str, client: DGSPay, secret: str, clock: Any = None) -> Checkout:
    """A checkout whose handler writes in the store's transaction where there is one to share."""
    checkout = DyingCheckout(
        client,
        store_of(address, clock),
        secret=secret,
        url=URL,
        timing=Timing(first_look_up=600),
    )
    if address.startswith("postgresql:"):

        @checkout.on_paid
        def write(order: Order, connection: Any) -> None:
            connection.execute("INSERT INTO told VALUES (%s)", (order.id,))
            checkout.die_in_handler()

    else:

        @checkout.on_paid
        def append(order: Order) -> None:
            with told_path(address).open("a") as file:
                file.write(f"{order.id}\n")
            checkout.die_in_handler()

    return checkout


class DyingCheckout(Checkout):
    """One whose process is killed before, within or after its n-th effect; 0 for never."""

    left = 0
    when = "after"

    def _perform(self, effect: Any) -> Any:
        self.left -= 1
        if self.left == 0 and self.when == "before":
            die()
        answer = super()._perform(effect)
        if self.left == 0 and (self.when == "after" or not isinstance(effect, Handle)):
            die()
        return answer

    def die_in_handler(self) -> None:
        if self.left == 0 and self.when == "within":
            die()


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def start(emulator: Emulator, url: str, address: object, *action: object) -> subprocess.Popen[str]:
    """Start a process, which waits for `go`."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.orders_worker", str(address), *map(str, action)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environ_of(emulator, url),
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def go(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("go\n")
    process.stdin.flush()


def finish(process: subprocess.Popen[str]) -> None:
    try:
        out, _ = process.communicate(timeout=120)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise
    assert (process.returncode, out) == (0, "done\n")


def make_due(address: str) -> None:
    """Make every attempt due for a look-up."""
    statement = "UPDATE dgspay_order_attempts SET look_at = 0 WHERE look_at IS NOT NULL"
    if not address.startswith("postgresql:"):
        with contextlib.closing(sqlite3.connect(address, timeout=30)) as file, file:
            file.execute(statement)
        return
    import psycopg

    with psycopg.connect(address) as connection:
        connection.execute(statement)


def sweep(checkout: Checkout) -> None:
    checkout.sweep(per_second=FAST)


def pay(checkout: Checkout, order_id: str) -> Order:
    checkout.open(order_id, amount=2000, customer=JANE)
    return checkout.pay_by_mobile_money(order_id, phone="0788123456", network="MTN")


def pay_many(checkout: Checkout, prefix: str, count: str) -> None:
    for number in range(int(count)):
        pay(checkout, f"{prefix}{number}")


ACTIONS: dict[str, Callable[..., object]] = {"sweep": sweep, "pay": pay, "pay_many": pay_many}


def die_everywhere(address: str) -> None:
    """Pay an order and sweep in a child for each effect that it may die at, until none dies."""
    # What is imported here is not imported by each child.
    with DGSPay.from_env() as client:
        checkout = checkout_of(address, client, os.environ["DGSPAY_WEBHOOK_SECRET"])
        pay(checkout, "nobody-dies")
        checkout.close()
    for when in ("before", "within", "after"):
        for effect in range(1, 100):
            child = os.fork()
            if child == 0:
                try:
                    with DGSPay.from_env() as client:
                        checkout = checkout_of(address, client, os.environ["DGSPAY_WEBHOOK_SECRET"])
                        assert isinstance(checkout, DyingCheckout)
                        checkout.left, checkout.when = effect, when
                        pay(checkout, f"{when}-{effect}")
                        checkout.sweep(per_second=FAST, everything=True)
                        checkout.close()
                finally:
                    os._exit(1 if sys.exc_info()[0] else 0)
            _, status = os.waitpid(child, 0)
            if not os.WIFSIGNALED(status):
                assert os.waitstatus_to_exitcode(status) == 0
                break


def say(word: str) -> None:
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


def main(address: str, action: str, *arguments: str) -> None:
    if action == "die_everywhere":
        say("ready")
        sys.stdin.readline()
        die_everywhere(address)
    else:
        with DGSPay.from_env() as client:
            checkout = checkout_of(address, client, os.environ["DGSPAY_WEBHOOK_SECRET"])
            checkout.orders(limit=1)
            say("ready")
            sys.stdin.readline()
            ACTIONS[action](checkout, *arguments)
            checkout.close()
    say("done")


if __name__ == "__main__":
    main(*sys.argv[1:])
