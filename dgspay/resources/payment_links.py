"""The calls of `dgspay.api.payment_links` on each client."""

from __future__ import annotations

from dgspay.api import payment_links
from dgspay.descriptors import AsyncResource, Resource, awaits, pages, pages_async, runs


class AsyncPaymentLinks(AsyncResource):
    """Pages a customer can pay on."""

    create = awaits(payment_links.create)
    list = pages_async(payment_links.list)
    retrieve = awaits(payment_links.retrieve)
    update = awaits(payment_links.update)
    archive = awaits(payment_links.archive)


class PaymentLinks(Resource):
    """Pages a customer can pay on."""

    create = runs(payment_links.create)
    list = pages(payment_links.list)
    retrieve = runs(payment_links.retrieve)
    update = runs(payment_links.update)
    archive = runs(payment_links.archive)
