"""Metrics by Prometheus's client library (extra `prometheus`).

::

    dgs = AsyncDGSPay(..., hooks=[PrometheusMetrics()])
    observe(checkout.gauges())

They are in the library's own registry, and so at any endpoint that the program has for it already.
One of its own is behind a token, and collects without holding up an event loop:

    app.router.routes.extend(routes(checkout, metrics=MetricsEndpoint(token=...)))

and Prometheus is given that token as `authorization: credentials`.
"""

from __future__ import annotations

import hmac
import logging
from collections.abc import Iterable

try:
    from prometheus_client import REGISTRY, CollectorRegistry, Counter, Histogram, generate_latest
    from prometheus_client.core import GaugeMetricFamily
    from prometheus_client.exposition import CONTENT_TYPE_LATEST
    from prometheus_client.registry import Collector
except ImportError:
    raise ImportError(
        "dgspay.metrics.prometheus needs prometheus-client: pip install 'dgspay[prometheus]'"
    ) from None

from dgspay.core.events import TelemetryEvent
from dgspay.errors import ConfigError
from dgspay.metrics import calls
from dgspay.metrics.endpoint import MetricsResponse
from dgspay.metrics.instruments import Gauges, Instrument, Kind, Measurement
from dgspay.secret import Secret

logger = logging.getLogger("dgspay.metrics")


class PrometheusMetrics:
    """A hook that counts calls and retries, and measures how long calls take and wait.

    Make one for each registry: clients may share it.

    Args:
        registry: Where the values are collected from.
    """

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self._metrics = {each.name: _made(each, registry) for each in calls.INSTRUMENTS}

    def __call__(self, event: TelemetryEvent) -> None:
        """Add what an event says to the metrics."""
        for each in calls.measured(event):
            metric = self._metrics[each.instrument.name].labels(*_label_values(each))
            if isinstance(metric, Histogram):
                metric.observe(each.value)
            else:
                metric.inc(each.value)


def observe(gauges: Gauges, registry: CollectorRegistry = REGISTRY) -> None:
    """Have gauges read whenever the registry is collected, for as long as the program runs.

    Where they cannot be read, the collection has none of them and the log says why: alert on
    `absent(...)`.

    Args:
        gauges: Such as `checkout.gauges()`.
        registry: Where the values are collected from.
    """
    registry.register(_GaugesCollector(gauges))


class MetricsEndpoint:
    """Answers Prometheus, for whoever shows the token.

    Args:
        token: What `Authorization: Bearer ...` must show; of 16 characters or more.
        registry: What is answered with.

    Raises:
        ConfigError: the token is too short to be one.
    """

    def __init__(self, *, token: str | Secret, registry: CollectorRegistry = REGISTRY) -> None:
        held = token if isinstance(token, Secret) else Secret(token)
        if len(held.reveal()) < _SHORTEST_TOKEN:
            raise ConfigError(f"the token of the metrics needs {_SHORTEST_TOKEN} characters")
        self._token = held
        self._registry = registry

    def respond(self, authorization: str | None) -> MetricsResponse:
        """Answer a request by its `Authorization` header. It blocks while gauges are read."""
        shown = (authorization or "").encode(errors="replace")
        if not hmac.compare_digest(shown, f"Bearer {self._token.reveal()}".encode()):
            return MetricsResponse(401, b"", {"WWW-Authenticate": "Bearer"})
        headers = {"Content-Type": CONTENT_TYPE_LATEST, "Cache-Control": "no-store"}
        return MetricsResponse(200, generate_latest(self._registry), headers)


_SHORTEST_TOKEN = 16


class _GaugesCollector(Collector):
    """Reads gauges once for each collection."""

    def __init__(self, gauges: Gauges) -> None:
        self._gauges = gauges

    def describe(self) -> Iterable[GaugeMetricFamily]:
        """Return the metrics without values: a registry asks for their names when they come."""
        return [_family(each) for each in self._gauges.instruments]

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """Return the metrics with the values of this moment."""
        families = {each.name: _family(each) for each in self._gauges.instruments}
        try:
            values = self._gauges.read()
        except Exception:  # the other metrics of the registry must be collected all the same
            logger.exception("gauges could not be read, so this collection is without them")
            return []
        for each in values:
            families[each.instrument.name].add_metric(_label_values(each), each.value)
        return families.values()


def _made(instrument: Instrument, registry: CollectorRegistry) -> Counter | Histogram:
    name, labels = _name(instrument), _label_names(instrument)
    if instrument.kind is Kind.HISTOGRAM:
        return Histogram(
            name,
            instrument.description,
            labels,
            registry=registry,
            buckets=instrument.boundaries,
        )
    return Counter(name, instrument.description, labels, registry=registry)


def _family(instrument: Instrument) -> GaugeMetricFamily:
    return GaugeMetricFamily(
        _name(instrument), instrument.description, labels=_label_names(instrument)
    )


def _name(instrument: Instrument) -> str:
    """Spell a name as OpenTelemetry's exporter does: the unit at its end, where it is seconds."""
    suffix = "_seconds" if instrument.unit == "s" else ""
    return f"{instrument.name.replace('.', '_')}{suffix}"


def _label_names(instrument: Instrument) -> list[str]:
    return [name.replace(".", "_") for name in instrument.labels]


def _label_values(measurement: Measurement) -> list[str]:
    # To Prometheus an empty label is none.
    return [measurement.labels.get(name, "") for name in measurement.instrument.labels]
