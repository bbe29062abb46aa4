"""Statements that are sent to PostgreSQL together: libpq's pipeline mode, through psycopg.

Most statements of a script are written and not looked at: they go along with the next one whose
rows are, or with the commit. A cursor of psycopg's would cost a round trip for each, and several
times the processor time that libpq needs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg import waiting
from psycopg.abc import PQGen
from psycopg.adapt import PyFormat, Transformer
from psycopg.pq import ConnStatus, ExecStatus, Format
from psycopg.pq.abc import PGconn, PGresult

from dgspay.checkout.store.protocol import Row

_INTERVAL = 0.1
"""Seconds after which a wait is begun anew, as psycopg does it; 0 would not wait at all."""


class Pipeline:
    """A connection of psycopg's in pipeline mode; nothing is run on it but what is sent by this.

    Args:
        connection: One in autocommit, with nothing under way.
    """

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self.connection = connection
        self._server = connection.pgconn
        self._server.enter_pipeline_mode()
        # What psycopg's cursors convert values and rows by.
        self._transformer = Transformer(connection)
        self._unsent: list[tuple[bytes, Sequence[object]]] = []

    def add(self, text: bytes, values: Sequence[object] = ()) -> None:
        """Have a statement, with `$1`, `$2`, … for its values, sent with those that follow."""
        self._unsent.append((text, values))

    def send(self, last: int = 1) -> list[list[Row]]:
        """Send what was added, and return the rows of the last so many.

        Raises:
            psycopg.Error: of the first that failed; those after it were not run.
        """
        unsent, self._unsent = self._unsent, []
        # All is converted before any is sent: what cannot be leaves nothing behind.
        for command in [self._command(text, values) for text, values in unsent]:
            self._server.send_query_params(*command)
        self._server.pipeline_sync()
        results = waiting.wait(_answered(self._server), self._server.socket, _INTERVAL)
        for result in results:
            if result.status not in (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK):
                raise psycopg.errors.error_from_result(result, self.connection.info.encoding)
        return [self._rows_of(result) for result in results[-last:]]

    def forget(self) -> None:
        """Forget what was added and not sent."""
        self._unsent.clear()

    def _command(self, text: bytes, values: Sequence[object]) -> tuple[Any, ...]:
        transformer = self._transformer
        encoded = transformer.dump_sequence(values, [PyFormat.AUTO] * len(values))
        return text, encoded, transformer.types, transformer.formats, Format.TEXT

    def _rows_of(self, result: PGresult) -> list[Row]:
        if result.status != ExecStatus.TUPLES_OK:
            return []
        self._transformer.set_pgresult(result)
        return self._transformer.load_rows(0, result.ntuples, tuple)


def _answered(server: PGconn) -> PQGen[list[PGresult]]:
    """Return the result of each statement that was sent, for `psycopg.waiting.wait` to drive."""
    while server.flush():
        # Who reads nothing before all is sent waits for ever for a server that has much to say.
        if (yield waiting.Wait.RW) & waiting.Ready.R:
            server.consume_input()
    results: list[PGresult] = []
    while True:
        while server.is_busy():
            yield waiting.Wait.R
            server.consume_input()
        result = server.get_result()
        if result is None:
            # It ends what belongs to one statement; on a lost connection it comes for ever.
            if server.status == ConnStatus.BAD:
                raise psycopg.OperationalError("the connection was lost")
            continue
        if result.status == ExecStatus.PIPELINE_SYNC:
            return results
        results.append(result)
