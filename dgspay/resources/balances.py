"""The calls of `dgspay.api.balances` on each client."""

from __future__ import annotations

from dgspay.api import balances
from dgspay.descriptors import AsyncResource, Resource, awaits, runs


class AsyncBalances(AsyncResource):
    """The merchant wallet."""

    list = awaits(balances.list)
    available = awaits(balances.available)


class Balances(Resource):
    """The merchant wallet."""

    list = runs(balances.list)
    available = runs(balances.available)
