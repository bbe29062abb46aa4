"""A ledger of each kind, for what settles payouts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dgspay.payouts import SqliteLedger


@pytest.fixture(params=["sqlite", "postgres"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Any]:
    """Opens each kind of ledger, always the same one."""
    if request.param == "sqlite":
        return lambda: SqliteLedger(tmp_path / "ledger.sqlite3")
    from dgspay.payouts import PostgresLedger

    url = request.getfixturevalue("postgres_ledger_url")
    return lambda: PostgresLedger(url)


@pytest.fixture
def ledger(opened: Callable[[], Any]) -> Iterator[Any]:
    with opened() as ledger:
        yield ledger
