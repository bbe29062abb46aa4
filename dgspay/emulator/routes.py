"""Every route of the emulator, in one table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from dgspay.emulator import balances, charges, transactions
from dgspay.emulator.calls import API_PREFIX, Route

ROUTES: Final = (
    Route("POST", f"{API_PREFIX}/charges", charges.create),
    Route("GET", f"{API_PREFIX}/balance", balances.show),
    Route("GET", f"{API_PREFIX}/transactions", transactions.index),
    Route("GET", f"{API_PREFIX}/transactions/{{id}}", transactions.retrieve),
)

API_OPERATIONS: Final = tuple(route.operation for route in ROUTES if not route.public)


def find_route(method: str, path: str) -> tuple[Route, Mapping[str, str]] | None:
    """Return the route for a path that is still percent-encoded, and its variable segments."""
    segments = tuple(path.split("/"))
    for route in ROUTES:
        if route.method == method and (values := route.match(segments)) is not None:
            return route, values
    return None
