"""The two loops that run a call: they carry out its effects and nothing else."""

from __future__ import annotations

import sys
import time
from typing import TypeVar

from dgspay.clock import PROCESS_CLOCK
from dgspay.core.frames import cut_below, without_frames
from dgspay.core.messages import EffectResult, Response, Send, Sleep, Steps, TransportFailure
from dgspay.errors import Outcome, note_outcome
from dgspay.forks import undivided
from dgspay.interruption import interruption_in
from dgspay.transports.base import AsyncTransport, Transport

T = TypeVar("T")


async def drive_async(steps: Steps[T], transport: AsyncTransport) -> T:
    """Carry the steps out with `await`."""
    handled = sys.exception()
    answer: EffectResult = None
    has_sent = False
    interruption: BaseException | None = None
    try:
        while True:
            effect = steps.send(answer)
            answer = None
            if not isinstance(effect, Send):
                if isinstance(effect, Sleep):
                    await _sleep(PROCESS_CLOCK.to_wait(effect.seconds))
                else:
                    effect.answer = await effect.source.aget(effect.seconds)
                continue
            has_sent = True
            try:
                answer = _received(await transport.send(effect.request, effect.timeout))
            except TransportFailure as failure:
                without_frames(failure)
                answer = failure
            except Exception as error:  # noqa: BLE001
                interruption, answer = interruption_in(error), _unforeseen(error)
            if interruption is not None:
                raise interruption  # noqa: TRY301 - out of the except block, or it had a context
    except StopIteration as finished:
        return finished.value  # type: ignore[no-any-return]
    except BaseException as error:
        # For every exception, cancellations included: the frames below hold what was sent.
        shown = cut_below(error, handled)
        note_outcome(shown, Outcome.UNKNOWN if has_sent else Outcome.NOT_SENT)
        if shown is error:
            raise
    finally:
        steps.close()
    raise shown  # here, or what it stands for would be its context


def drive(steps: Steps[T], transport: Transport) -> T:
    """Carry the steps out, blocking."""
    handled = sys.exception()
    answer: EffectResult = None
    has_sent = False
    interruption: BaseException | None = None
    try:
        while True:
            effect = steps.send(answer)
            answer = None
            if not isinstance(effect, Send):
                if isinstance(effect, Sleep):
                    time.sleep(PROCESS_CLOCK.to_wait(effect.seconds))
                else:
                    effect.answer = effect.source.get()
                continue
            has_sent = True
            try:
                answer = _received(transport.send(effect.request, effect.timeout))
            except TransportFailure as failure:
                without_frames(failure)
                answer = failure
            except Exception as error:  # noqa: BLE001
                interruption, answer = interruption_in(error), _unforeseen(error)
            if interruption is not None:
                raise interruption  # noqa: TRY301 - out of the except block, or it had a context
    except StopIteration as finished:
        return finished.value  # type: ignore[no-any-return]
    except BaseException as error:
        # For every exception, cancellations included: the frames below hold what was sent.
        shown = cut_below(error, handled)
        note_outcome(shown, Outcome.UNKNOWN if has_sent else Outcome.NOT_SENT)
        if shown is error:
            raise
    finally:
        steps.close()
    raise shown  # here, or what it stands for would be its context


async def _sleep(seconds: float) -> None:
    with undivided:
        import anyio  # noqa: PLC0415 - most calls need no pause, and blocking programs no anyio

    await anyio.sleep(seconds)


def _received(answer: Response) -> EffectResult:
    """Return the response, or a failure where a custom transport returned something else."""
    if isinstance(answer, Response):
        return answer
    kind = type(answer).__name__  # type: ignore[unreachable]
    return TransportFailure(f"the transport returned {kind} and no Response", sent=True)


def _unforeseen(error: Exception) -> TransportFailure:
    """Return the failure for an exception of a transport: the request may have left."""
    return TransportFailure(f"the transport raised {type(error).__name__}", sent=True)
