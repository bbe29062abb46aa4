"""What is measured of calls, from the events of hooks: number, duration, retries, pool waits."""

from __future__ import annotations

from dgspay.core.events import AttemptEvent, CallEvent, TelemetryEvent
from dgspay.metrics.instruments import Instrument, Kind, Measurement

_METHOD = "http.request.method"
_ROUTE = "url.template"
_OUTCOME = "dgspay.outcome"
_ERROR = "error.type"
_MERCHANT = "dgspay.merchant"

_OF_CALL = (_METHOD, _ROUTE, _OUTCOME, _ERROR, _MERCHANT)

CALLS = Instrument(
    name="dgspay.client.calls",
    kind=Kind.COUNTER,
    unit="{call}",
    description="Calls that have ended, by what is known of their outcome.",
    labels=_OF_CALL,
)
DURATION = Instrument(
    name="dgspay.client.call.duration",
    kind=Kind.HISTOGRAM,
    unit="s",
    description="How long calls took, waiting between attempts included.",
    labels=_OF_CALL,
    # Those of the semantic conventions for HTTP, and on to the deadline of a call.
    boundaries=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120),
)
RETRIES = Instrument(
    name="dgspay.client.retries",
    kind=Kind.COUNTER,
    unit="{retry}",
    description="Attempts that were followed by another one.",
    labels=(_METHOD, _ROUTE, _OUTCOME, _MERCHANT),
)
POOL_WAIT = Instrument(
    name="dgspay.client.pool.wait",
    kind=Kind.HISTOGRAM,
    unit="s",
    description="How long attempts waited for a free connection, where the transport can know.",
    labels=(_METHOD, _ROUTE, _OUTCOME, _MERCHANT),
    boundaries=(0, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 2.5, 5, 10),
)

INSTRUMENTS = (CALLS, DURATION, RETRIES, POOL_WAIT)


def measured(event: TelemetryEvent) -> tuple[Measurement, ...]:
    """Return what an event adds to the metrics."""
    labels = _labels(event)
    if isinstance(event, AttemptEvent):
        measurements = []
        if event.retry_delay is not None:
            measurements.append(Measurement(instrument=RETRIES, value=1, labels=labels))
        if event.pool_wait is not None:
            waited = Measurement(instrument=POOL_WAIT, value=event.pool_wait, labels=labels)
            measurements.append(waited)
        return tuple(measurements)
    return (
        Measurement(instrument=CALLS, value=1, labels=labels),
        Measurement(instrument=DURATION, value=event.duration, labels=labels),
    )


def _labels(event: TelemetryEvent) -> dict[str, str]:
    method, _, route = event.operation.partition(" ")
    labels = {_METHOD: method, _ROUTE: route, _OUTCOME: event.outcome.value}
    if event.merchant is not None:
        labels[_MERCHANT] = event.merchant
    if isinstance(event, CallEvent) and event.error is not None:
        labels[_ERROR] = event.error
    return labels
