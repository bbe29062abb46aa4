"""What a monitor measures of payouts, from their ledger."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

from dgspay.forks import new_lock
from dgspay.metrics.instruments import Instrument, Kind, Measurement
from dgspay.payouts.ledger.database import DatabaseLedger
from dgspay.payouts.ledger.sql_payouts import Tally, read_tally
from dgspay.payouts.model.payout import UNSETTLED, State

_STATE = "dgspay.state"

_PAYOUTS = Instrument(
    name="dgspay.payouts.count",
    kind=Kind.GAUGE,
    unit="{payout}",
    description="Payouts of all batches in the ledger, by state.",
    labels=(_STATE,),
)
_OLDEST = Instrument(
    name="dgspay.payouts.oldest",
    kind=Kind.GAUGE,
    unit="s",
    description="For how long the oldest payout of a state that may have been paid was sent; or 0.",
    labels=(_STATE,),
)
_PAUSED = Instrument(
    name="dgspay.payouts.batches.paused",
    kind=Kind.GAUGE,
    unit="{batch}",
    description="Batches that were paused, and not closed.",
)

SECONDS_OF_A_READING = 15.0
"""A ledger is read no more often than this: it is asked for every payout there ever was."""


class PayoutGauges:
    """The gauges of a ledger.

    Args:
        ledger: A `SqliteLedger` or a `PostgresLedger`.
        clock: Unix time.
        monotonic: Seconds of a clock that is never set.
    """

    instruments = (_PAYOUTS, _OLDEST, _PAUSED)

    def __init__(
        self,
        ledger: DatabaseLedger[Any],
        *,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ledger = ledger
        self._clock = clock
        self._monotonic = monotonic
        self._lock = new_lock()
        self._found: tuple[float, Tally] | None = None

    def read(self) -> list[Measurement]:
        """Return the values of this moment; counts may be `SECONDS_OF_A_READING` old.

        Raises:
            LedgerError: the ledger cannot be read.
        """
        return [*self._measured(self._tally())]

    def _tally(self) -> Tally:
        with self._lock:
            now = self._monotonic()
            if self._found is None or now - self._found[0] >= SECONDS_OF_A_READING:
                self._found = now, self._ledger.transact(read_tally)
            return self._found[1]

    def _measured(self, found: Tally) -> Iterator[Measurement]:
        now = self._clock()
        for state in State:
            labels = {_STATE: state.value}
            count = found.counts.get(state, 0)
            yield Measurement(instrument=_PAYOUTS, value=count, labels=labels)
            if state in UNSETTLED:
                sent_at = found.oldest.get(state)
                age = 0.0 if sent_at is None else max(0.0, now - sent_at)
                yield Measurement(instrument=_OLDEST, value=age, labels=labels)
        yield Measurement(instrument=_PAUSED, value=found.paused)
