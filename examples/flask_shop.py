"""A shop on Flask: `flask --app flask_shop run`.

Beside it, in the same folder, runs what finds the payments that no webhook has reported:

    dgspay orders sweep --app flask_shop:checkout --every 30
"""

import os

from flask import Flask

from dgspay import Customer, DGSPay
from dgspay.checkout import Checkout, Order, SqliteOrders
from dgspay.checkout.frameworks.flask import blueprint

checkout = Checkout(
    DGSPay.from_env(),
    SqliteOrders("orders.sqlite3"),
    secret=os.environ["DGSPAY_WEBHOOK_SECRET"],
    encryption_key=os.environ["DGSPAY_ENCRYPTION_KEY"],
    url=os.environ["SHOP_URL"] + "/dgspay",
)
JANE = Customer(email="jane@example.com", first_name="Jane", last_name="Doe", phone="0788123456")


@checkout.on_paid  # once for each paid order; again only where it raised, or died midway
def ship(order: Order) -> None:
    print(f"ship {order.id}", flush=True)


app = Flask(__name__)
app.register_blueprint(blueprint(checkout))


@app.get("/books/<int:number>")
def book(number: int) -> tuple[str, dict[str, str]]:
    order = checkout.open(f"book-{number}", amount=2000, customer=JANE)
    page = f"<!doctype html><title>Book {number}</title>{checkout.page_tags(order)}"
    return page, {"Cache-Control": "no-store"}
