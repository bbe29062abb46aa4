"""OpenTelemetry on the hooks: one span per call with a child per attempt (extra `otel`).

::

    from dgspay.otel import OpenTelemetryHook

    dgs = AsyncDGSPay(..., hooks=[OpenTelemetryHook()])

Names and attributes follow the semantic conventions for HTTP clients: an attempt is a CLIENT
span named after the method and `url.template`, so that no id and no reference is in a span.
What HTTP has no word for is under `dgspay.`.
"""

from __future__ import annotations

try:
    from opentelemetry.context import Context
    from opentelemetry.trace import (
        Span,
        SpanKind,
        Status,
        StatusCode,
        Tracer,
        TracerProvider,
        get_tracer,
        set_span_in_context,
    )
    from opentelemetry.util.types import AttributeValue
except ImportError:
    raise ImportError("dgspay.otel needs opentelemetry-api: pip install 'dgspay[otel]'") from None

from dgspay._version import __version__
from dgspay.core.events import AttemptEvent, CallEvent, TelemetryEvent
from dgspay.errors import Outcome
from dgspay.forks import new_lock

_NANOSECONDS = 1_000_000_000


class OpenTelemetryHook:
    """A hook that turns the events of calls into spans, within the span that is current.

    Args:
        tracer_provider: Where the spans go; the global provider when None.
    """

    def __init__(self, tracer_provider: TracerProvider | None = None) -> None:
        self._tracer: Tracer = get_tracer("dgspay", __version__, tracer_provider)
        self._attempts: dict[int, list[AttemptEvent]] = {}
        self._lock = new_lock()

    def __call__(self, event: TelemetryEvent) -> None:
        """Keep an attempt until its call has ended; then write all of its spans."""
        if isinstance(event, AttemptEvent):
            with self._lock:
                self._attempts.setdefault(event.call_id, []).append(event)
            return
        with self._lock:
            attempts = self._attempts.pop(event.call_id, [])
        self._write_call(event, attempts)

    def _write_call(self, call: CallEvent, attempts: list[AttemptEvent]) -> None:
        span = self._tracer.start_span(
            f"dgspay {call.operation}",
            kind=SpanKind.INTERNAL,
            start_time=_nanoseconds(call.started),
            attributes={**_common(call), "dgspay.attempts": call.attempts},
        )
        if call.error is not None:
            span.set_attribute("error.type", call.error)
            span.set_status(Status(StatusCode.ERROR, call.outcome.value))
        within = set_span_in_context(span)
        for attempt in attempts:
            self._write_attempt(attempt, within)
        span.end(_nanoseconds(call.started + call.duration))

    def _write_attempt(self, attempt: AttemptEvent, within: Context) -> None:
        span = self._tracer.start_span(
            attempt.operation,
            context=within,
            kind=SpanKind.CLIENT,
            start_time=_nanoseconds(attempt.started),
            attributes=_common(attempt),
        )
        if attempt.attempt > 1:
            span.set_attribute("http.request.resend_count", attempt.attempt - 1)
        if attempt.retry_delay is not None:
            span.set_attribute("dgspay.retry_delay", attempt.retry_delay)
        if attempt.pool_wait is not None:
            span.set_attribute("dgspay.pool_wait", attempt.pool_wait)
        _mark_failure(span, attempt)
        span.end(_nanoseconds(attempt.started + attempt.duration))


def _common(event: TelemetryEvent) -> dict[str, AttributeValue]:
    method, _, template = event.operation.partition(" ")
    attributes: dict[str, AttributeValue] = {
        "http.request.method": method,
        "url.template": template,
        "dgspay.outcome": event.outcome.value,
    }
    if event.merchant is not None:
        attributes["dgspay.merchant"] = event.merchant
    if event.status is not None:
        attributes["http.response.status_code"] = event.status
    if event.error_code is not None:
        attributes["dgspay.error_code"] = event.error_code
    return attributes


def _mark_failure(span: Span, attempt: AttemptEvent) -> None:
    if attempt.outcome is Outcome.COMPLETED:
        return
    if attempt.error_code is not None:
        kind = attempt.error_code
    elif attempt.status is not None:
        kind = str(attempt.status)
    else:
        kind = attempt.outcome.value
    span.set_attribute("error.type", kind)
    span.set_status(Status(StatusCode.ERROR, attempt.outcome.value))


def _nanoseconds(seconds: float) -> int:
    return round(seconds * _NANOSECONDS)
