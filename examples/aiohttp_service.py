"""A service on aiohttp for an app that has pages of its own: `python aiohttp_service.py`.

    POST /invoices/17/pay   {"phone": "0788123456", "network": "MTN"}
    GET  /invoices/17

Both answer with how the invoice stands. Paying twice is paying once: a second request finds the
prompt that is on the phone.
"""

import os
from collections.abc import AsyncIterator

from aiohttp import web

from dgspay import AsyncDGSPay, Customer
from dgspay.checkout import AsyncCheckout, CheckoutError, Order, SqliteOrders
from dgspay.checkout.frameworks.aiohttp import routes

dgs = AsyncDGSPay.from_env()
checkout = AsyncCheckout(
    dgs,
    SqliteOrders("orders.sqlite3"),
    secret=os.environ["DGSPAY_WEBHOOK_SECRET"],
    url=os.environ["SHOP_URL"] + "/dgspay",
)
JANE = Customer(email="jane@example.com", first_name="Jane", last_name="Doe", phone="0788123456")


@checkout.on_paid  # once for each paid order; again only where it raised, or died midway
async def ship(order: Order) -> None:
    print(f"ship {order.id}", flush=True)


def standing(order: Order) -> web.Response:
    attempt = order.attempt
    return web.json_response(
        {"state": order.state, "attempt": None if attempt is None else attempt.state}
    )


async def pay(request: web.Request) -> web.Response:
    posted = await request.json()
    order_id = f"invoice-{int(request.match_info['number'])}"
    try:
        await checkout.open(order_id, amount=2000, customer=JANE)
        order = await checkout.pay_by_mobile_money(
            order_id, phone=posted["phone"], network=posted["network"]
        )
    except (CheckoutError, LookupError, TypeError, ValueError) as error:
        raise web.HTTPUnprocessableEntity(text=str(error)) from None
    return standing(order)


async def show(request: web.Request) -> web.Response:
    return standing(await checkout.order(f"invoice-{int(request.match_info['number'])}"))


async def lifespan(app: web.Application) -> AsyncIterator[None]:
    async with dgs, checkout.sweeping():
        yield
        await checkout.drain()


app = web.Application()
app.cleanup_ctx.append(lifespan)
app.add_routes(routes(checkout))
app.router.add_post(r"/invoices/{number:\d+}/pay", pay)
app.router.add_get(r"/invoices/{number:\d+}", show)

if __name__ == "__main__":
    web.run_app(app, host="127.0.0.1", port=int(os.environ.get("PORT", "8000")))
