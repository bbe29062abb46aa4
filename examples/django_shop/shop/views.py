"""Pages of the shop."""

from django.http import HttpRequest, HttpResponse, JsonResponse

from dgspay import Customer
from shop.payments import checkout

JANE = Customer(email="jane@example.com", first_name="Jane", last_name="Uwase", phone="0788123456")


def buy(request: HttpRequest, order_id: str) -> HttpResponse:
    """Open an order, and hand the page what it needs to pay it."""
    order = checkout.open(order_id, amount=15_000, customer=JANE, expires=3600)
    return JsonResponse({"order": order.id, "token": order.page_token})
