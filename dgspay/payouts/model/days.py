"""Days and minutes of Kigali, as they are kept and shown."""

from __future__ import annotations

import datetime as dt

from dgspay.clock import KIGALI


def day_in_kigali(unix: float) -> str:
    """Return the day of a Unix time in Kigali, as 2026-12-01."""
    return dt.datetime.fromtimestamp(unix, KIGALI).date().isoformat()


def day_began(unix: float) -> float:
    """Return the Unix time at which the day of another one began in Kigali."""
    moment = dt.datetime.fromtimestamp(unix, KIGALI)
    return moment.replace(hour=0, minute=0, second=0, microsecond=0).timestamp()


def minute_in_kigali(unix: float) -> str:
    """Return the minute of a Unix time in Kigali for a person."""
    return f"{dt.datetime.fromtimestamp(unix, KIGALI):%Y-%m-%d %H:%M} in Kigali"
