"""The calls of `dgspay.api.conversions` on each client."""

from __future__ import annotations

from dgspay.api import conversions
from dgspay.descriptors import AsyncResource, Resource, awaits, runs


class AsyncConversions(AsyncResource):
    """Currency conversion within the wallet."""

    preview = awaits(conversions.preview)
    convert = awaits(conversions.convert)


class Conversions(Resource):
    """Currency conversion within the wallet."""

    preview = runs(conversions.preview)
    convert = runs(conversions.convert)
