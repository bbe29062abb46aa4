"""Every route of the emulator, in one table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from dgspay.emulator.api import (
    authorize,
    balances,
    banks,
    charges,
    conversions,
    disbursements,
    payment_links,
    transactions,
)
from dgspay.emulator.api.call import API_PREFIX, Route
from dgspay.emulator.api.charges import REDIRECT_PATH
from dgspay.emulator.domain.payment_links import FORMS, PAY_PATH, UPDATE_FORMS
from dgspay.emulator.web import handset_api, link_page_api, payment_pages

ROUTES: Final = (
    Route("POST", f"{API_PREFIX}/charges", charges.create, charges.FORMS),
    Route("POST", f"{API_PREFIX}/authorize", authorize.create, authorize.FORMS),
    Route("POST", f"{API_PREFIX}/payment-links", payment_links.create, FORMS),
    Route("GET", f"{API_PREFIX}/payment-links", payment_links.index),
    Route("GET", f"{API_PREFIX}/payment-links/{{id}}", payment_links.retrieve),
    Route("PATCH", f"{API_PREFIX}/payment-links/{{id}}", payment_links.update, UPDATE_FORMS),
    Route("DELETE", f"{API_PREFIX}/payment-links/{{id}}", payment_links.archive),
    Route("POST", f"{API_PREFIX}/disburse", disbursements.create, disbursements.FORMS),
    Route("GET", f"{API_PREFIX}/banks/{{country}}", banks.index),
    Route("GET", f"{API_PREFIX}/balance", balances.show),
    Route("POST", f"{API_PREFIX}/convert", conversions.create, conversions.FORMS),
    Route("GET", f"{API_PREFIX}/transactions", transactions.index),
    Route("GET", f"{API_PREFIX}/transactions/{{id}}", transactions.retrieve),
    Route("GET", f"{PAY_PATH}/{{slug}}", payment_pages.pay, public=True),
    Route("GET", f"{PAY_PATH}/{{slug}}/order", link_page_api.show, public=True),
    Route("GET", f"{PAY_PATH}/{{slug}}/order/changes", link_page_api.show, public=True),
    Route("POST", f"{PAY_PATH}/{{slug}}/order/{{action}}", link_page_api.act, public=True),
    Route("GET", f"{REDIRECT_PATH}/{{reference}}", payment_pages.authorize, public=True),
    Route("GET", f"{REDIRECT_PATH}/{{reference}}/state", handset_api.show, public=True),
    Route("POST", f"{REDIRECT_PATH}/{{reference}}/decision", handset_api.decide, public=True),
)

API_OPERATIONS: Final = tuple(route.operation for route in ROUTES if not route.public)


def find_route(method: str, path: str) -> tuple[Route, Mapping[str, str]] | None:
    """Return the route for a path that is still percent-encoded, and its variable segments."""
    segments = tuple(path.split("/"))
    for route in ROUTES:
        if route.method == method and (values := route.match(segments)) is not None:
            return route, values
    return None


def methods_of(path: str) -> Sequence[str]:
    """Return the methods for which there is a route at a path."""
    segments = tuple(path.split("/"))
    return [route.method for route in ROUTES if route.match(segments) is not None]
