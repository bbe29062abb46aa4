"""The calls of `dgspay.api.transactions` on each client."""

from __future__ import annotations

from dgspay.api import transactions
from dgspay.descriptors import AsyncResource, Resource, awaits, pages, pages_async, runs


class AsyncTransactions(AsyncResource):
    """The history of the account."""

    list = pages_async(transactions.list)
    retrieve = awaits(transactions.retrieve)


class Transactions(Resource):
    """The history of the account."""

    list = pages(transactions.list)
    retrieve = runs(transactions.retrieve)
