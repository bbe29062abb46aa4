"""The areas of the API on each client: every call of `dgspay.api`, bound twice."""

from __future__ import annotations

from dgspay.api import (
    balances,
    banks,
    charges,
    conversions,
    disbursements,
    payment_links,
    transactions,
)
from dgspay.descriptors import AsyncResource, Resource, awaits, pages, pages_async, runs


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


class AsyncDisbursements(AsyncResource):
    """Pay out to bank accounts and mobile wallets."""

    create = awaits(disbursements.create)


class Disbursements(Resource):
    """Pay out to bank accounts and mobile wallets."""

    create = runs(disbursements.create)


class AsyncBanks(AsyncResource):
    """Banks and providers that can be paid to."""

    list = awaits(banks.list)


class Banks(Resource):
    """Banks and providers that can be paid to."""

    list = runs(banks.list)


class AsyncBalances(AsyncResource):
    """The merchant wallet."""

    list = awaits(balances.list)
    available = awaits(balances.available)


class Balances(Resource):
    """The merchant wallet."""

    list = runs(balances.list)
    available = runs(balances.available)


class AsyncConversions(AsyncResource):
    """Currency conversion within the wallet."""

    preview = awaits(conversions.preview)
    convert = awaits(conversions.convert)


class Conversions(Resource):
    """Currency conversion within the wallet."""

    preview = runs(conversions.preview)
    convert = runs(conversions.convert)


class AsyncTransactions(AsyncResource):
    """The history of the account."""

    list = pages_async(transactions.list)
    retrieve = awaits(transactions.retrieve)


class Transactions(Resource):
    """The history of the account."""

    list = pages(transactions.list)
    retrieve = runs(transactions.retrieve)
