"""What a metric is and what was measured, whatever library reports it."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from typing import Protocol

import attrs


class Kind(enum.Enum):
    """How the values of an instrument add up."""

    COUNTER = "counter"
    HISTOGRAM = "histogram"
    GAUGE = "gauge"


@attrs.frozen(kw_only=True)
class Instrument:
    """A metric.

    Attributes:
        name: In OpenTelemetry's style, such as `dgspay.client.calls`.
        kind: How its values add up.
        unit: In UCUM's words: `s`, or what is counted in braces, such as `{call}`.
        description: What it measures.
        labels: The names of all labels that a value may carry.
        boundaries: The upper bounds of a histogram's buckets.
    """

    name: str
    kind: Kind
    unit: str
    description: str
    labels: tuple[str, ...] = ()
    boundaries: tuple[float, ...] = ()


@attrs.frozen(kw_only=True)
class Measurement:
    """One value of an instrument.

    Attributes:
        instrument: What was measured.
        value: The value, in the instrument's unit.
        labels: The labels that it carries.
    """

    instrument: Instrument
    value: float
    labels: Mapping[str, str] = attrs.field(factory=dict)


class Gauges(Protocol):
    """Values that are read when a monitor asks for them, such as those of a checkout."""

    @property
    def instruments(self) -> Sequence[Instrument]:
        """All gauges that `read` may return values of."""
        ...

    def read(self) -> Sequence[Measurement]:
        """Return the values of this moment. It blocks, and may be called from any thread."""
        ...
