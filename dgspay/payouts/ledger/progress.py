"""How far a batch has come, noted beside its ledger, so that an older ledger is noticed.

A ledger that was deleted, or put back as it was yesterday, knows nothing of who was paid since,
and a run with it would pay them again. The note is in the file that the run has locked. It is
written after the ledger and never before, and it is not worth waiting for a disk: it says too
little where power was lost, and never too much.
"""

from __future__ import annotations

import contextlib
import os
import threading

from dgspay.payouts.ledger.batches import NUMBERS, Database, id_of
from dgspay.payouts.ledger.tables import row_id

_LENGTH = 16


class Progress:
    """The highest number of a batch that was taken up, in an open file."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._turn = threading.Lock()
        os.lseek(descriptor, 0, os.SEEK_SET)
        noted = os.read(descriptor, _LENGTH).strip()
        self.reached = int(noted) if noted.isdigit() else 0

    def note(self, number: int) -> None:
        """Note that payouts up to a number were taken up."""
        with self._turn:
            if number <= self.reached:
                return
            self.reached = number
            # A full disk stops the ledger itself, and says so.
            with contextlib.suppress(OSError):
                os.lseek(self._descriptor, 0, os.SEEK_SET)
                os.write(self._descriptor, f"{number:0{_LENGTH - 1}d}\n".encode())


def highest_taken(database: Database, name: str) -> int:
    """Return the highest number of a batch of which a ledger knows more than what to pay."""
    batch = id_of(database, name)
    if batch is None:
        return 0
    ((highest,),) = database.query(
        "SELECT coalesce(max(id), 0) FROM dgspay_payout_states WHERE id > ? AND id < ?",
        (row_id(batch, 0), row_id(batch + 1, 0)),
    )
    return int(highest) % NUMBERS
