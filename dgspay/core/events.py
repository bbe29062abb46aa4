"""Events that hooks receive: one per attempt and one per call, never with a body or an id."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from dgspay.errors import Outcome


class AttemptEvent(NamedTuple):
    """One attempt of a call has ended.

    Attributes:
        call_id: The same number for all events of one call, unique in this process.
        operation: Route template such as `POST /charges`.
        merchant: The label of the client that called, where it has one.
        attempt: 1 for the first.
        started: Unix time at which the attempt began.
        duration: Seconds.
        status: HTTP status, where an answer came.
        error_code: The vendor's code, where there was one.
        outcome: What is known after this attempt.
        retry_delay: Seconds until the next attempt, or None when this was the last.
        pool_wait: Seconds it waited for a free connection, or None where the transport cannot
            know.
    """

    call_id: int
    operation: str
    attempt: int
    started: float
    duration: float
    status: int | None
    error_code: str | None
    outcome: Outcome
    retry_delay: float | None
    merchant: str | None = None
    pool_wait: float | None = None


class CallEvent(NamedTuple):
    """A call has ended, with a result, an error or a cancellation.

    Attributes:
        call_id: The same number for all events of one call, unique in this process.
        operation: Route template such as `POST /charges`.
        merchant: The label of the client that called, where it has one.
        attempts: How many attempts there were.
        started: Unix time at which the call began.
        duration: Seconds, waiting between attempts included.
        status: HTTP status of the last answer.
        error_code: The vendor's code in the last answer.
        outcome: What is known about the call as a whole.
        error: Name of the exception's class; "cancelled"; or None when there is a result.
    """

    call_id: int
    operation: str
    attempts: int
    started: float
    duration: float
    status: int | None
    error_code: str | None
    outcome: Outcome
    error: str | None
    merchant: str | None = None


TelemetryEvent = AttemptEvent | CallEvent
Hook = Callable[[TelemetryEvent], None]
