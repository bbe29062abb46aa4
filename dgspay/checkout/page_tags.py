"""HTML of a payer's page: the modules, checked by their hashes, and the element of an order."""

from __future__ import annotations

import html

from dgspay.browser import script_tags
from dgspay.checkout.order import Order


def page_tags(
    base: str, order: Order, *, lang: str | None = None, shop_url: str | None = None
) -> str:
    """Return the tags that show the checkout of an order; see `Checkout.page_tags`."""
    attributes = {
        "order": order.id,
        "token": order.page_token,
        "base": f"{base}/",
        "lang": lang,
        "shop-url": shop_url,
    }
    written = " ".join(
        f'{name}="{html.escape(text)}"' for name, text in attributes.items() if text is not None
    )
    return f"{script_tags(base)}\n<dgspay-checkout {written}></dgspay-checkout>"
