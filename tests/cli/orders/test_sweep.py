"""`dgspay orders sweep`: what no webhook has settled is settled, and what is owed stays owed."""

from __future__ import annotations

import json
import signal

from tests.cli.orders.conftest import Shop
from tests.cli.terminal import PATIENCE, CommandLine, process


def test_a_payment_whose_webhook_never_came_is_found_and_its_handler_stays_owed(
    dgspay: CommandLine, shop: Shop
) -> None:
    shop.emulator.approve(shop.sell())
    said = dgspay("orders", "sweep")
    assert said.code == 0
    assert said.out == "Looked up 1, settled 1; expired 0; handlers run 0\n"
    assert "Handlers owed: 1. A sweep in the shop's own process runs them" in said.err
    assert shop.checkout.order("A-1").is_paid
    assert not shop.shipped
    assert shop.checkout.sweep().handled == 1
    assert shop.shipped == ["A-1"]
    told = json.loads(dgspay("orders", "sweep", "--json").out)
    assert (told["owed"], told["looked_up"], told["is_complete"]) == (0, 0, True)


def test_a_look_up_without_an_answer_is_due_again_and_no_success(
    dgspay: CommandLine, shop: Shop
) -> None:
    shop.sell()
    shop.emulator.faults.lose_answer("GET /transactions/{id}", times=3)
    said = dgspay("orders", "sweep")
    assert said.code == 4
    assert "no usable answer to 1 look-ups" in said.err
    assert dgspay("orders", "sweep", "--everything").code == 0


def test_it_goes_on_until_ctrl_c(dgspay: CommandLine, shop: Shop) -> None:
    shop.emulator.approve(shop.sell())
    arguments = ("orders", "sweep", "--every", "0.1", "--json")
    with process(*arguments, environ=dgspay.environ) as running:
        assert running.stdout is not None
        first, second = running.stdout.readline(), running.stdout.readline()
        running.send_signal(signal.SIGINT)
        _, err = running.communicate(timeout=PATIENCE)
    assert json.loads(first)["settled"] == 1
    assert json.loads(second)["looked_up"] == 0
    assert running.returncode == 130
    assert "Stopped." in err
