"""Reasons why PostgreSQL refuses a connection, in words that say what to do.

libpq gives no code for an error before there is a connection, only its own text and the server's,
which is in English unless the server is set to another language.
"""

from __future__ import annotations

import re

import attrs
import psycopg
from psycopg.conninfo import conninfo_to_dict


@attrs.frozen
class ServerRefusal:
    """Why there is no connection.

    Attributes:
        message: What is wrong and what to do, to follow "the ledger's PostgreSQL" or the like.
        passes: Whether it may be over soon.
        is_pooler: Whether it is a pooler that refuses options for the server.
    """

    message: str
    passes: bool = True
    is_pooler: bool = False


UNREADABLE = ServerRefusal(
    "cannot be found: its connection string cannot be read. It looks like "
    "postgresql://user@host:5432/database",
    passes=False,
)
"""Not the driver's own text, which may hold what the connection string holds."""

_POOLER = ServerRefusal(
    "is behind a pooler that does not pass options on", passes=False, is_pooler=True
)

_LASTING = (
    (r"unsupported startup parameter", _POOLER),
    (
        r"no password supplied|role .* does not exist|no such user|authentication failed",
        ServerRefusal(
            "refuses the user or the password. Check both in its URL, or PGPASSWORD and ~/.pgpass",
            passes=False,
        ),
    ),
    (
        r"database .* does not exist|no such database",
        ServerRefusal(
            "has no database of that name. Check the name after the last slash of its URL, or "
            "make it with createdb",
            passes=False,
        ),
    ),
    (
        r"does not support SSL|(SSL|TLS) required",
        ServerRefusal(
            "and its URL disagree about TLS. Take sslmode out of the URL on a network of your own "
            "where the server has none, or require it where it demands it (?sslmode=require)",
            passes=False,
        ),
    ),
    (
        r"no pg_hba.conf entry.*(no encryption|SSL off)",
        ServerRefusal(
            "lets this user in from this machine only with TLS, or not at all. Add "
            "?sslmode=require to its URL; where that changes nothing, its pg_hba.conf must allow "
            "it",
            passes=False,
        ),
    ),
    (
        r"certificate|root\.crt|SSL error|tlsv1|sslv3",
        ServerRefusal(
            "does not prove by its certificate that it is the one you mean. Check sslmode and "
            "sslrootcert in its URL",
            passes=False,
        ),
    ),
    (
        r"no pg_hba.conf entry|permission denied for database",
        ServerRefusal(
            "does not let this user in from this machine. Its pg_hba.conf, or a GRANT CONNECT, "
            "must allow it",
            passes=False,
        ),
    ),
)

_PASSING = (
    (
        r"too many (clients|connections)|connection slots|no more connections|query_wait_timeout",
        ServerRefusal(
            "has no connection left. Each process needs three or more: raise the role's "
            "CONNECTION LIMIT or max_connections, or stop what else is connected"
        ),
    ),
    (
        r"starting up|shutting down|not yet accepting|recovery mode",
        ServerRefusal("is starting or stopping. Give the command again in a moment"),
    ),
    (
        r"session is read-only|hot standby|read-only transaction|is not in hot standby",
        ServerRefusal(
            "cannot write: it is a standby, or another server is taking over. Name the primary"
        ),
    ),
    (
        r"translate host name|Name or service not known|resolve host",
        ServerRefusal("cannot be found: its host's name is unknown. Check it in the URL"),
    ),
    (
        "refused|No such file|time(d out|out)|unreachable|No route|closed|reset|cannot connect",
        ServerRefusal("does not answer. Check that it runs, and host and port in its URL"),
    ),
)


def refusal_of(error: psycopg.Error, conninfo: str) -> ServerRefusal:
    """Return what is wrong; for an unforeseen error, the server's own words."""
    if isinstance(error, psycopg.errors.ConnectionTimeout):
        return _PASSING[-1][1]
    text = str(error)
    # Of several hosts each has its say. What passes counts: the one that is meant may come back.
    for pattern, refusal in (*_PASSING[:3], *_LASTING, *_PASSING[3:]):
        if re.search(pattern, text, re.IGNORECASE):
            return refusal
    words = text.rpartition("FATAL:")[2].strip() if "FATAL:" in text else type(error).__name__
    return ServerRefusal(f"cannot be reached ({_without_secrets(words, conninfo)})")


def _without_secrets(words: str, conninfo: str) -> str:
    secret = conninfo_to_dict(conninfo).get("password")
    return words.replace(str(secret), "***") if secret else words
