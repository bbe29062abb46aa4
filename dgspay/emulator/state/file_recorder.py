"""Records each change of an emulator in its state file, before the answer that reports it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import attrs

from dgspay.emulator.domain.records import Event
from dgspay.emulator.state.serialization import to_text
from dgspay.emulator.state.sqlite_file import Row, StateFile
from dgspay.emulator.webhooks.delivery import Delivery
from dgspay.forks import new_lock

SmallRows = Callable[[], Iterable[Row]]
"""Returns the rows that are few and change often; they are compared, not noted."""


class FileRecorder:
    """A `Recorder` for accounts, and the same for deliveries, that writes to a file.

    It records nothing until `resume`. Accounts and engine call it with the emulator's lock held.

    Args:
        file: Where the state is kept from one run to the next.
    """

    def __init__(self, file: StateFile) -> None:
        self._file = file
        self._small_rows: SmallRows | None = None
        self._changed: dict[tuple[str, str, str], object | None] = {}
        self._written: dict[tuple[str, str], str] = {}
        self._unwritten: dict[tuple[str, str, str], Row] = {}
        self._writing = new_lock()
        self.trouble: str | None = None
        """Reason why the file is behind; None when it is complete."""

    def pause(self) -> None:
        """Write nothing while the state is half one and half the other."""
        self._small_rows = None

    def resume(self, rows: Sequence[Row], small_rows: SmallRows) -> None:
        """Replace the rows of the file by these, and record what changes from now on."""
        self._file.replace(rows)
        self._changed.clear()
        self._unwritten.clear()
        self.trouble = None
        self._written = {(r.kind, r.account): r.content or "" for r in small_rows()}
        self._small_rows = small_rows

    def touch(self, account_number: str, kind: str, name: str, record: object | None) -> None:
        """Note what something is now; None for what has gone."""
        if self._small_rows is not None:
            self._changed[kind, account_number, name] = record

    def commit(self) -> None:
        """Write down what has changed, all of it or nothing."""
        if self._small_rows is None:
            return
        rows = [
            Row(kind, number, name, None if record is None else to_text(record))
            for (kind, number, name), record in self._changed.items()
        ]
        small = [row for row in self._small_rows() if self._is_news(row)]
        self._write([*rows, *small])
        self._written.update(((r.kind, r.account), r.content or "") for r in small)
        self._changed.clear()

    def keep(self, delivery: Delivery, event: Event | None, evicted: Delivery | None) -> None:
        """Write down a delivery, without the event it came of and the one it displaces."""
        if self._small_rows is None:
            return
        rows = [delivery_row(delivery)]
        if event is not None:
            rows.append(Row("event", event.account_number, str(event.number), None))
        if evicted is not None and evicted.next_at is None:
            rows.append(attrs.evolve(delivery_row(evicted), content=None))
        self._write(rows)

    def _is_news(self, row: Row) -> bool:
        return self._written.get((row.kind, row.account)) != row.content

    def _write(self, rows: Iterable[Row]) -> None:
        """Write rows, and with them what could not be written before: the disk may be full."""
        with self._writing:
            for row in rows:
                self._unwritten[row.kind, row.account, row.name] = row
            if not self._unwritten:
                return
            try:
                self._file.write(self._unwritten.values())
            except OSError as error:
                self.trouble = error.strerror
            else:
                self.trouble = None
                self._unwritten.clear()


def delivery_row(delivery: Delivery) -> Row:
    """Return the row of a delivery."""
    return Row("delivery", delivery.account_number, str(delivery.id), to_text(delivery))
