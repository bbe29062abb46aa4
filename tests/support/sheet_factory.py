"""Sheets of payouts for the tests, and clients of a served emulator."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dgspay import AsyncDGSPay, RetryPolicy
from dgspay.emulator import Emulator
from dgspay.payouts import SqliteLedger

RICH = {"RWF": 10**12}
PHONES = ("reference", "amount", "msisdn", "network", "name")


def phone(number: int) -> str:
    return f"+25078{number:07d}"


def payments(count: int) -> Iterator[dict[str, Any]]:
    for number in range(1, count + 1):
        yield {
            "reference": f"salary-{number}",
            "amount": str(1000 + number),
            "msisdn": phone(number),
            "network": "MTN",
            "name": f"Person {number}",
        }


def write_sheet(path: Path, rows: Iterable[Mapping[str, Any]] | int) -> Path:
    listed = list(payments(rows)) if isinstance(rows, int) else list(rows)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, listed[0].keys())
        writer.writeheader()
        writer.writerows(listed)
    return path


def client_of(emulator: Emulator, url: str, **options: Any) -> AsyncDGSPay:
    settings: dict[str, Any] = {
        "api_key": emulator.api_key,
        "account_number": emulator.account_number,
        "environment": "emulator",
        "base_url": url,
        "retry": RetryPolicy(attempts=2, initial_delay=0.0),
    }
    return AsyncDGSPay(**{**settings, **options})


TRUSTING = RetryPolicy(attempts=3, initial_delay=0.0, trust_idempotency=True)


@contextmanager
def in_process(**options: Any) -> Iterator[tuple[Emulator, AsyncDGSPay]]:
    """An emulator and a client of it, without a socket."""
    from dgspay.transports.httpx import HttpxTransport

    client_options = options.pop("client", {})
    with Emulator(**{"settle_after": 0, "balances": RICH, "seed": 5, **options}) as emulator:
        transport = HttpxTransport(emulator.async_http_client())
        yield (
            emulator,
            client_of(emulator, emulator.base_url, transport=transport, **client_options),
        )


@contextmanager
def ledger_in(folder: Path) -> Iterator[SqliteLedger]:
    with SqliteLedger(folder / "ledger.sqlite3") as ledger:
        yield ledger
