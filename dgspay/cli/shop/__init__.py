"""`dgspay shop`: a shop to buy from in a browser, with a DGS-Pay of its own, until Ctrl-C."""

from __future__ import annotations

import shlex
import socket
import threading
import webbrowser
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from dgspay import AsyncDGSPay
from dgspay.checkout import AsyncCheckout, Order, SqliteOrders
from dgspay.cli.emulator import exports, require_emulator
from dgspay.cli.exit_codes import fail
from dgspay.cli.signals import stop_signals, wait_until
from dgspay.cli.terminal import console, money, visible

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from dgspay.emulator import Emulator

_SETTLE_SECONDS = 6.0
_SHOP_NAME = "Umurage Shop"


def shop(
    *,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port of the shop; 0 takes a free one.")
    ] = 0,
    settle_after: Annotated[
        float, typer.Option(min=0, help="Seconds until the payer's phone approves a prompt.")
    ] = _SETTLE_SECONDS,
    open_browser: Annotated[
        bool, typer.Option("--open", help="Open the shop in your browser.")
    ] = False,
) -> None:
    """Run an example shop with a local DGS-Pay, and buy something in your browser, until Ctrl-C.

    Needs no account and no network: the money is simulated, and everything stays on this machine.
    Prints its address, phone numbers and cards to try, and each order that is shipped.
    """
    require_emulator()
    from dgspay.cli.shop.site import site  # noqa: PLC0415 - it imports the extra
    from dgspay.emulator import Emulator  # noqa: PLC0415 - as above

    try:
        with (
            TemporaryDirectory(prefix="dgspay-shop-") as folder,
            socket.create_server(("127.0.0.1", port)) as listener,
            Emulator(settle_after=settle_after) as emulator,
            emulator.serve() as served,
            stop_signals() as stopped,
        ):
            url = f"http://127.0.0.1:{listener.getsockname()[1]}"
            orders = Path(folder) / "orders.sqlite3"
            dgs = AsyncDGSPay(
                api_key=emulator.api_key,
                account_number=emulator.account_number,
                environment="emulator",
                base_url=served.url,
            )
            checkout = AsyncCheckout(
                dgs,
                SqliteOrders(orders),
                secret=emulator.webhook_secret,
                url=f"{url}/dgspay",
                merchant_name=_SHOP_NAME,
                encryption_key=emulator.encryption_key,
            )
            checkout.on_paid(_ship)
            with _serving(site(dgs, checkout, emulator_url=served.origin), listener):
                _introduce(emulator, url, served.url, served.origin, orders)
                if open_browser:
                    webbrowser.open(url)
                wait_until(stopped)
    except OSError as error:
        reason = f"Cannot listen on port {port}: {error.strerror}. Leave --port out."
    else:
        console().print("Stopped.")
        return
    fail(reason)


def _ship(order: Order) -> None:
    what = f"{visible(order.description or '')}, {money(order.amount, order.currency)}"
    console().print(f"Shipped: order {visible(order.id)}, {what}", style="green")


@contextmanager
def _serving(app: ASGIApp, listener: socket.socket) -> Generator[None]:
    """Serve the shop in a thread until the block is left."""
    import uvicorn  # noqa: PLC0415 - the extra

    config = uvicorn.Config(
        app, log_config=None, access_log=False, lifespan="on", timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join()


def _introduce(local: Emulator, url: str, api: str, console_url: str, orders: Path) -> None:
    from dgspay.cli.payers import lines  # noqa: PLC0415 - it imports the extra

    out = console()
    out.print(f"A shop is open at {url}", style="bold", soft_wrap=True)
    out.print(f"Its DGS-Pay, with everything that was paid, is at {console_url}", soft_wrap=True)
    out.print("The money is simulated. Any phone number and any of these cards will do:\n")
    for line in lines():
        out.print(line)
    out.print("\nThe shop's orders, in another terminal:\n")
    for name, value in {**exports(local, api), "DGSPAY_ORDERS": str(orders)}.items():
        # Not wrapped at the terminal's width: these lines are there to be copied.
        out.print(f"export {name}={shlex.quote(value)}", soft_wrap=True)
    out.print("dgspay orders list\n")
    out.print("Ctrl-C stops it, and forgets everything.")
