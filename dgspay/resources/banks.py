"""The calls of `dgspay.api.banks` on each client."""

from __future__ import annotations

from dgspay.api import banks
from dgspay.descriptors import AsyncResource, Resource, awaits, runs


class AsyncBanks(AsyncResource):
    """Banks and providers that can be paid to."""

    list = awaits(banks.list)


class Banks(Resource):
    """Banks and providers that can be paid to."""

    list = runs(banks.list)
