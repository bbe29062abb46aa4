"""Connections of the shop's: a script runs in the transaction that one has open.

psycopg's, `sqlite3`'s, Django's (`django.db.connection`) and SQLAlchemy's (a `Connection` or a
`Session`) are told apart by what they can do; none of their packages is imported.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from dgspay.checkout.store.protocol import Row
from dgspay.errors import ConfigError

_WORD = re.compile(r"\{(now|lock|skip)\}")


def execute_on(connection: Any, text: str, values: Sequence[object], *, now: float) -> list[Row]:
    """Run a statement on a blocking connection to a SQLite file and return its rows.

    Raises:
        ConfigError: it is no connection that is known here.
    """
    words = {"now": repr(now), "lock": "", "skip": ""}
    plain = _WORD.sub(lambda found: words[found[1]], text)
    if hasattr(connection, "exec_driver_sql"):
        result = connection.exec_driver_sql(plain, tuple(values))
        return [tuple(row) for row in result] if result.returns_rows else []
    if hasattr(connection, "get_bind") and hasattr(connection, "connection"):
        return execute_on(connection.connection(), text, values, now=now)
    if hasattr(connection, "vendor") and hasattr(connection, "cursor"):
        with connection.cursor() as cursor:
            cursor.execute(plain.replace("%", "%%").replace("?", "%s"), tuple(values))
            return [tuple(row) for row in cursor.fetchall()] if cursor.description else []
    if hasattr(connection, "execute"):
        return [tuple(row) for row in connection.execute(plain, tuple(values)).fetchall()]
    raise ConfigError(
        f"{type(connection).__name__} is no connection of sqlite3, Django or SQLAlchemy"
    )
