import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi.responses import HTMLResponse

from dgspay import AsyncDGSPay, Customer
from dgspay.checkout import AsyncCheckout, Order, SqliteOrders
from dgspay.checkout.frameworks.starlette import routes

dgs = AsyncDGSPay.from_env()
checkout = AsyncCheckout(
    dgs,
    SqliteOrders("orders.sqlite3"),
    secret=os.environ["DGSPAY_WEBHOOK_SECRET"],
    encryption_key=os.environ["DGSPAY_ENCRYPTION_KEY"],
    url=os.environ["SHOP_URL"] + "/dgspay",
)
JANE = Customer(email="jane@example.com", first_name="Jane", last_name="Doe", phone="0788123456")


@checkout.on_paid  # once for each paid order; again only where it raised, or died midway
async def ship(order: Order) -> None:
    print(f"ship {order.id}", flush=True)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with dgs, checkout.sweeping():
        yield
        await checkout.drain()


app = FastAPI(lifespan=lifespan)
app.router.routes.extend(routes(checkout))


@app.get("/tickets/{number}")
async def ticket(number: int) -> HTMLResponse:
    order = await checkout.open(f"ticket-{number}", amount=2000, customer=JANE)
    page = f"<!doctype html><title>Ticket {number}</title>{checkout.page_tags(order)}"
    return HTMLResponse(page, headers={"Cache-Control": "no-store"})
