"""Metrics by OpenTelemetry (extra `otel`).

::

    dgs = AsyncDGSPay(..., hooks=[OpenTelemetryMetrics()])
    observe(checkout.gauges())

`OpenTelemetryHook` of `dgspay.otel` writes the spans of the same calls; pass both.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial

try:
    from opentelemetry.metrics import (
        CallbackOptions,
        Counter,
        Histogram,
        Meter,
        MeterProvider,
        Observation,
        get_meter,
    )
except ImportError:
    raise ImportError(
        "dgspay.metrics.opentelemetry needs opentelemetry-api: pip install 'dgspay[otel]'"
    ) from None

from dgspay._version import __version__
from dgspay.core.events import TelemetryEvent
from dgspay.forks import new_lock
from dgspay.metrics import calls
from dgspay.metrics.instruments import Gauges, Instrument, Kind, Measurement


class OpenTelemetryMetrics:
    """A hook that counts calls and retries, and measures how long calls take and wait.

    Args:
        meter_provider: Where the values go; the global provider when None.
    """

    def __init__(self, meter_provider: MeterProvider | None = None) -> None:
        meter = _meter(meter_provider)
        self._instruments = {each.name: _made(meter, each) for each in calls.INSTRUMENTS}

    def __call__(self, event: TelemetryEvent) -> None:
        """Add what an event says to the metrics."""
        for each in calls.measured(event):
            instrument = self._instruments[each.instrument.name]
            if isinstance(instrument, Histogram):
                instrument.record(each.value, each.labels)
            else:
                instrument.add(each.value, each.labels)


def observe(
    gauges: Gauges,
    meter_provider: MeterProvider | None = None,
    *,
    monotonic: Callable[[], float] = time.monotonic,
) -> None:
    """Have gauges read whenever the metrics are collected, for as long as the program runs.

    They are read once for each collection, in the thread that collects. Where they cannot be read
    the collection has no values of theirs, and OpenTelemetry logs why.

    Args:
        gauges: Such as `checkout.gauges()`.
        meter_provider: Where the values go; the global provider when None.
        monotonic: Seconds of a clock that is never set.
    """
    meter = _meter(meter_provider)
    reading = _Reading(gauges, monotonic)
    for instrument in gauges.instruments:
        meter.create_observable_gauge(
            instrument.name,
            [partial(_observed, reading, instrument)],
            instrument.unit,
            instrument.description,
        )


_SECONDS_OF_A_READING = 1.0
"""Within these, the instruments of one collection share a reading."""


class _Reading:
    """The values of gauges, read once for all instruments that are collected together."""

    def __init__(self, gauges: Gauges, monotonic: Callable[[], float]) -> None:
        self._gauges = gauges
        self._monotonic = monotonic
        self._lock = new_lock()
        self._read_at: float | None = None
        self._values: Sequence[Measurement] = ()

    def values(self) -> Sequence[Measurement]:
        with self._lock:
            now = self._monotonic()
            if self._read_at is None or now - self._read_at >= _SECONDS_OF_A_READING:
                self._values = self._gauges.read()
                self._read_at = now
            return self._values


def _observed(
    reading: _Reading, instrument: Instrument, options: CallbackOptions
) -> Iterable[Observation]:
    return [
        Observation(each.value, each.labels)
        for each in reading.values()
        if each.instrument is instrument
    ]


def _meter(provider: MeterProvider | None) -> Meter:
    return get_meter("dgspay", __version__, provider)


def _made(meter: Meter, instrument: Instrument) -> Counter | Histogram:
    if instrument.kind is Kind.HISTOGRAM:
        return meter.create_histogram(
            instrument.name,
            instrument.unit,
            instrument.description,
            explicit_bucket_boundaries_advisory=instrument.boundaries,
        )
    return meter.create_counter(instrument.name, instrument.unit, instrument.description)
