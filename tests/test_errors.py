"""`outcome_of`: what any exception that comes out of a call says of the money."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable
from typing import Any

import anyio
import pytest

from dgspay import AsyncDGSPay, Outcome, errors
from dgspay.core.messages import Request, Response, Timeout
from tests.support.recorders import ACCOUNT, API_KEY, MOBILE_MONEY, recording


class Hanging:
    """A transport that never gets an answer."""

    def __init__(self) -> None:
        self.sent = False

    async def send(self, request: Request, timeout: Timeout) -> Response:
        self.sent = True
        await anyio.sleep_forever()
        raise AssertionError

    async def aclose(self) -> None:
        pass


def hanging() -> tuple[AsyncDGSPay, Callable[[], Any]]:
    dgs = AsyncDGSPay(api_key=API_KEY, account_number=ACCOUNT, transport=Hanging())
    return dgs, functools.partial(dgs.charges.mobile_money, **MOBILE_MONEY)


def test_asyncio_timeout_around_a_call_leaves_it_unknown() -> None:
    async def main() -> None:
        _, pay = hanging()
        with pytest.raises(TimeoutError) as caught:
            async with asyncio.timeout(0.01):
                await pay()
        assert errors.outcome_of(caught.value) is Outcome.UNKNOWN
        with pytest.raises(TimeoutError) as caught:
            await asyncio.wait_for(pay(), 0.01)
        assert errors.outcome_of(caught.value) is Outcome.UNKNOWN
        task = asyncio.create_task(pay())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError) as cancelled:
            await task
        assert errors.outcome_of(cancelled.value) is Outcome.UNKNOWN

    asyncio.run(main())


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_fail_after_around_a_call_leaves_it_unknown(backend: str) -> None:
    async def main() -> None:
        _, pay = hanging()
        with pytest.raises(TimeoutError) as caught, anyio.fail_after(0.01):
            await pay()
        assert errors.outcome_of(caught.value) is Outcome.UNKNOWN

    anyio.run(main, backend=backend)


def test_an_argument_that_was_refused_was_not_sent() -> None:
    dgs, recorder = recording()
    fraction = {**MOBILE_MONEY, "amount": "2.50"}
    for wrong in ({**MOBILE_MONEY, "amount": 2.5}, {**MOBILE_MONEY, "network": "x"}, fraction, {}):
        with pytest.raises((TypeError, ValueError)) as caught:
            dgs.charges.mobile_money(**wrong)
        assert errors.outcome_of(caught.value) is Outcome.NOT_SENT
    assert recorder.requests == []


def test_an_error_of_a_call_says_so_itself_also_as_a_cause() -> None:
    refused = errors.InvalidRequestError("no")
    unknown = errors.OutcomeUnknownError("who knows")
    assert errors.outcome_of(refused) is Outcome.REJECTED
    own = RuntimeError("order 7")
    own.__cause__ = refused
    assert errors.outcome_of(own) is Outcome.REJECTED
    assert errors.outcome_of(ExceptionGroup("", [own, refused])) is Outcome.REJECTED
    assert errors.outcome_of(ExceptionGroup("", [refused, unknown])) is Outcome.UNKNOWN


def test_what_was_only_handled_meanwhile_says_nothing() -> None:
    def pay_where_a_look_up_finds_nothing() -> None:
        try:
            raise errors.NotFoundError("an earlier look-up")
        except errors.NotFoundError:
            raise TimeoutError  # noqa: B904 - it has the look-up as its context

    with pytest.raises(TimeoutError) as caught:
        pay_where_a_look_up_finds_nothing()
    assert errors.outcome_of(caught.value.__context__ or caught.value) is Outcome.REJECTED
    assert errors.outcome_of(caught.value) is Outcome.UNKNOWN


def test_an_exception_that_has_nothing_to_do_with_a_call_is_unknown() -> None:
    assert errors.outcome_of(ValueError("x")) is Outcome.UNKNOWN
    one, other = RuntimeError(), RuntimeError()
    one.__cause__, other.__cause__ = other, one
    assert errors.outcome_of(one) is Outcome.UNKNOWN
