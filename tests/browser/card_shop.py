"""A small shop on FastAPI: it takes a card encrypted in the browser, a PIN, and the webhook.

It never sees a card number: what the browser posts is encrypted, and goes on to DGS-Pay as
it came.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response

from dgspay import AsyncDGSPay, Customer
from dgspay.browser import script_tag
from dgspay.browser.starlette import card_script_route
from dgspay.models.cards import EncryptedCard, EncryptedPin
from dgspay.models.charges import Charge
from dgspay.models.next_actions import PinRequired
from dgspay.webhooks import PaymentFailed, PaymentSucceeded, WebhookReceiver
from dgspay.webhooks.frameworks.starlette import endpoint
from dgspay.webhooks.inbox.memory import MemoryInbox

PAGE = Path(__file__).with_name("card_shop_page")
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "form-action 'none'; base-uri 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)
PRICE = 5000
CUSTOMER = Customer(
    email="jane.doe@example.com", first_name="Jane", last_name="Doe", phone="0788123456"
)


def create_shop(
    client: Callable[[], AsyncDGSPay], *, encryption_key: str, webhook_secret: str
) -> FastAPI:
    """Build the shop. `client` is called once the event loop runs."""
    receiver = WebhookReceiver(secret=webhook_secret, inbox=MemoryInbox())
    # What the webhook said of each payment; the answers to the browser settle nothing.
    settled: dict[str, str] = {}

    @receiver.on(PaymentSucceeded)
    async def paid(event: PaymentSucceeded) -> None:
        settled[event.dgs_reference] = f"paid {event.amount} {event.currency}"

    @receiver.on(PaymentFailed)
    async def failed(event: PaymentFailed) -> None:
        settled[event.dgs_reference] = "failed"

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with client() as app.state.dgs:
            yield
        await receiver.drain()

    app = FastAPI(lifespan=lifespan)
    app.router.routes.append(card_script_route())
    app.add_api_route("/webhooks/dgspay", endpoint(receiver), methods=["POST"])

    @app.get("/")
    async def checkout() -> HTMLResponse:
        page = (PAGE / "shop.html").read_text().replace("<!-- dgspay -->", script_tag())
        page = page.replace("ENCRYPTION_KEY", encryption_key)
        return HTMLResponse(page, headers={"Content-Security-Policy": POLICY})

    @app.get("/shop.{kind}")
    async def asset(kind: str) -> Response:
        media_type = {"js": "text/javascript", "css": "text/css"}[kind]
        return Response((PAGE / f"shop.{kind}").read_text(), media_type=media_type)

    @app.post("/pay")
    async def pay(request: Request) -> JSONResponse:
        try:
            card = EncryptedCard.from_mapping(await request.json())
        except ValueError as error:
            return JSONResponse({"message": str(error)}, status_code=400)
        charge = await app.state.dgs.charges.card(
            amount=PRICE,
            customer=CUSTOMER,
            card=card,
            redirect_url=str(request.base_url),
            callback_url=f"{request.base_url}webhooks/dgspay",
            narration="Order 1234",
        )
        return JSONResponse(what_next(charge))

    @app.post("/pin/{reference}")
    async def pin(reference: str, request: Request) -> JSONResponse:
        try:
            encrypted = EncryptedPin.from_mapping(await request.json())
        except ValueError as error:
            return JSONResponse({"message": str(error)}, status_code=400)
        charge = await app.state.dgs.charges.authorize_pin(reference, pin=encrypted)
        return JSONResponse(what_next(charge))

    @app.get("/orders/{reference}")
    async def order(reference: str) -> JSONResponse:
        return JSONResponse({"settled": settled.get(reference)})

    return app


def what_next(charge: Charge) -> dict[str, Any]:
    """Tell the page what to ask the payer for."""
    match charge.next_action:
        case PinRequired():
            step = "pin"
        case None:
            step = "wait"
        case _:
            step = "unsupported"
    return {"reference": charge.dgs_reference, "step": step}
