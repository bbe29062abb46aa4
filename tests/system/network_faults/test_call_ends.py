"""However a call ends, it says what that means for the money, and harms no other call."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any

import anyio
import attrs
import pytest

from dgspay import AsyncDGSPay, DGSPay
from dgspay.core.events import AttemptEvent, CallEvent, TelemetryEvent
from dgspay.core.messages import Request, Response, Timeout
from dgspay.core.operation import Operation, Repeat
from dgspay.errors import DecodeError, Outcome, OutcomeUnknownError, UndecodableOutcomeError
from tests.support.calls import payout, read, settings_for

URL = "http://127.0.0.1:1/generation/v2"
TAKEN = Response(200, {}, b'{"status":"success","dgs_reference":"dgs_1"}')
BALANCES = Response(200, {}, b'{"status":"success","balances":[]}')


@attrs.frozen
class Answering:
    """A scripted transport that records what it was asked."""

    act: Callable[[], Any]
    asked: list[Request] = attrs.field(factory=list)

    def send(self, request: Request, timeout: Timeout) -> Response:
        self.asked.append(request)
        answer: Response = self.act()
        return answer

    def close(self) -> None:
        pass


def raising(error: BaseException) -> Callable[..., Any]:
    def act(*_: Any) -> Any:
        raise error

    return act


def client(act: Callable[[], Any], *hooks: Callable[[TelemetryEvent], None]) -> DGSPay:
    return DGSPay(**settings_for(URL, transport=Answering(act), hooks=hooks))


# --- what keeps an answer from being read ------------------------------------------------------


def broken_reading(error: Exception, repeat: Repeat) -> Operation[Any]:
    method, body = ("GET", None) if repeat is Repeat.READ else ("POST", {"amount": 1})
    return Operation(method=method, path="/disburse", body=body, read=raising(error), repeat=repeat)


BREAKDOWNS = [MemoryError(), RecursionError(), KeyError("amount"), StopIteration()]


@pytest.mark.acceptance(22, "no-json-answer")
@pytest.mark.parametrize("error", BREAKDOWNS, ids=repr)
@pytest.mark.parametrize("repeat", [Repeat.CHARGE, Repeat.PAYOUT, Repeat.NEVER_AFTER_UNKNOWN])
def test_answer_whose_reading_breaks_down_leaves_a_payment_unknown(
    error: Exception, repeat: Repeat
) -> None:
    dgs = client(lambda: TAKEN)
    with pytest.raises(UndecodableOutcomeError) as caught:
        dgs.execute(broken_reading(error, repeat))
    assert (caught.value.outcome, caught.value.attempts) == (Outcome.UNKNOWN, 1)
    assert caught.value.idempotency_key is not None
    assert type(error).__name__ in caught.value.message
    assert caught.value.__context__ is None


@pytest.mark.parametrize("error", BREAKDOWNS, ids=repr)
def test_answer_whose_reading_breaks_down_is_an_error_of_ours_for_a_read(error: Exception) -> None:
    with pytest.raises(DecodeError):
        client(lambda: TAKEN).execute(broken_reading(error, Repeat.READ))


NO_ANSWERS: list[Any] = [
    Response(200, {}, None),  # type: ignore[arg-type]
    Response(None, {}, TAKEN.reveal_body()),  # type: ignore[arg-type]
    Response("200", {}, TAKEN.reveal_body()),  # type: ignore[arg-type]
    Response(200, None, TAKEN.reveal_body()),  # type: ignore[arg-type]
    Response(200, {}, "{}"),  # type: ignore[arg-type]
]


@pytest.mark.acceptance(22, "no-json-answer")
@pytest.mark.parametrize("answer", NO_ANSWERS, ids=range(len(NO_ANSWERS)))
def test_answer_that_is_none_of_a_users_transport_leaves_a_payout_unknown(answer: Any) -> None:
    with pytest.raises(OutcomeUnknownError) as caught:
        payout(client(lambda: answer))
    assert caught.value.idempotency_key == "order-7"


# --- what ends a call from outside --------------------------------------------------------------

INTERRUPTIONS = [KeyboardInterrupt, SystemExit, GeneratorExit]


@pytest.mark.acceptance(20, "cancelled-post")
@pytest.mark.parametrize("kind", INTERRUPTIONS)
def test_interruption_passes_is_reported_as_unknown_and_releases_the_key(
    kind: type[BaseException],
) -> None:
    told: list[TelemetryEvent] = []
    ends = [kind()]

    def act() -> Response:
        if ends:
            raise ends.pop()
        return TAKEN

    dgs = client(act, told.append)
    with pytest.raises(kind):
        payout(dgs)
    assert [event.outcome for event in told] == [Outcome.UNKNOWN] * 2
    assert payout(dgs).dgs_reference == "dgs_1"  # under the same key


@pytest.mark.acceptance(20, "cancelled-post")
@pytest.mark.parametrize("kind", INTERRUPTIONS)
@pytest.mark.parametrize("at", [AttemptEvent, CallEvent])
def test_interruption_in_a_hook_passes_and_gives_the_key_back(
    kind: type[BaseException], at: type[TelemetryEvent]
) -> None:
    interruptions = [kind()]

    def interrupt(event: TelemetryEvent) -> None:
        if isinstance(event, at) and interruptions:
            raise interruptions.pop()

    dgs = client(lambda: TAKEN, interrupt)
    with pytest.raises(kind):
        payout(dgs)
    assert payout(dgs).dgs_reference == "dgs_1"


# --- those who only listen ----------------------------------------------------------------------


class Broken(logging.Handler):
    """A handler that raises, as one does whose disk is full or whose server is gone."""

    def emit(self, record: logging.LogRecord) -> None:
        raise OSError(28, "No space left on device")

    def filter(self, record: logging.LogRecord) -> bool:
        return True


class BrokenFilter(Broken):
    def filter(self, record: logging.LogRecord) -> bool:
        raise KeyError("request_id")


@pytest.fixture(params=[Broken, BrokenFilter])
def broken_log(request: pytest.FixtureRequest) -> Iterator[None]:
    logger = logging.getLogger("dgspay")
    level, handler = logger.level, request.param()
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    yield
    logger.setLevel(level)
    logger.removeHandler(handler)


@pytest.mark.usefixtures("broken_log")
def test_log_that_cannot_be_written_does_not_turn_a_payout_into_an_error() -> None:
    assert payout(client(lambda: TAKEN)).dgs_reference == "dgs_1"


@pytest.mark.usefixtures("broken_log")
@pytest.mark.parametrize("error", BREAKDOWNS, ids=repr)
def test_hook_that_raises_where_the_log_cannot_be_written_harms_nothing(error: Exception) -> None:
    told: list[TelemetryEvent] = []
    assert payout(client(lambda: TAKEN, raising(error), told.append)).dgs_reference == "dgs_1"
    assert len(told) == 2


@pytest.mark.usefixtures("broken_log")
def test_log_that_cannot_be_written_does_not_turn_an_unknown_outcome_into_less() -> None:
    with pytest.raises(OutcomeUnknownError):
        payout(client(raising(ConnectionResetError())))


class NeverAnswering:
    """An asynchronous transport that only a cancellation ends."""

    async def send(self, request: Request, timeout: Timeout) -> Response:
        await anyio.sleep_forever()
        raise AssertionError

    async def aclose(self) -> None:
        pass


@pytest.mark.anyio
@pytest.mark.acceptance(20, "cancelled-post")
@pytest.mark.usefixtures("broken_log")
async def test_log_that_cannot_be_written_does_not_swallow_a_cancellation() -> None:
    dgs = AsyncDGSPay(**settings_for(URL, transport=NeverAnswering()))
    with anyio.move_on_after(0.01) as scope:
        await payout(dgs)
    assert scope.cancelled_caught


def test_reading_goes_on_while_the_log_cannot_be_written() -> None:
    assert list(read(client(lambda: BALANCES)).balances) == []
