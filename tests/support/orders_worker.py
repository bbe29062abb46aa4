"""A process of a shop with a checkout: `orders_worker STORE ACTION...`, told by its environment.

STORE is a path, or the address of a PostgreSQL. It says "ready", and acts once it reads a line.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dgspay import Customer, DGSPay
from dgspay.checkout import Checkout, Order, Timing
from dgspay.checkout.flow import Flow
from dgspay.emulator import Emulator
from tests.support.crash_points import environ_of

JANE = Customer(email="jane@example.com", first_name="Jane", last_name="Uwase", phone="0788123456")
URL = "https://shop.example/dgspay"


def store_of(address: str) -> Any:
    if address.startswith("postgresql:"):
        from dgspay.checkout import PostgresOrders

        return PostgresOrders(address)
    from dgspay.checkout import SqliteOrders

    return SqliteOrders(address)


def checkout_of(address: str, client: DGSPay) -> Checkout:
    checkout = Checkout(
        client,
        store_of(address),
        secret=os.environ["DGSPAY_WEBHOOK_SECRET"],
        url=URL,
        timing=Timing(first_look_up=0.05),
    )
    told = Path(os.environ["DGSPAY_TEST_TOLD"])

    @checkout.on_paid
    def tell(order: Order) -> None:
        with told.open("a") as file:
            file.write(f"{order.id}\n")

    return checkout


class DyingCheckout(Checkout):
    """One whose process is killed at its n-th effect, before or after that is carried out."""

    left: int
    after: bool

    def _perform(self, effect: Any) -> Any:
        self.left -= 1
        if self.left == 0 and not self.after:
            os.kill(os.getpid(), signal.SIGKILL)
        answer = super()._perform(effect)
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return answer


def start(
    emulator: Emulator, url: str, address: object, told: Path, *action: object
) -> subprocess.Popen[str]:
    """Start a process, which waits for a line."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.orders_worker", str(address), *map(str, action)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**environ_of(emulator, url), "DGSPAY_TEST_TOLD": str(told)},
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def go(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("go\n")
    process.stdin.flush()


def sweep(checkout: Checkout, rounds: str) -> None:
    for _ in range(int(rounds)):
        checkout.sweep(per_second=10_000.0)


def pay(checkout: Checkout, order_id: str) -> None:
    checkout.open(order_id, amount=2000, customer=JANE)
    checkout.pay_by_mobile_money(order_id, phone="0788123456", network="MTN")


def pay_many(checkout: Checkout, prefix: str, count: str) -> None:
    for number in range(int(count)):
        pay(checkout, f"{prefix}{number}")


def die_paying(checkout: Checkout, order_id: str, effect: str, when: str) -> None:
    """Pay an order, look it up until it is paid and its handler has run, and die meanwhile."""
    checkout.__class__ = DyingCheckout
    assert isinstance(checkout, DyingCheckout)
    checkout.left, checkout.after = int(effect), when == "after"
    pay(checkout, order_id)
    checkout.sweep(per_second=10_000.0, everything=True)


ACTIONS: dict[str, Callable[..., None]] = {
    "sweep": sweep,
    "pay": pay,
    "pay_many": pay_many,
    "die_paying": die_paying,
}


def main(address: str, action: str, *arguments: str) -> None:
    with DGSPay.from_env() as client:
        checkout = checkout_of(address, client)
        checkout.carry_out(_warm(checkout))
        print("ready", flush=True)
        sys.stdin.readline()
        ACTIONS[action](checkout, *arguments)
        checkout.close()
    print("done", flush=True)


def _warm(checkout: Checkout) -> Flow[None]:
    yield from checkout.shop.scope()


if __name__ == "__main__":
    main(*sys.argv[1:])
