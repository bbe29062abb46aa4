"""The examples as a shop runs them: each a program of its own, on sockets, and its customer."""

from __future__ import annotations

import contextlib
import html
import os
import re
import socket
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import attrs
import httpx

from dgspay.emulator import Emulator
from tests.cli.terminal import PATIENCE, variables
from tests.support.postgres_clusters import free_port

EXAMPLES = Path(__file__).parents[3] / "examples"
PHONE, POOR_PHONE = "0788123456", "0789000001"


@attrs.define
class Shop(ABC):
    """An example that runs, and its only customer."""

    folder: Path
    emulator: Emulator
    environ: dict[str, str]
    http: httpx.Client

    @abstractmethod
    def pay(self, phone: str = PHONE) -> None:
        """Ask for a prompt as the page or the app does."""

    @abstractmethod
    def state(self) -> tuple[str, str | None]:
        """How the order stands, and its attempt."""

    @property
    @abstractmethod
    def checkout(self) -> str:
        """The module and the name of its checkout."""

    @property
    def prompts(self) -> int:
        return len(self.emulator.transactions)

    @property
    def shipped(self) -> int:
        """How often the shop's processes have printed that they ship."""
        return sum(
            path.read_text(encoding="utf-8").count("ship ") for path in self.folder.glob("*.out")
        )

    def approve(self) -> None:
        self.emulator.approve(self.emulator.transactions[-1].dgs_reference)
        self.emulator.wait_for_deliveries()

    def sweep(self) -> None:
        """Give the command that finds what no webhook has reported, with the shop's handlers."""
        arguments = ("orders", "sweep", "--everything", "--app", self.checkout)
        with self.open("sweep.out") as out:
            subprocess.run(
                [sys.executable, "-m", "dgspay", *arguments],
                stdout=out,
                cwd=self.folder,
                env=self.environ,
                timeout=PATIENCE,
                check=True,
            )

    @contextlib.contextmanager
    def open(self, name: str) -> Iterator[Any]:
        with (self.folder / name).open("ab") as out:
            yield out


class PageShop(Shop):
    """A shop that renders the page of an order, whose element calls the routes of the checkout."""

    path: str
    name: str

    @property
    def checkout(self) -> str:
        return f"{self.name}:checkout"

    def pay(self, phone: str = PHONE) -> None:
        answer = self.http.post(
            "/dgspay/order/mobile-money",
            headers=self._page(),
            json={"phone": phone, "network": "MTN"},
        )
        assert answer.status_code == 200, answer.text

    def state(self) -> tuple[str, str | None]:
        shown = self.http.get("/dgspay/order", headers=self._page()).json()
        attempt = shown["attempt"]
        return shown["order"]["state"], attempt and attempt["state"]

    def _page(self) -> dict[str, str]:
        """Open the page, and return what its element shows for it."""
        page = self.http.get(self.path).text
        order, token = (
            html.unescape(re.findall(rf' {name}="([^"]+)"', page)[0]) for name in ("order", "token")
        )
        return {"DGSPay-Order": quote(order), "DGSPay-Page-Token": token}


class FastAPIShop(PageShop):
    path, name = "/tickets/17", "fastapi_shop"


class FlaskShop(PageShop):
    path, name = "/books/17", "flask_shop"


class AiohttpService(Shop):
    """A service whose app asks it in JSON."""

    checkout = "aiohttp_service:checkout"

    def pay(self, phone: str = PHONE) -> None:
        answer = self.http.post("/invoices/17/pay", json={"phone": phone, "network": "MTN"})
        assert answer.status_code == 200, answer.text

    def state(self) -> tuple[str, str | None]:
        told = self.http.get("/invoices/17").json()
        return told["state"], told["attempt"] and told["attempt"].replace(" ", "_")


SHOPS: dict[str, tuple[type[Shop], Sequence[str]]] = {
    "fastapi_shop": (FastAPIShop, ("-m", "uvicorn", "fastapi_shop:app", "--port", "{port}")),
    "flask_shop": (
        FlaskShop,
        ("-m", "flask", "--app", "flask_shop", "run", "--port", "{port}"),
    ),
    "aiohttp_service": (AiohttpService, ("aiohttp_service.py",)),
}


@contextlib.contextmanager
def running(name: str, folder: Path) -> Iterator[Shop]:
    """Run an example in this folder, beside an emulator in which payers decide by hand."""
    kind, command = SHOPS[name]
    (folder / f"{name}.py").write_bytes((EXAMPLES / f"{name}.py").read_bytes())
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with Emulator(settle_after=None) as emulator, emulator.serve() as served:
        environ = {
            **os.environ,
            **variables(emulator, served.url),
            "DGSPAY_ENCRYPTION_KEY": emulator.encryption_key,
            "SHOP_URL": url,
            "PORT": str(port),
        }
        with (
            httpx.Client(base_url=url, timeout=PATIENCE) as http,
            (folder / "shop.out").open("ab") as out,
            subprocess.Popen(
                [sys.executable, *(part.format(port=port) for part in command)],
                stdout=out,
                cwd=folder,
                env=environ,
            ) as program,
        ):
            try:
                _reached(port, program)
                yield kind(folder, emulator, environ, http)
            finally:
                program.terminate()


def _reached(port: int, program: subprocess.Popen[bytes]) -> None:
    """Wait until something listens."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and program.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise AssertionError("the example does not listen")
