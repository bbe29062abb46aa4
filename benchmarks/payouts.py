"""The claims: a durable run keeps 0.95 of the bare client's rate, and a million rows are quick.

Run it with the extras `aiohttp` and `postgres` and a PostgreSQL from Debian's packages:

    python -m benchmarks.payouts [--write benchmarks/payouts.md] [--only rates|million]

A server in a process of its own answers each disbursement after 30 ms. The subjects take turns
in every round; what is compared is the best round of each.

A million payouts and their answers are made as cheaply as Python can: reading a file, or an
answer, is not what is measured there. As in a run, the books are asked for the next payouts while
what was learned of those before is handed in.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import count, repeat
from pathlib import Path

import attrs

from benchmarks.turns import CONCURRENCY, LATENCY, ROUNDS, Subject, rates_in_turns
from dgspay import AsyncDGSPay
from dgspay.payouts import (
    Batch,
    ChunkPayer,
    ChunkRef,
    Evidence,
    Learned,
    Pace,
    Payout,
    Source,
    SqliteLedger,
    State,
    Stop,
    Terms,
)
from dgspay.payouts.model.batch import chunk_ranges
from dgspay.payouts.run.take_size import TakeSize

ROWS = 5_000
LEAST = {"SQLite": 0.95, "PgQueuer": 0.9}
MILLION, MILLION_SECONDS, MILLION_MIB = 1_000_000, 8.0, 50.0


def rows(people: int, month: int = 1) -> Iterator[Payout]:
    """People to pay; of each month under other references and with another sum.

    What looks as if it had been paid is not paid again, in whatever batch.
    """
    rest = ("MTN", "RW", "Jane Doe", None, None)
    amount = 1000 + month
    fields = (
        (number, f"{month}-{number}", amount, f"+{250780000000 + number}", None, None, *rest)
        for number in range(1, people + 1)
    )
    return map(tuple.__new__, repeat(Payout), fields)


def acceptances(payouts: Sequence[Payout]) -> Iterator[Evidence]:
    accepted, answer = Learned.ACCEPTED, Source.ANSWER
    silent = (None,) * (len(Evidence._fields) - 3)
    fields = ((accepted, answer, f"DGS{payout[0]}", *silent) for payout in payouts)
    return map(tuple.__new__, repeat(Evidence), fields)


def batch_of(dgs: AsyncDGSPay, name: str) -> Batch:
    return Batch(name=name, digest="benchmark", terms=Terms.of(dgs))


async def bare(dgs: AsyncDGSPay) -> float:
    waiting = rows(ROWS)

    async def work() -> None:
        for payout in waiting:
            await dgs.disbursements.create(
                amount=payout.amount,
                recipient=payout.recipient,
                idempotency_key=f"bare-{payout.number}-{time.monotonic_ns()}",
            )

    began = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(CONCURRENCY):
            group.create_task(work())
    return time.perf_counter() - began


async def durable(dgs: AsyncDGSPay) -> float:
    with (
        tempfile.TemporaryDirectory() as folder,
        SqliteLedger(Path(folder) / "ledger.sqlite3") as ledger,
    ):
        batch = ledger.load(batch_of(dgs, "benchmark"), rows(ROWS))
        ledger.start(batch.name)
        pay = ChunkPayer(dgs, ledger, pace=Pace(concurrency=CONCURRENCY))
        began = time.perf_counter()
        await pay(ChunkRef(batch=batch.name, index=0, first=1, last=ROWS))
        return time.perf_counter() - began


def many_machines(url: str) -> Subject:
    months = count(1)

    async def run(dgs: AsyncDGSPay) -> float:
        from dgspay.payouts import PgQueuerEngine, PostgresLedger  # noqa: PLC0415 - the extra

        stop, done = Stop(), 0
        ended = 0.0

        def note(_payout: Payout, _evidence: Evidence) -> None:
            nonlocal done, ended
            done += 1
            if done == ROWS:
                ended = time.perf_counter()
                stop.set()

        name = f"benchmark-{time.monotonic_ns()}"
        with PostgresLedger(url) as ledger:
            batch = ledger.load(batch_of(dgs, name), rows(ROWS, next(months)))
            ledger.start(name)
            engine = PgQueuerEngine(url, at_once=2, everywhere=2)
            await engine.submit([])
            pace = Pace(concurrency=CONCURRENCY // 2)
            pay = ChunkPayer(dgs, ledger, pace=pace, stop=stop, on_result=note)
            chunks = [
                ChunkRef(batch=name, index=index, first=first, last=last)
                for index, (first, last) in enumerate(chunk_ranges(batch.count))
            ]
            began = time.perf_counter()
            await engine.submit(chunks)
            await engine.work(pay, stop)
            return ended - began

    return run


def subjects_with(postgres: str | None) -> dict[str, Subject]:
    subjects: dict[str, Subject] = {"no ledger": bare, "SQLite": durable}
    if postgres is not None:
        subjects["PgQueuer"] = many_machines(postgres)
    return subjects


def resident_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 2**20


@attrs.frozen
class Books:
    """What the bookkeeping of a million payouts took.

    Attributes:
        load: Seconds to load them.
        keep: Seconds to put each in doubt and to accept it.
        processor: Of these, seconds this process was computing.
        grown: MiB by which its memory grew.
    """

    load: float
    keep: float
    processor: float
    grown: float

    @property
    def seconds(self) -> float:
        return self.load + self.keep


def million() -> Books:
    """Load a million payouts, put each in doubt and accept it."""
    with (
        tempfile.TemporaryDirectory() as folder,
        SqliteLedger(Path(folder) / "ledger.sqlite3") as ledger,
    ):
        before = resident_mib()
        began, computing = time.perf_counter(), time.process_time()
        terms = Terms(environment="emulator", base_url="http://127.0.0.1", account_number="ACC")
        batch = ledger.load(Batch(name="million", digest="d", terms=terms), rows(MILLION))
        ledger.start(batch.name)
        loaded = time.perf_counter()
        chunk, after, most = ledger.claim(batch, 0, 1, MILLION), 0, 0.0
        # What a run takes up at once follows its rate; here it is that of the books alone.
        take_size = TakeSize(time.monotonic)

        def take() -> list[Payout]:
            taken = ledger.take(
                chunk, after=after, limit=take_size.wanted(idle=CONCURRENCY, ready=0)
            )
            take_size.leave(len(taken))
            return taken

        with ThreadPoolExecutor(1) as ahead:
            page = take()
            while page:
                after = page[-1].number
                next_page = ahead.submit(take)
                for payout, accepted in zip(page, acceptances(page), strict=True):
                    ledger.post(batch, payout.number, accepted)
                most = max(most, resident_mib())
                page = next_page.result()
        ledger.flush()
        ended, computing = time.perf_counter(), time.process_time() - computing
        if ledger.counts(batch.name).count(State.ACCEPTED) != MILLION:
            raise SystemExit("not all of the million were accepted")
        return Books(
            load=loaded - began,
            keep=ended - loaded,
            processor=computing,
            grown=max(most, resident_mib()) - before,
        )


def told(rounds: list[Books]) -> tuple[str, bool]:
    """The rounds in a sentence, and whether every claim about them holds."""
    # As with the rates, the best one; of the memory the most, for a later round finds some.
    best, grown = min(rounds, key=lambda books: books.seconds), max(each.grown for each in rounds)
    text = (
        f"A million payouts on SQLite: {best.load:.1f} s to load, {best.keep:.1f} s to put in "
        f"doubt and accept, together {best.seconds:.1f} s (claimed: under {MILLION_SECONDS:.0f}), "
        f"of which {best.processor:.1f} s computing; all rounds: "
        f"{', '.join(f'{each.seconds:.1f} s' for each in rounds)}. Memory grew by "
        f"{grown:.0f} MiB (claimed: less than {MILLION_MIB:.0f})."
    )
    return text, best.seconds < MILLION_SECONDS and grown < MILLION_MIB


def table_of(rates: dict[str, list[float]]) -> tuple[str, bool]:
    """The rates as a table, and whether every claim about them holds."""
    # The best of the rounds: whatever else the machine does can only make one slower.
    lines = ["| what | rows/s | share of the bare client | claimed |", "|---|---|---|---|"]
    good = True
    for name, measured in rates.items():
        share, least = max(measured) / max(rates["no ledger"]), LEAST.get(name)
        good &= least is None or share >= least
        claimed = "" if least is None else f"at least {least}"
        lines.append(f"| {name} | {max(measured):,.0f} | {share:.2f} | {claimed} |")
    return "\n".join(lines), good


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--write", type=Path, help="also write the result to this file")
    parser.add_argument("--only", choices=["rates", "million"], help="only one of the two")
    chosen = parser.parse_args()
    busy, processors = os.getloadavg()[0], os.cpu_count()
    others = f"before it, {busy:.1f} programs were running on {processors} processors"
    parts, good = [], True
    if chosen.only != "rates":
        # First, for its memory is measured.
        sentence, holds = told([million() for _ in range(ROUNDS)])
        parts.append(sentence)
        good &= holds
    if chosen.only != "million":
        table, holds = table_of(rates_in_turns(subjects_with, ROWS))
        parts.insert(0, table)
        good &= holds
    text = (
        "# Durable payouts beside the bare client\n\n"
        "`python -m benchmarks.payouts --write benchmarks/payouts.md` "
        f"(CPython {platform.python_version()}, {platform.machine()}, {ROWS:,} rows, "
        f"{LATENCY * 1000:.0f} ms latency, {CONCURRENCY} at once, aiohttp, the best of {ROUNDS} "
        f"rounds; {others})\n\n" + "\n\n".join(parts) + "\n"
    )
    print(text)
    if chosen.write is not None:
        chosen.write.write_text(text, encoding="utf-8")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
