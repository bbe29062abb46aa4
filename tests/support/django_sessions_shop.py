"""A Django shop on PostgreSQL behind a login; run by itself, for Django is set up once.

    python django_sessions_shop.py {socket folder} {CONN_MAX_AGE}

It reads lines such as `view plain d1`: which view, which kind of handler, which reference. For
each it receives a webhook through a real WSGI or ASGI application, and prints what was answered.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import httpx

from dgspay.webhooks import MemoryInbox, PaymentSucceeded, WebhookReceiver, sign

SECRET = "whsec_of_a_shop"

urlpatterns: list[Any] = []


def set_up(host: str, max_age: int) -> None:
    default = {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "postgres",
        "USER": "shop",
        "HOST": host,
        "CONN_MAX_AGE": max_age,
        "OPTIONS": {"application_name": "shop"},
    }
    import_module("django.conf").settings.configure(
        ALLOWED_HOSTS=["*"],
        DATABASES={"default": default},
        LOGGING_CONFIG=None,
        INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes"],
        MIDDLEWARE=[*middleware()],
        ROOT_URLCONF=__name__,
        SESSION_ENGINE="django.contrib.sessions.backends.signed_cookies",
        SECRET_KEY="of a shop that only tests visit",
    )
    import_module("django").setup()


def middleware() -> Iterator[str]:
    """Name the middleware that demands a login and a token."""
    yield "django.contrib.sessions.middleware.SessionMiddleware"
    yield "django.middleware.csrf.CsrfViewMiddleware"
    yield "django.contrib.auth.middleware.AuthenticationMiddleware"
    if import_module("django").VERSION >= (5, 1):
        yield "django.contrib.auth.middleware.LoginRequiredMiddleware"


def ask_the_database(event: PaymentSucceeded) -> None:
    with import_module("django.db").connection.cursor() as cursor:
        cursor.execute("SELECT %s::text", [event.dgs_reference])


def receivers() -> dict[str, WebhookReceiver]:
    plain, awaited = (WebhookReceiver(secret=SECRET, inbox=MemoryInbox()) for _ in range(2))
    plain.on(PaymentSucceeded)(ask_the_database)

    @awaited.on(PaymentSucceeded)
    async def paid(event: PaymentSucceeded) -> None:
        # As the ORM's own methods with `a` do it.
        await import_module("asgiref.sync").sync_to_async(ask_the_database)(event)

    return {"plain": plain, "async": awaited}


async def serve() -> None:
    asgi = httpx.ASGITransport(import_module("django.core.asgi").get_asgi_application())
    wsgi = httpx.WSGITransport(import_module("django.core.wsgi").get_wsgi_application())
    async with httpx.AsyncClient(transport=asgi, base_url="http://shop.example") as later:
        with httpx.Client(transport=wsgi, base_url="http://shop.example") as at_once:
            while line := await asyncio.to_thread(sys.stdin.readline):
                view, handler, reference = line.split()
                fields = {"event": "payment.success", "dgs_reference": reference}
                body = json.dumps(fields | {"amount": 5000, "currency": "RWF"}).encode()
                path, headers = (
                    f"/{view.partition('_under')[0]}/{handler}",
                    {"X-DGS-Signature": sign(body, SECRET)},
                )
                if view == "async_view":
                    answer = await later.post(path, content=body, headers=headers)
                else:
                    answer = await asyncio.to_thread(
                        at_once.post, path, content=body, headers=headers
                    )
                sys.stdout.write(f"{answer.status_code}\n")
                sys.stdout.flush()


def main(host: str, max_age: str) -> None:
    set_up(host, int(max_age))
    logging.disable(logging.CRITICAL)
    views = import_module("dgspay.webhooks.frameworks.django")
    path = import_module("django.urls").path
    for name, receiver in receivers().items():
        urlpatterns.append(path(f"view/{name}", views.view(receiver)))
        urlpatterns.append(path(f"async_view/{name}", views.async_view(receiver)))
    asyncio.run(serve())


if __name__ == "__main__":
    main(*sys.argv[1:])
