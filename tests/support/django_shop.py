"""A Django shop whose requests are transactions; run by itself, for Django is set up once.

    python django_shop.py database.sqlite3 {view,async_view}

It is given one event three times and prints what it answered and what it has written. The first
time, its order is found to be impossible only when the transaction is committed.
"""

from __future__ import annotations

import asyncio
import json
import sys
from importlib import import_module
from typing import Any

SECRET = "whsec_of_a_shop"
BODY = json.dumps(
    {"event": "payment.success", "dgs_reference": "dgs_1", "amount": 5000, "currency": "RWF"}
).encode()


def set_up(database: str) -> None:
    default = {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": database,
        "ATOMIC_REQUESTS": True,
    }
    import_module("django.conf").settings.configure(
        ALLOWED_HOSTS=["*"],
        DATABASES={"default": default},
        LOGGING_CONFIG=None,
        ROOT_URLCONF=__name__,
        SECRET_KEY="of a shop that only tests visit",
    )
    import_module("django").setup()


def routes(kind: str) -> list[Any]:
    from dgspay.webhooks import MemoryInbox, PaymentSucceeded, WebhookReceiver
    from dgspay.webhooks.frameworks.django import async_view, view

    receiver = WebhookReceiver(secret=SECRET, inbox=MemoryInbox())
    database = import_module("django.db")
    tries: list[int] = []

    def paid(event: PaymentSucceeded) -> None:
        tries.append(1)
        with database.transaction.atomic(), database.connection.cursor() as cursor:
            if len(tries) > 1:
                cursor.execute("INSERT INTO customer VALUES (1)")
            cursor.execute("INSERT INTO orders VALUES (%s, 1)", [event.dgs_reference])

    receiver.on(PaymentSucceeded)(paid)
    views: dict[str, Any] = {"view": view, "async_view": async_view}
    return [import_module("django.urls").path("hook", views[kind](receiver))]


def delivered(kind: str) -> Any:
    from dgspay.webhooks import sign

    clients = import_module("django.test")
    request: dict[str, Any] = {
        "data": BODY,
        "content_type": "application/json",
        "headers": {"X-DGS-Signature": sign(BODY, SECRET)},
    }
    if kind == "view":
        return clients.Client(raise_request_exception=False).post("/hook", **request)
    posting = clients.AsyncClient(raise_request_exception=False).post("/hook", **request)
    return asyncio.run(posting)


def main(database: str, kind: str) -> None:
    set_up(database)
    connection = import_module("django.db").connection
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE customer (id integer PRIMARY KEY)")
        cursor.execute(
            "CREATE TABLE orders (reference text PRIMARY KEY, customer integer "
            "REFERENCES customer DEFERRABLE INITIALLY DEFERRED)"
        )
    globals()["urlpatterns"] = routes(kind)
    statuses = [delivered(kind).status_code for _ in range(3)]
    with connection.cursor() as cursor:
        cursor.execute("SELECT reference FROM orders")
        sys.stdout.write(json.dumps({"statuses": statuses, "orders": cursor.fetchall()}))


urlpatterns: list[Any] = []

if __name__ == "__main__":
    sys.modules["django_shop"] = sys.modules["__main__"]
    main(*sys.argv[1:])
