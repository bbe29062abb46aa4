"""`dgspay orders resolve`: what a person has found out becomes what the order knows."""

from __future__ import annotations

from tests.cli.orders.conftest import Shop
from tests.cli.terminal import CommandLine


def resolved(dgspay: CommandLine, *arguments: str) -> int:
    return dgspay("orders", "resolve", "A-1", "--reason", "portal, Anna", *arguments).code


def test_an_attempt_in_doubt_is_resolved_as_paid_and_its_handler_is_owed(
    dgspay: CommandLine, shop: Shop
) -> None:
    shop.emulator.faults.lose_answer("POST /charges")
    shop.sell()
    assert resolved(dgspay, "--attempt", "1", "--paid") == 0
    assert shop.checkout.order("A-1").is_paid
    assert not shop.shipped
    assert shop.checkout.sweep().handled == 1


def test_a_refund_in_doubt_is_resolved_and_another_may_follow(
    dgspay: CommandLine, shop: Shop
) -> None:
    shop.sell_and_be_paid()
    shop.emulator.faults.lose_answer("POST /disburse")
    assert dgspay("orders", "refund", "A-1").code == 5
    assert resolved(dgspay, "--refund", "1", "--not-paid") == 0
    assert dgspay("orders", "problems").code == 0
    assert dgspay("orders", "refund", "A-1").code == 0


def test_what_was_paid_late_is_accepted_once(dgspay: CommandLine, shop: Shop) -> None:
    reference = shop.sell()
    shop.checkout.cancel("A-1")
    shop.emulator.approve(reference)
    shop.deliver()
    (problem,) = shop.checkout.order("A-1").open_problems
    assert resolved(dgspay, "--problem", str(problem.key), "--accept") == 0
    assert shop.checkout.order("A-1").is_paid
    said = dgspay(
        "orders", "resolve", "A-1", "--problem", str(problem.key), "--accept", "--reason", "again"
    )
    assert said.code == 2
    assert "was resolved before: portal, Anna" in said.err


def test_what_names_nothing_of_the_order_is_a_usage_error(dgspay: CommandLine, shop: Shop) -> None:
    shop.sell()
    for arguments in (
        (),
        ("--attempt", "1"),
        ("--attempt", "2", "--paid"),
        ("--refund", "1", "--paid"),
        ("--problem", "9"),
        ("--attempt", "1", "--refund", "1", "--paid"),
    ):
        assert resolved(dgspay, *arguments) == 2, arguments
