"""A shop with a checkout, on Starlette: the page is `checkout.page_tags`, under a strict policy."""

from __future__ import annotations

import contextlib
import itertools
import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import attrs
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from dgspay import AsyncDGSPay, Customer
from dgspay.checkout import AsyncCheckout, Limits, Order, SqliteOrders, Timing
from dgspay.checkout.frameworks.starlette import routes
from dgspay.emulator import Emulator
from tests.browser.conftest import POLICY, serving

JANE = Customer(email="jane@example.com", first_name="Jane", last_name="Uwase", phone="0788123456")
PAGE = """<!doctype html><html lang="{lang}"><meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="color-scheme" content="light dark"><title>Umwari Shop</title>
<main><h1>Umwari Shop</h1>
{tags}</main>"""


_numbers = itertools.count(1)


@attrs.define
class CheckoutShop:
    """A shop that runs, and the emulator that it charges at.

    Attributes:
        url: Its address, without a slash at the end.
        emulator: The emulator.
        checkout: Its checkout.
        path: The file of its orders.
        paid: Ids of the orders for which its handler was called.
    """

    url: str
    emulator: Emulator
    checkout: AsyncCheckout
    path: Path
    paid: list[str] = attrs.field(factory=list)

    def page(self, order_id: str, lang: str = "en", **terms: Any) -> str:
        """Return the address of the page of an order, which is opened when it is asked for."""
        query = "&".join(f"{name}={quote(str(value))}" for name, value in terms.items())
        return f"{self.url}/pay/{quote(order_id, safe='')}/{lang}?{query}"

    def next_id(self) -> str:
        """Return an id that no other shop of this process has: they have one account."""
        return f"2026-{next(_numbers):04}"


@contextlib.contextmanager
def running(
    emulator: Emulator,
    api: str,
    path: Path,
    *,
    port: int = 0,
    timing: Timing | None = None,
    limits: Limits | None = None,
) -> Iterator[CheckoutShop]:
    """Run the shop on a free loopback port, or on one that it had before."""
    with socket.create_server(("127.0.0.1", port)) as listener:
        port = listener.getsockname()[1]
        limits = limits or Limits(attempts=100, address_attempts=10_000)
        shop = _shop(emulator, api, path, f"http://127.0.0.1:{port}", timing=timing, limits=limits)
        with serving(_app(shop), listener):
            yield shop


def _shop(
    emulator: Emulator,
    api: str,
    path: Path,
    url: str,
    *,
    timing: Timing | None,
    limits: Limits,
) -> CheckoutShop:
    dgs = AsyncDGSPay(
        api_key=emulator.api_key,
        account_number=emulator.account_number,
        environment="emulator",
        base_url=api,
    )
    checkout = AsyncCheckout(
        dgs,
        SqliteOrders(path),
        secret=emulator.webhook_secret,
        url=f"{url}/dgspay",
        redirect_url=f"{url}/back",
        merchant_name="Umwari Shop",
        encryption_key=emulator.encryption_key,
        timing=timing,
        limits=limits,
    )
    shop = CheckoutShop(url=url, emulator=emulator, checkout=checkout, path=path)

    @checkout.on_paid
    async def ship(order: Order) -> None:
        shop.paid.append(order.id)

    return shop


def _app(shop: CheckoutShop) -> Starlette:
    async def pay(request: Request) -> Response:
        lang = request.path_params["lang"]
        terms = dict(request.query_params)
        order = await shop.checkout.open(
            request.path_params["order"],
            amount=terms.get("amount", "15000"),
            currency=terms.get("currency", "RWF"),
            customer=JANE,
            description=terms.get("description", "Two bags of coffee from Huye"),
            redirect_url=f"{request.url.replace(query='', fragment='')}",
            expires=float(terms["expires"]) if "expires" in terms else None,
        )
        tags = shop.checkout.page_tags(
            order, lang=None if lang == "any" else lang, shop_url=f"{shop.url}/"
        )
        return HTMLResponse(
            PAGE.format(lang="en" if lang == "any" else lang, tags=tags),
            headers={"Content-Security-Policy": POLICY, "Cache-Control": "no-store"},
        )

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with shop.checkout.sweeping(every=0.5):
            yield
        await shop.checkout.drain()

    return Starlette(
        lifespan=lifespan,
        routes=[
            Route("/", lambda _: Response("the shop", media_type="text/plain")),
            Route("/favicon.ico", lambda _: Response(status_code=204)),
            Route("/pay/{order}/{lang}", pay),
            *routes(shop.checkout),
        ],
    )
