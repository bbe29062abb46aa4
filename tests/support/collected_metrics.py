"""Metrics collected in this process, and gauges of a test's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from dgspay.metrics.instruments import Instrument, Kind, Measurement

Points = list[tuple[Mapping[str, Any], Any]]


class Collected:
    """A provider of meters whose values are read in this process."""

    def __init__(self) -> None:
        self.reader = InMemoryMetricReader()
        self.provider = MeterProvider([self.reader], shutdown_on_exit=False)

    def metrics(self) -> dict[str, Any]:
        data = self.reader.get_metrics_data()
        return (
            {
                metric.name: metric
                for resource in data.resource_metrics
                for scope in resource.scope_metrics
                for metric in scope.metrics
            }
            if data
            else {}
        )

    def points(self, name: str) -> Points:
        points = self.metrics()[name].data.data_points
        return [(dict(point.attributes), point) for point in points]


AGE = Instrument(name="dgspay.test.age", kind=Kind.GAUGE, unit="s", description="An age.")
SIZE = Instrument(
    name="dgspay.test.size", kind=Kind.GAUGE, unit="{thing}", description="A size.",
    labels=("state",),
)  # fmt: skip


class Things:
    """Gauges that count how often they are read."""

    instruments = (AGE, SIZE)

    def __init__(self) -> None:
        self.reads = 0

    def read(self) -> list[Measurement]:
        self.reads += 1
        return [
            Measurement(instrument=AGE, value=3.5),
            Measurement(instrument=SIZE, value=self.reads, labels={"state": "open"}),
        ]
