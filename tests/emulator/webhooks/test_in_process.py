"""Receivers in this process: a whole application takes every webhook at its own path."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from dgspay import Customer, DGSPay
from dgspay.emulator import Emulator

JANE = Customer(email="jane@example.com", first_name="Jane", last_name="Doe", phone="0788123456")
DECLINED: dict[str, Any] = {
    "amount": 2000,
    "network": "MTN",
    "phone": "0789000001",
    "customer": JANE,
    "redirect_url": "https://shop.example/thanks",
}
PENDING = {**DECLINED, "phone": "0788123456"}
CALLBACK = "https://shop.example/webhooks/a1?x=1"

Taken = list[tuple[str, str]]


async def _answer(send: Callable[[Any], Awaitable[None]], status: int) -> None:
    await send({"type": "http.response.start", "status": status, "headers": []})
    await send({"type": "http.response.body", "body": b"told"})


def asgi(taken: Taken, status: int) -> Any:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        taken.append((scope["path"], dict(scope["headers"])[b"host"].decode()))
        await anyio.lowlevel.checkpoint()  # it needs an event loop
        await _answer(send, status)

    return app


def wsgi(taken: Taken, status: int) -> Any:
    def app(environ: dict[str, Any], start: Callable[..., object]) -> Iterable[bytes]:
        taken.append((environ["PATH_INFO"], environ["HTTP_HOST"]))
        start(f"{status} Said", [])
        return [b"told"]

    return app


def client(taken: Taken, status: int) -> Any:
    from starlette.testclient import TestClient

    return TestClient(asgi(taken, status))


KINDS = pytest.mark.parametrize("kind", [asgi, wsgi, client])


@KINDS
@pytest.mark.parametrize("in_a_loop", [False, True])
def test_an_application_takes_webhooks_with_and_without_a_url(
    dgs: DGSPay, emulator: Emulator, kind: Any, in_a_loop: bool
) -> None:
    taken: Taken = []
    emulator.deliver_to(kind(taken, 204), path="/webhooks/dgspay")

    charges = [
        dgs.charges.mobile_money(**PENDING, callback_url=CALLBACK),
        dgs.charges.mobile_money(**PENDING),
    ]

    def approve() -> None:
        for charge in charges:
            emulator.approve(charge.dgs_reference)

    async def approve_in_a_loop() -> None:
        approve()

    if in_a_loop:
        anyio.run(approve_in_a_loop)
    else:
        approve()
    assert taken == [("/webhooks/a1", "shop.example"), ("/webhooks/dgspay", "testserver")]
    assert [each.statuses for each in emulator.webhooks.deliveries] == [(204,), (204,)]
    emulator.webhooks.require_accepted()


@KINDS
def test_what_an_application_rejects_is_an_error_that_says_so(
    dgs: DGSPay, emulator: Emulator, kind: Any
) -> None:
    emulator.deliver_to(kind([], 404))
    dgs.charges.mobile_money(**DECLINED, callback_url=CALLBACK)
    with pytest.raises(AssertionError, match=r"POST /webhooks/a1 was answered 404 told"):
        emulator.webhooks.require_accepted()
    emulator.deliver_to(kind([], 200))
    emulator.clock.advance(5)  # the webhook is tried again
    emulator.webhooks.require_accepted()


def test_what_an_application_raises_is_the_cause(dgs: DGSPay, emulator: Emulator) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise KeyError("the shop's own mistake")

    emulator.deliver_to(app)
    dgs.charges.mobile_money(**DECLINED, callback_url=CALLBACK)
    with pytest.raises(AssertionError, match="answered 500 KeyError") as raised:
        emulator.webhooks.require_accepted()
    assert isinstance(raised.value.__cause__, KeyError)
    emulator.deliver_to(app, may_fail=True)


@pytest.mark.parametrize("given", [None, "app", 7])
def test_what_is_no_application_is_refused(emulator: Emulator, given: Any) -> None:
    with pytest.raises(TypeError, match="ASGI or WSGI application"):
        emulator.deliver_to(given)


def test_a_path_that_is_none_is_refused(emulator: Emulator) -> None:
    with pytest.raises(ValueError, match="begin with a slash"):
        emulator.deliver_to(asgi([], 200), path="webhooks")
