"""A process of a shop, told what to do line by line: a checkout on PostgreSQL.

    python worker.py "host=… dbname=…" http://127.0.0.1:… KEY ACCOUNT SECRET

It is sent JSON, `{"now": …, "do": "pay", …}`, and answers each with a line: how the order stands,
or the error's type. Its handler writes into a table of the shop's, in the transaction that notes
that it is done.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from dgspay import Customer, DGSPay, RetryPolicy, Timeout
from dgspay.checkout import Checkout, Order, PostgresOrders
from dgspay.checkout.store.scope import Limits
from dgspay.errors import DGSPayError

URL = "http://127.0.0.1:1/dgspay"
JANE = Customer(email="jane@example.com", first_name="Jane", last_name="Uwase", phone="0788123456")


class ToldClock:
    """The time that the storm says it is."""

    now = 0.0

    def time(self) -> float:
        return self.now

    def monotonic(self) -> float:
        return self.now


def ship(order: Order, connection: Any) -> None:
    connection.execute("INSERT INTO shipped (id) VALUES (%s)", (order.id,))


def do(checkout: Checkout, told: dict[str, Any]) -> object:
    order_id = told.get("order", "")
    match told["do"]:
        case "open":
            expires = told.get("expires")
            return checkout.open(order_id, amount=2000, customer=JANE, expires=expires)
        case "pay":
            return checkout.pay_by_mobile_money(order_id, phone="0788123456", network="MTN")
        case "receive":
            body, path = bytes.fromhex(told["body"]), told["path"]
            return checkout.receive(body, told["signature"], path=path).status
        case "sweep":
            checkout.sweep(everything=told["all"], per_second=1e6)
            return None
        case "cancel":
            return checkout.cancel(order_id)
        case "refund":
            return checkout.refund(order_id, amount=told["amount"]).state.value
    raise ValueError(told["do"])


def main() -> None:
    conninfo, url, key, account, secret = sys.argv[1:]
    clock = ToldClock()
    dgs = DGSPay(
        api_key=key,
        account_number=account,
        environment="emulator",
        base_url=url,
        retry=RetryPolicy(attempts=1),
        timeout=Timeout(read=5),
    )
    store = PostgresOrders(conninfo, clock=clock)
    checkout = Checkout(dgs, store, secret=secret, url=URL, limits=Limits(attempts=1000))
    checkout.on_paid(ship)
    checkout.on_problem(lambda problem: None)
    for line in sys.stdin:
        told = json.loads(line)
        clock.now = told["now"]
        try:
            found = do(checkout, told)
            said = found.state.value if isinstance(found, Order) else found
        except DGSPayError as error:
            said = type(error).__name__
        sys.stdout.write(json.dumps(said) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
