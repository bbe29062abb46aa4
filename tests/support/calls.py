"""The same call through every transport, and what its failure may show."""

from __future__ import annotations

import io
import logging
import pickle
import traceback
from collections.abc import Callable
from typing import Any

import anyio
import attrs

from dgspay import (
    AsyncDGSPay,
    BankRecipient,
    Customer,
    DGSPay,
    EncryptedCard,
    EncryptedPin,
    RetryPolicy,
    TelemetryEvent,
)
from dgspay.errors import DGSPayError, Outcome
from tests.support.raw_server import RawServer
from tests.support.transport_matrix import WAYS, Way

MODES = ["sync", "asyncio", "trio"]
"""What may stand for a way where the transport makes no difference: the default one is meant."""

API_KEY = "sk_test_4eC39HqLyjWDarjtT1zdp7dc"
ACCOUNT = "ACC-0001234"
OTP = "73918465"
CARD = {
    "card_encrypted_number": "63oda1oMNeWjs//G2Dtw7hF5YVpWFUu4wUlBIDo4pjc=",
    "card_encrypted_expiry_month": "7n3Y4sC0bAetrjHFpM2zPYIQ",
    "card_encrypted_expiry_year": "7X8cYT+LT1yGAqIUbz+39JIX9ug=",
    "card_encrypted_cvv": "7n0d73RO7SL4Im0W9t46jt8Qhg==",
    "card_nonce": "abc123def456",
}
PIN = {"auth_pin_encrypted": "7n0dbdlBD0SfjAvhr1FJlbderws=", "auth_pin_nonce": "9f8e7d6c5b4a"}
SECRETS = [API_KEY, OTP, *CARD.values(), *PIN.values()]

JANE = Customer(
    email="jane.doe@example.com", first_name="Jane", last_name="Doe", phone="0789654321"
)

AT_ONCE = RetryPolicy(initial_delay=0, max_delay=0)
"""Three attempts without a pause."""

Act = Callable[[Any], Any]


def charge(dgs: Any) -> Any:
    return dgs.charges.card(
        amount=5000,
        customer=JANE,
        card=EncryptedCard(**CARD),
        redirect_url="https://yourdomain.com/payment-success",
        idempotency_key="order-7",
    )


def payout(dgs: Any) -> Any:
    return dgs.disbursements.create(
        amount=10_000,
        recipient=BankRecipient(bank_key="kcb_rw", account_number="1234567890"),
        idempotency_key="order-7",
    )


def authorize_otp(dgs: Any) -> Any:
    return dgs.charges.authorize_otp("dgs_123456789", OTP, idempotency_key="order-7")


def authorize_pin(dgs: Any) -> Any:
    return dgs.charges.authorize_pin("dgs_1", EncryptedPin(**PIN), idempotency_key="order-7")


def read(dgs: Any) -> Any:
    return dgs.balances.list()


WRITES = [charge, payout, authorize_otp, authorize_pin]


def carry_out(way: Way | str, url: str, act: Act, **options: Any) -> Any:
    """Make a client, make the call, close the client."""
    if isinstance(way, str):
        way = next(known for known in WAYS if (known.library, known.mode) == ("httpx", way))
    settings = settings_for(url, **{"transport": way.transport(), **options})
    if way.is_blocking:
        with DGSPay(**settings) as dgs:
            return act(dgs)

    async def main() -> Any:
        async with AsyncDGSPay(**settings) as dgs:
            return await act(dgs)

    return anyio.run(main, backend=way.mode)


def carry_out_borrowing(way: Way, url: str, act: Act, **client_options: Any) -> Any:
    """The same through a client of the library that the user has made."""
    if way.is_blocking:
        with way.own_client(**client_options) as own:
            return act(DGSPay(**settings_for(url, transport=way.borrow(own))))

    async def main() -> Any:
        async with way.own_client(**client_options) as own:
            return await act(AsyncDGSPay(**settings_for(url, transport=way.borrow(own))))

    return anyio.run(main, backend=way.mode)


def settings_for(url: str, **options: Any) -> dict[str, Any]:
    return {
        "api_key": API_KEY,
        "account_number": ACCOUNT,
        "base_url": url,
        "retry": AT_ONCE,
        **options,
    }


@attrs.frozen
class Failed:
    """How a call failed."""

    error: DGSPayError
    events: list[TelemetryEvent]

    @property
    def duration(self) -> float:
        """Seconds the call took, as its event says."""
        return self.events[-1].duration


def failure_of(
    way: Way | str, url: str, act: Act, *, look_at_locals: bool = True, **options: Any
) -> Failed:
    """Make a call that must fail, and check that nothing shows a secret."""
    events: list[TelemetryEvent] = []
    log = io.StringIO()
    handler = logging.StreamHandler(log)
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        carry_out(way, url, act, hooks=[events.append], **options)
    except DGSPayError as error:
        failed = Failed(error, events)
    else:
        raise AssertionError("the call did not fail")
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
    assert "dgspay" in log.getvalue() or "CallEvent" in log.getvalue()
    assert_shows_no_secret(
        failed.error, log.getvalue(), *map(repr, events), look_at_locals=look_at_locals
    )
    return failed


def failure_of_what_left(
    way: Way, server: RawServer, act: Act, *, deadline: float, **options: Any
) -> Failed:
    """Make a call that must fail at its deadline, after its request has begun to leave.

    A machine that stands still lets the deadline pass before. Then the honest answer is that
    nothing was sent, and the call is made with more time.
    """
    while True:
        failed = failure_of(way, server.url, act, deadline=deadline, **options)
        if failed.error.outcome is not Outcome.NOT_SENT:
            return failed
        assert server.requests == []
        assert deadline < 60
        deadline *= 4


def assert_shows_no_secret(error: DGSPayError, *more: str, look_at_locals: bool = True) -> None:
    """Look for secrets wherever an error is usually shown or sent."""
    assert error.__cause__ is None
    assert error.__context__ is None
    report = traceback.TracebackException.from_exception(error, capture_locals=look_at_locals)
    frames = [frame for frame in report.stack if "/dgspay/" in frame.filename]
    assert frames
    stored = pickle.dumps(error)
    again = pickle.loads(stored)
    assert type(again) is type(error)
    assert (str(again), again.outcome) == (str(error), error.outcome)
    places = [
        str(error),
        repr(error),
        str(vars(error)),
        stored.decode("latin-1"),
        *("".join(traceback.format_exception(error)).splitlines()),
        *(f"{frame.name}: {frame.locals}" for frame in frames),
        *more,
    ]
    for place in places:
        for secret in SECRETS:
            assert secret not in place, place
