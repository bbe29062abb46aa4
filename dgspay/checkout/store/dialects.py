"""Words in which databases differ: a statement of a script as SQLite and PostgreSQL take it."""

from __future__ import annotations

import re
from functools import lru_cache

_WORD = re.compile(r"\{(now|lock|skip)\}")

# In a query of its own it is asked for once in a statement, and an index can be searched for it.
_SERVER_TIME = "(SELECT extract(epoch FROM clock_timestamp())::float8)"


@lru_cache(maxsize=512)
def in_sqlite(text: str, now: str = "dgspay_now()") -> str:
    """Return a statement as SQLite takes it: it locks the whole file, and no rows.

    Args:
        text: As a script has it.
        now: What the time is there: a function, or a number.
    """
    words = {"now": now, "lock": "", "skip": ""}
    return _WORD.sub(lambda found: words[found[1]], text)


@lru_cache(maxsize=512)
def in_postgres(text: str, now: float | None = None) -> str:
    """Return a statement as drivers of PostgreSQL take it, with `%s` for each value.

    Args:
        text: As a script has it.
        now: Unix time; the server's if left out.
    """
    words = {
        "now": _SERVER_TIME if now is None else f"{now!r}::float8",
        "lock": "FOR UPDATE",
        "skip": "FOR UPDATE SKIP LOCKED",
    }
    plain = text.replace("%", "%%").replace("?", "%s")
    return _WORD.sub(lambda found: words[found[1]], plain)


@lru_cache(maxsize=512)
def numbered(text: str) -> str:
    """Return what `in_postgres` gave with `$1`, `$2`, … for its values, as the server takes it."""
    first, *others = text.split("%s")
    joined = first + "".join(f"${number}{part}" for number, part in enumerate(others, 1))
    return joined.replace("%%", "%")
