"""`dgspay orders problems`: nothing that a person has to look at is left out."""

from __future__ import annotations

import json

from dgspay.webhooks import sign
from tests.cli.orders.conftest import Shop
from tests.cli.terminal import CommandLine


def test_without_a_problem_it_ends_with_0(dgspay: CommandLine, shop: Shop) -> None:
    shop.sell_and_be_paid()
    said = dgspay("orders", "problems")
    assert (said.code, said.out) == (0, "None.\n")
    assert dgspay("orders", "problems", "--json").out == "[\n]\n"


def test_a_problem_is_listed_with_the_number_that_resolves_it(
    dgspay: CommandLine, shop: Shop
) -> None:
    reference = shop.sell()
    shop.checkout.cancel("A-1")
    shop.emulator.approve(reference)
    shop.deliver()
    said = dgspay("orders", "problems", "--json")
    (problem,) = json.loads(said.out)
    assert said.code == 1
    assert (problem["order"], problem["kind"], problem["attempt"]) == ("A-1", "paid_late", 1)
    arguments = ("--problem", str(problem["problem"]), "--reason", "paid back by bank transfer")
    assert dgspay("orders", "resolve", "A-1", *arguments).code == 0
    assert dgspay("orders", "problems").code == 0


def test_webhooks_about_no_order_are_listed(dgspay: CommandLine, shop: Shop) -> None:
    body = (
        b'{"event":"payment.success","dgs_reference":"dgs_foreign","amount":1,"currency":"RWF",'
        b'"status":"success","environment":"test"}'
    )
    shop.checkout.receive(body, sign(body, shop.emulator.webhook_secret), path="/dgspay/webhooks")
    said = dgspay("orders", "problems", "--events")
    assert said.code == 1
    assert "dgs_foreign" in said.out
    (event,) = json.loads(dgspay("orders", "problems", "--events", "--json").out)
    assert (event["event"], event["body"]) == ("payment.success", body.decode())
