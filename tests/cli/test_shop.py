"""`dgspay shop` as a newcomer runs it: a process of its own, and a shop on a real socket."""

from __future__ import annotations

import contextlib
import html
import re
import signal
import socket
from collections.abc import Iterator
from urllib.parse import quote

import httpx
import pytest

from dgspay.cli.payers import CARDS, PHONES
from dgspay.emulator.api.card_charges import TEST_CARDS
from dgspay.emulator.api.mobile_money_charges import MAGIC_PHONES
from tests.cli.terminal import PATIENCE, CommandLine, process


@contextlib.contextmanager
def running(*options: str) -> Iterator[tuple[str, dict[str, str], Iterator[str]]]:
    """Run the shop; yield its address, the variables it prints, and the lines that follow."""
    with process("shop", *options, environ={"PYTHONUNBUFFERED": "1"}) as shop:
        assert shop.stdout is not None
        told = ""
        while "Ctrl-C stops it" not in told:
            line = shop.stdout.readline()
            assert line, told
            told += line
        (url,) = re.findall(r"A shop is open at (\S+)", told)
        exported = dict(re.findall(r"export (\w+)=(\S+)", told))
        yield url, exported, iter(shop.stdout.readline, "")
        shop.send_signal(signal.SIGINT)
        out, err = shop.communicate(timeout=PATIENCE)
    assert (shop.returncode, err) == (0, "")
    assert out.endswith("Stopped.\n")


def test_a_newcomer_buys_something_and_ctrl_c_stops_all_of_it() -> None:
    with (
        running("--settle-after", "0") as (url, exported, lines),
        httpx.Client(base_url=url, timeout=PATIENCE) as browser,
    ):
        front = browser.get("/")
        assert "default-src 'none'" in front.headers["Content-Security-Policy"]
        (ticket,) = re.findall(r'href="(/orders/ticket-\w+)"', front.text)
        page = browser.get(ticket).text
        for script in re.findall(r'src="([^"]+)"', page):
            assert browser.get(script).status_code == 200
        assert browser.get("/shop.css").headers["Content-Type"].startswith("text/css")
        order, token = (
            html.unescape(re.findall(rf' {name}="([^"]+)"', page)[0]) for name in ("order", "token")
        )
        answer = browser.post(
            "/dgspay/order/mobile-money",
            headers={"DGSPay-Order": quote(order), "DGSPay-Page-Token": token},
            json={"phone": "0788123456", "network": "MTN"},
        )
        assert answer.status_code == 200, answer.text
        assert next(lines) == f"Shipped: order {order}, Concert in Kigali, 12,000 RWF\n"
        listed = CommandLine(exported)("orders", "list")
        assert listed.code == 0, listed.err
        assert order in listed.out
        api = exported["DGSPAY_BASE_URL"]
    for address in (url, api):
        with pytest.raises(httpx.ConnectError):
            httpx.get(address)


def test_what_it_does_not_sell_is_not_there() -> None:
    with running() as (url, _, _):
        assert httpx.get(f"{url}/orders/ring-1").status_code == 404


def test_a_port_that_is_taken_is_said() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        said = CommandLine({})("shop", "--port", str(taken.getsockname()[1]))
    assert said.code == 2
    assert "Cannot listen on port" in said.err


def test_the_numbers_and_cards_it_names_are_those_of_the_emulator() -> None:
    magic = {phone[-7:] for phone, _ in PHONES} - {"8123456"}
    assert magic <= MAGIC_PHONES.keys()
    assert {number.replace(" ", "") for number, _ in CARDS} <= TEST_CARDS.keys()
