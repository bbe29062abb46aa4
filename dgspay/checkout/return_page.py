"""The page to which a payer comes back from a step outside of the shop's: it shows the checkout."""

from __future__ import annotations

import html
from functools import partial
from urllib.parse import urlsplit

from dgspay.callback_urls import is_same_token
from dgspay.checkout.flow import Flow, transact
from dgspay.checkout.order import Order
from dgspay.checkout.page_tags import page_tags
from dgspay.checkout.shop import RETURN_PATH, Shop
from dgspay.checkout.store.loading import load_by_key

HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; connect-src 'self'; img-src data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    # Its address is for its payer alone.
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}

_PAGE = """<!doctype html>
<html>
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<link rel="icon" href="data:,">
</head>
<body>
{body}
</body>
</html>
"""

NOT_FOUND = _PAGE.format(
    title="DGS-Pay", body="<p>There is no such payment here. Go back to the shop.</p>"
)
UNAVAILABLE = _PAGE.format(
    title="DGS-Pay",
    body="<p>The shop cannot say at the moment how your payment stands. It goes on: do not pay "
    "again. Load this page again in a minute.</p>",
)


def is_return(path: str) -> bool:
    """Whether a path of the checkout's is one of these pages."""
    return path.partition("/")[0] == RETURN_PATH


def return_page(shop: Shop, path: str) -> Flow[str | None]:
    """Return the page of an order by its path, or None where that is none's.

    Raises:
        OrdersError: the store failed.
    """
    _, _, address = path.partition("/")
    key, _, token = address.partition("/")
    if not key.isascii() or not key.isdigit() or len(key) > _DIGITS:
        return None
    scope = yield from shop.scope()
    found = yield from transact(partial(load_by_key, scope, int(key)))
    if found is None or not is_same_token(scope.return_token(found[0].id), token):
        return None
    return _page(shop, found[0])


_DIGITS = 18


def _page(shop: Shop, order: Order) -> str:
    base = urlsplit(shop.base or "").path
    title = html.escape(shop.merchant_name or "DGS-Pay")
    return _PAGE.format(title=title, body=page_tags(base, order, shop_url="/"))
