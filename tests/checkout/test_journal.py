"""Webhooks: matched by token, kept, merged once, replayed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dgspay import webhooks
from dgspay.checkout import AttemptState, Order, OrdersError, OrderState, ProblemKind
from tests.checkout.conftest import Shop


def event(shop: Shop, name: str, reference: str, **fields: object) -> tuple[bytes, str]:
    body = json.dumps(
        {
            "event": name,
            "dgs_reference": reference,
            "amount": 2000,
            "currency": "RWF",
            "status": "successful" if name.endswith("success") else "failed",
            **fields,
        }
    ).encode()
    return body, webhooks.sign(body, shop.emulator.webhook_secret)


@pytest.mark.acceptance(77, "webhook-at-any-moment")
def test_a_webhook_before_the_answer_twice_and_after_a_sweep_is_one_transition(shop: Shop) -> None:
    shop.open()
    shop.emulator.faults.lose_answer("POST /charges")
    shop.pay()
    shop.emulator.approve(shop.emulator.transactions[0].dgs_reference)
    for _ in range(2):
        shop.delivered = 0
        assert {answer.status for answer in shop.deliver()} == {200}
    shop.checkout.sweep(everything=True, per_second=1000)
    shop.delivered = 0
    shop.deliver()
    assert [order.id for order in shop.paid] == ["A-1"]
    order = shop.checkout.order("A-1")
    assert order.state is OrderState.PAID
    assert not order.problems


@pytest.mark.acceptance(84, "foreign-order-event")
def test_a_forged_token_is_refused_and_an_unknown_order_is_kept_and_listed(shop: Shop) -> None:
    shop.open()
    shop.open("A-2")
    shop.pay()
    first = shop.emulator.transactions[0]
    shop.emulator.approve(first.dgs_reference)
    (delivery,) = shop.emulator.webhooks.deliveries
    path = "/dgspay/webhooks/1-a1/" + "x" * 32
    assert shop.bring(delivery, path).status == 404
    other = (delivery.url or "").replace("/1-a1/", "/2-a1/").removeprefix("https://shop.example")
    assert shop.bring(delivery, other).status == 404
    assert shop.checkout.receive(delivery.body, "0" * 64, path=path).status == 401
    assert not shop.checkout.order("A-1").is_paid
    body, signature = event(shop, "payment.success", "dgs_foreign")
    assert shop.checkout.receive(body, signature, path="/dgspay/webhooks").status == 200
    assert {one.dgs_reference for one in shop.checkout.unknown_events()} == {
        "dgs_foreign",
        first.dgs_reference,
    }
    assert not shop.paid


def test_a_webhook_to_the_portals_url_is_found_by_its_reference(shop: Shop) -> None:
    shop.open()
    reference = shop.pay().attempts[0].dgs_reference or ""
    body, signature = event(shop, "payment.success", reference)
    assert shop.checkout.receive(body, signature).status == 200
    assert shop.checkout.order("A-1").is_paid


def test_a_late_failure_leaves_a_paid_order_paid_and_is_noted(shop: Shop) -> None:
    shop.open()
    reference = shop.pay().attempts[0].dgs_reference or ""
    for name in ("payment.success", "payment.failed"):
        shop.checkout.receive(*event(shop, name, reference))
    order = shop.checkout.order("A-1")
    assert order.attempts[0].state is AttemptState.PAID
    assert [problem.kind for problem in order.problems] == [ProblemKind.CONTRADICTED]


def test_another_amount_holds_the_attempt_until_a_person_accepts_it(shop: Shop) -> None:
    shop.open()
    reference = shop.pay().attempts[0].dgs_reference or ""
    shop.checkout.receive(*event(shop, "payment.success", reference, amount=200))
    order = shop.checkout.order("A-1")
    assert order.attempts[0].state is AttemptState.HELD
    assert not shop.paid
    (problem,) = order.open_problems
    order = shop.checkout.resolve("A-1", problem=problem.key, accept=True, reason="a discount")
    assert order.is_paid
    assert not order.open_problems
    assert len(shop.paid) == 1


@pytest.mark.parametrize("how", ["cancelled", "expired"])
def test_a_payment_after_the_end_is_a_problem_and_is_not_shipped(shop: Shop, how: str) -> None:
    shop.open(expires=600)
    reference = shop.pay().attempts[0].dgs_reference or ""
    if how == "cancelled":
        shop.checkout.cancel("A-1")
    else:
        shop.clock.advance(601)
        assert shop.checkout.sweep(per_second=1000).expired == 1
    shop.checkout.receive(*event(shop, "payment.success", reference))
    order = shop.checkout.order("A-1")
    assert order.state == how
    assert [problem.kind for problem in shop.problems] == [ProblemKind.PAID_LATE]
    assert not shop.paid
    shop.checkout.resolve("A-1", problem=order.problems[0].key, accept=True, reason="he waits")
    assert len(shop.paid) == 1


def test_replay_handles_again_what_a_mended_handler_failed_at(shop: Shop) -> None:
    shop.open()
    reference = shop.pay().attempts[0].dgs_reference or ""
    broken = shop.again()
    broken.checkout.shop.handlers.clear()

    @broken.checkout.on_paid
    def ship(order: object) -> None:
        raise KeyError("bug")

    body, signature = event(shop, "payment.success", reference)
    assert broken.checkout.receive(body, signature).status == 500
    broken.checkout.close()
    assert shop.checkout.order("A-1").told_at is None
    order = shop.checkout.replay("A-1")
    assert order.told_at is not None
    assert len(shop.paid) == 1
    shop.checkout.replay("A-1")
    assert len(shop.paid) == 1
    shop.checkout.replay("A-1", again=True)
    assert len(shop.paid) == 2


def test_a_kept_body_is_the_one_that_was_signed(shop: Shop) -> None:
    body, signature = event(shop, "payment.success", "dgs_x", note="é  ")
    for _ in range(3):
        shop.checkout.receive(body, signature)
    (kept,) = shop.checkout.unknown_events()
    assert (kept.body, kept.deliveries) == (body, 3)


@pytest.mark.acceptance(83, "killed-attempt")
def test_a_payment_of_an_attempt_that_a_restored_store_has_forgotten_pays_its_order(
    shop: Shop,
) -> None:
    shop.open()
    shop.pay()
    shop.emulator.decline(shop.emulator.transactions[0].dgs_reference)
    shop.deliver()
    shop.checkout.close()
    backup = shop.path.read_bytes()
    for _ in range(2):
        shop.pay()
        shop.clock.advance(301)
    shop.checkout.close()
    shop.path.write_bytes(backup)
    shop.emulator.approve(shop.emulator.transactions[2].dgs_reference)
    assert [answer.status for answer in shop.deliver()] == [200]
    order = shop.checkout.order("A-1")
    assert order.is_paid
    assert [(one.number, one.state) for one in order.attempts] == [
        (1, AttemptState.FAILED),
        (3, AttemptState.PAID),
    ]
    assert len(shop.paid) == 1


def test_after_a_forgotten_attempt_the_next_one_has_a_number_of_its_own(shop: Shop) -> None:
    shop.open()
    shop.checkout.close()
    backup = shop.path.read_bytes()
    for _ in range(2):
        shop.pay()
        shop.clock.advance(301)
    shop.checkout.close()
    shop.path.write_bytes(backup)
    shop.emulator.decline(shop.emulator.transactions[1].dgs_reference)
    shop.deliver()
    order = shop.pay()
    assert [one.number for one in order.attempts] == [2, 3]
    assert len(shop.emulator.transactions) == 3


def test_a_refund_that_a_restored_store_has_forgotten_is_a_problem(shop: Shop) -> None:
    shop.open()
    shop.emulator.approve(shop.pay().attempts[0].dgs_reference or "")
    shop.deliver()
    shop.checkout.close()
    backup = shop.path.read_bytes()
    shop.checkout.refund("A-1", amount=500)
    shop.checkout.close()
    shop.path.write_bytes(backup)
    shop.emulator.settle()
    shop.deliver()
    assert [problem.kind for problem in shop.problems] == [ProblemKind.CONTRADICTED]
    assert "refund 1" in shop.problems[0].detail
    shop.delivered = 0
    shop.deliver()
    assert len(shop.checkout.order("A-1").open_problems) == 1


def test_what_a_person_called_unpaid_and_is_reported_again_is_an_open_problem_again(
    shop: Shop,
) -> None:
    shop.open()
    reference = shop.pay().attempts[0].dgs_reference or ""
    part = event(shop, "payment.success", reference, amount=200)
    shop.checkout.receive(*part)
    shop.checkout.resolve("A-1", attempt=1, paid=False, reason="not in the portal")
    shop.checkout.receive(*part)
    order = shop.checkout.order("A-1")
    assert order.attempts[0].state is AttemptState.HELD
    assert [problem.kind for problem in order.open_problems] == [ProblemKind.WRONG_AMOUNT]


@pytest.mark.acceptance(78, "contradicting-events")
def test_an_old_failure_that_is_delivered_or_replayed_after_the_payment_is_no_problem(
    shop: Shop,
) -> None:
    shop.open()
    reference = shop.pay().attempts[0].dgs_reference or ""
    for name in ("payment.failed", "payment.success", "payment.failed"):
        assert shop.checkout.receive(*event(shop, name, reference)).status == 200
    shop.checkout.replay("A-1")
    order = shop.checkout.order("A-1")
    assert (order.state, order.problems) == (OrderState.PAID, ())
    assert len(shop.paid) == 1


@pytest.mark.acceptance(82, "handler-once")
@pytest.mark.parametrize("ends_well", [True, False])
def test_a_store_that_fails_as_a_handler_ends_has_the_event_delivered_again(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, ends_well: bool
) -> None:
    runs: list[str] = []
    shop.checkout.shop.handlers.pop("paid")
    store: Any = shop.checkout._store
    run = store.run

    @shop.checkout.on_paid
    def ship(order: Order) -> None:
        runs.append(order.id)
        if len(runs) == 1:
            monkeypatch.setattr(store, "run", fail)
        if not ends_well and len(runs) == 1:
            raise RuntimeError("no parcels left")

    def fail(make: object, **connection: object) -> None:
        raise OrdersError("the disk is full")

    shop.open()
    reference = shop.pay().attempts[0].dgs_reference or ""
    paid = event(shop, "payment.success", reference)
    answer = shop.checkout.receive(*paid)
    assert (answer.status, answer.headers["Retry-After"]) == (503, "30")
    assert shop.checkout.receive(*paid).status == 503
    monkeypatch.setattr(store, "run", run)
    assert shop.checkout.order("A-1").is_paid
    assert shop.checkout.receive(*paid).status == 200
    shop.clock.advance(301)
    shop.checkout.sweep(per_second=1000)
    assert shop.checkout.order("A-1").told_at is not None
    assert runs == ["A-1"] * (1 if ends_well else 2)


def test_a_payer_is_shown_a_payment_though_its_handlers_end_could_not_be_noted(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    store: Any = shop.checkout._store
    run = store.run
    shop.checkout.shop.handlers.pop("paid")

    @shop.checkout.on_paid
    def ship(order: Order) -> None:
        shop.paid.append(order)

        def fail_once(make: object, **connection: object) -> None:
            monkeypatch.setattr(store, "run", run)
            raise OrdersError("the disk is full")

        monkeypatch.setattr(store, "run", fail_once)

    shop.open()
    shop.emulator.approve(shop.pay().attempts[0].dgs_reference or "")
    assert shop.checkout.wait("A-1").is_paid
    shop.clock.advance(301)
    shop.checkout.sweep(per_second=1000)
    assert len(shop.paid) == 1
    assert shop.checkout.order("A-1").told_at is not None
