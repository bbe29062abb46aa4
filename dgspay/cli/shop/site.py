"""The pages of the example shop: what it sells, and the checkout of an order."""

from __future__ import annotations

import html
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import resources
from typing import Final

import attrs
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from dgspay import AsyncDGSPay, Customer
from dgspay.checkout import AsyncCheckout
from dgspay.checkout.frameworks.starlette import routes
from dgspay.cli.payers import CARDS, CODES, PHONES

JANE: Final = Customer(
    email="jane@example.com", first_name="Jane", last_name="Uwase", phone="0788123456"
)

_HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}

_PAGE: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<link rel="stylesheet" href="/shop.css">
<link rel="icon" href="data:,">
</head>
<body>
<header><a href="/">Umurage Shop</a><span>An example: no real money</span></header>
<main>
{main}
</main>
<footer>Look inside: <a href="{emulator_url}">the DGS-Pay of this shop</a></footer>
</body>
</html>
"""


@attrs.frozen
class Item:
    """A thing that is for sale.

    Attributes:
        name: As customers read it.
        about: One sentence.
        price: In RWF.
    """

    name: str
    about: str
    price: int


ITEMS: Final = {
    "coffee": Item("Coffee from Huye", "250 g, roasted last week.", 6_000),
    "basket": Item("Agaseke basket", "Woven by hand, with its lid.", 25_000),
    "ticket": Item("Concert in Kigali", "One seat, Saturday at 19:00.", 12_000),
}


def site(dgs: AsyncDGSPay, checkout: AsyncCheckout, *, emulator_url: str) -> Starlette:
    """Return the shop as an application; it closes the client and the checkout at its end."""

    def page(title: str, main: str) -> HTMLResponse:
        text = _PAGE.format(title=title, main=main, emulator_url=html.escape(emulator_url))
        return HTMLResponse(text, headers=_HEADERS)

    async def front(request: Request) -> Response:
        # Each visit has orders of its own, and a click that is repeated buys nothing twice.
        visit = secrets.token_hex(4)
        cards = (
            f"<li><h2>{item.name}</h2><p>{item.about}</p>"
            f'<a class="buy" href="/orders/{key}-{visit}">Buy for {item.price:,} RWF</a></li>'
            for key, item in ITEMS.items()
        )
        return page(
            "Umurage Shop",
            f'<h1>What would you like?</h1>\n<ul class="items">{"".join(cards)}</ul>',
        )

    async def order(request: Request) -> Response:
        order_id = request.path_params["order_id"]
        item = ITEMS.get(order_id.partition("-")[0])
        if item is None:
            raise HTTPException(404)
        opened = await checkout.open(
            order_id, amount=item.price, customer=JANE, description=item.name
        )
        tags = checkout.page_tags(opened, shop_url="/")
        return page(
            f"{item.name}, {item.price:,} RWF",
            f"<h1>{item.name}</h1>\n<p>{item.about}</p>\n{tags}\n{_hints()}",
        )

    async def style(request: Request) -> Response:
        text = (resources.files("dgspay.cli.shop") / "shop.css").read_text(encoding="utf-8")
        return Response(text, media_type="text/css")

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with dgs, checkout.sweeping():
            yield
            await checkout.drain()
        checkout.close()

    return Starlette(
        routes=[
            Route("/", front),
            Route("/orders/{order_id}", order),
            Route("/shop.css", style),
            *routes(checkout),
        ],
        lifespan=lifespan,
    )


def _hints() -> str:
    rows = "".join(
        f"<tr><td><code>{thing}</code></td><td>{html.escape(words)}</td></tr>"
        for thing, words in (*PHONES, *CARDS)
    )
    return (
        "<details open><summary>Phone numbers and cards to try</summary>"
        f"<table>{rows}</table>"
        f"<p>{CODES}</p></details>"
    )
