"""The calls of `dgspay.api.charges` on each client."""

from __future__ import annotations

from dgspay.api import charges
from dgspay.descriptors import AsyncResource, Resource, awaits, runs


class AsyncCharges(AsyncResource):
    """Collect from mobile wallets and cards."""

    mobile_money = awaits(charges.mobile_money)
    card = awaits(charges.card)
    authorize_pin = awaits(charges.authorize_pin)
    authorize_otp = awaits(charges.authorize_otp)
    authorize_avs = awaits(charges.authorize_avs)
    wait = awaits(charges.wait)


class Charges(Resource):
    """Collect from mobile wallets and cards."""

    mobile_money = runs(charges.mobile_money)
    card = runs(charges.card)
    authorize_pin = runs(charges.authorize_pin)
    authorize_otp = runs(charges.authorize_otp)
    authorize_avs = runs(charges.authorize_avs)
    wait = runs(charges.wait)
