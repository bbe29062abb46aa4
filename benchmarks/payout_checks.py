"""The claims: of 100,000 rows a check takes under 4 seconds, and a reconciliation under 30.

    python -m benchmarks.payout_checks [--write benchmarks/payout_checks.md]

A server in a process of its own answers at once, and lists transactions a hundred to a page. The
check reads a sheet and holds it against a ledger in which another batch of as many was paid. What
is told is the best of the rounds.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from benchmarks.payouts import acceptances, rows
from benchmarks.turns import client_of, serving
from dgspay.payouts import AsyncPayouts, Batch, Evidence, Learned, Source, SqliteLedger, Terms

ROWS, ROUNDS, PER_PAGE = 100_000, 3, 100
CHECK_SECONDS, RECONCILE_SECONDS = 4.0, 30.0
_WALLET = {"balances": [{"currency": "RWF", "available_balance": 10**12}]}


def transaction(number: int) -> dict[str, Any]:
    return {
        "id": f"{number}",
        "dgs_reference": f"DGS{number}",
        "amount": 1001,
        "currency": "RWF",
        "status": "success",
        "payment_method_type": "mobile_money",
        "destination_type": "mobile_money",
        "created_at": "2026-12-01 08:00:00",
    }


def answer_to(target: str) -> dict[str, Any]:
    """The wallet, or a page of transactions."""
    asked = urlsplit(target)
    if "/balance" in asked.path:
        return {"status": "success", **_WALLET}
    page = int(parse_qs(asked.query).get("page", ["1"])[0])
    first = (page - 1) * PER_PAGE + 1
    last = min(first + PER_PAGE - 1, ROWS)
    pages = {"page": page, "limit": PER_PAGE, "total": ROWS, "pages": ROWS // PER_PAGE}
    listed = [transaction(number) for number in range(first, last + 1)]
    return {"status": "success", "data": listed, "pagination": pages}


class Prompt(asyncio.Protocol):
    """Answers every request at once; none of them has a body."""

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        target = data.split(b" ", 2)[1].decode()
        body = json.dumps(answer_to(target)).encode()
        self.transport.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
            b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
        )


def write_sheet(path: Path) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("reference", "amount", "msisdn", "network", "name"))
        for number in range(1, ROWS + 1):
            phone = f"+2507{8_000_0000 + number:08d}"
            writer.writerow((f"wage-{number}", 2000, phone, "MTN", "Jane Doe"))
    return path


def paid_batch(ledger: SqliteLedger, terms: Terms) -> str:
    """Have a batch in the ledger whose payouts are all confirmed."""
    batch = ledger.load(Batch(name="paid", digest="benchmark", terms=terms), rows(ROWS))
    ledger.start(batch.name)
    chunk, after = ledger.claim(batch, 0, 1, ROWS), 0
    while page := ledger.take(chunk, after=after, limit=4000):
        after = page[-1].number
        for payout, accepted in zip(page, acceptances(page), strict=True):
            ledger.post(batch, payout.number, accepted)
            paid = Evidence(learned=Learned.PAID, source=Source.LOOK_UP)
            ledger.post(batch, payout.number, paid)
    ledger.flush()
    return batch.name


async def measured(url: str, folder: Path) -> Iterator[tuple[float, float]]:
    sheet = write_sheet(folder / "wages.csv")
    found = []
    async with client_of(url) as dgs:
        with SqliteLedger(folder / "ledger.sqlite3") as ledger:
            name = paid_batch(ledger, Terms.of(dgs))
            payouts = AsyncPayouts(dgs, ledger)
            for _ in range(ROUNDS):
                began = time.perf_counter()
                (await payouts.check(sheet)).require_good()
                checked = time.perf_counter()
                differences = [one async for one in payouts.reconcile(name)]
                ended = time.perf_counter()
                if differences:
                    raise SystemExit(f"{len(differences)} differences: {differences[0]}")
                found.append((checked - began, ended - checked))
    return iter(found)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--write", type=Path, help="also write the result to this file")
    chosen = parser.parse_args()
    busy, processors = os.getloadavg()[0], os.cpu_count()
    with serving(Prompt) as url, tempfile.TemporaryDirectory() as folder:
        found = [*asyncio.run(measured(url, Path(folder)))]
    check, reconcile = (min(times) for times in zip(*found, strict=True))
    text = (
        "# Checks of many payouts\n\n"
        "`python -m benchmarks.payout_checks --write benchmarks/payout_checks.md` "
        f"(CPython {platform.python_version()}, {platform.machine()}, {ROWS:,} rows, the best of "
        f"{ROUNDS} rounds; before it, {busy:.1f} programs were running on {processors} "
        "processors)\n\n"
        "| what | seconds | claimed |\n|---|---|---|\n"
        f"| check a sheet, against a ledger of as many | {check:.1f} | "
        f"under {CHECK_SECONDS:.0f} |\n"
        f"| reconcile a batch with a list of as many | {reconcile:.1f} | "
        f"under {RECONCILE_SECONDS:.0f} |\n"
    )
    print(text)
    if chosen.write is not None:
        chosen.write.write_text(text, encoding="utf-8")
    return 0 if check < CHECK_SECONDS and reconcile < RECONCILE_SECONDS else 1


if __name__ == "__main__":
    sys.exit(main())
