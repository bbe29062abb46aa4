"""The shop's checkout: orders are kept in Django's own database."""

import os

from django.conf import settings

from dgspay import DGSPay
from dgspay.checkout import Checkout, Order, SqliteOrders

checkout = Checkout(
    DGSPay.from_env(),
    SqliteOrders(settings.DATABASE),
    secret=os.environ["DGSPAY_WEBHOOK_SECRET"],
    url=f"{settings.BASE_URL}/dgspay",
    merchant_name="Umwari Shop",
    encryption_key=os.environ.get("DGSPAY_ENCRYPTION_KEY"),
)


@checkout.on_paid
def send(order: Order) -> None:
    """Send the parcel: called once for each paid order, again only where it raised."""
    from shop.models import Parcel

    Parcel.objects.get_or_create(order=order.id)
