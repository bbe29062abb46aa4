"""The calls of `dgspay.api.disbursements` on each client."""

from __future__ import annotations

from dgspay.api import disbursements
from dgspay.descriptors import AsyncResource, Resource, awaits, runs


class AsyncDisbursements(AsyncResource):
    """Pay out to bank accounts and mobile wallets."""

    create = awaits(disbursements.create)


class Disbursements(Resource):
    """Pay out to bank accounts and mobile wallets."""

    create = runs(disbursements.create)
