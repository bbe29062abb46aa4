"""The page as a person prints it: on A4, numbered, with every list that matters whole."""

from __future__ import annotations

import datetime as dt
import io
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest

from dgspay.payouts import AsyncPayouts, Pace, SqliteLedger, State, open_job
from dgspay.payouts.report import html
from dgspay.payouts.report.html import write_page
from dgspay.payouts.status import require_batch
from tests.support.sheet_factory import in_process, ledger_in, phone, write_sheet

NOW = dt.datetime(2026, 11, 27, 16, 0, tzinfo=dt.UTC)
FIRST_NAMES = ("Jean Baptiste", "Marie Claire", "Uwimana", "Emmanuel", "Chantal")
LAST_NAMES = ("Habimana", "Mukeshimana Umutoni", "Niyonzima", "Nshimiyimana", "Ingabire")


def payroll(count: int) -> Iterator[dict[str, Any]]:
    for number in range(1, count + 1):
        to_bank = number % 4 == 0
        yield {
            "reference": f"SAL-2026-11-{number:04d}",
            # What is not above the emulator's fee fails.
            "amount": str(50 if number % 60 == 7 else 85_000 + number * 313),
            "bank_key": "bk_rw" if to_bank else "",
            "account_number": f"1000{number:08d}" if to_bank else "",
            "msisdn": "" if to_bank else phone(number),
            "network": "" if to_bank else "MTN",
            "name": f"{FIRST_NAMES[number % 5]} {LAST_NAMES[number % 5]}",
            "narration": "Salary November 2026",
        }


async def pay(folder: Path, ledger: SqliteLedger) -> None:
    with in_process() as (emulator, dgs):
        emulator.faults.lose_answer("POST /disburse", times=6)
        sheet = write_sheet(folder / "november.csv", payroll(420))
        async with open_job(dgs, ledger, sheet, pace=Pace(concurrency=1)) as job:
            await job.run(settle_within=5)
    payouts = AsyncPayouts(ledger=ledger)
    for number, record in enumerate((await payouts.status("november")).in_doubt[:4]):
        await payouts.resolve(
            "november", record.payout.reference, paid=bool(number % 2), note="the portal"
        )


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("payroll")
    with ledger_in(folder) as ledger:
        anyio.run(pay, folder, ledger)
        assert ledger.counts("november").count(State.FAILED) == 9
        with (folder / "november.html").open("w", encoding="utf-8") as file:
            write_page(ledger, require_batch(ledger, "november"), file, now=NOW)
    return folder / "november.html"


def test_420_rows_are_printed_on_at_most_nine_numbered_pages_of_a4(
    page: Path, tmp_path: Path
) -> None:
    pdfium = pytest.importorskip("pypdfium2", reason="pypdfium2 is not installed")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("chromium is not installed (apt-get install chromium)")
    subprocess.run(
        [
            chromium,
            "--headless",
            "--no-sandbox",
            "--disable-background-networking",
            f"--user-data-dir={tmp_path / 'profile'}",
            f"--print-to-pdf={tmp_path / 'page.pdf'}",
            page.as_uri(),
        ],
        check=True,
        capture_output=True,
        timeout=170,
    )
    with pdfium.PdfDocument(tmp_path / "page.pdf") as printed:
        texts = [sheet.get_textpage().get_text_range() for sheet in printed]
        width, height = printed[0].get_size()
    assert (round(width / 72 * 25.4), round(height / 72 * 25.4)) == (210, 297)
    assert len(texts) <= 9
    for number, text in enumerate(texts, 1):
        assert f"Page {number} of {len(texts)}" in text
        assert "Payouts: november" in text
    shown = "\n".join(texts)
    for row in payroll(420):
        assert row["reference"] in shown


def rows_below(page: str, heading: str) -> list[str]:
    """The rows of the tables between a heading and the next one."""
    section = page.partition(heading)[2].partition("<h2>")[0]
    return re.findall(r"SAL-2026-11-\d{4}", section)


def test_failed_and_settled_by_a_person_are_listed_whole_however_short_other_lists_are(
    page: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(html, "MAX_ROWS", 3)
    written = io.StringIO()
    with ledger_in(page.parent) as ledger:
        write_page(ledger, require_batch(ledger, "november"), written, now=NOW)
    text = written.getvalue()
    assert len(rows_below(text, "<h2>Failed: 9 payouts")) == 9
    assert len(rows_below(text, "<h2>Settled by a person: 4 payouts")) == 4
    assert len(rows_below(text, "<h2>Not known: 2 payouts")) == 2
    assert len(rows_below(text, "<h2>Every payout")) == 3
    assert "and 417 more; the CSV has them all" in text


def test_the_page_has_no_word_of_a_program(page: Path) -> None:
    text = re.sub(r"<style>.*?</style>|<[^>]+>", " ", page.read_text(encoding="utf-8"))
    for word in ("SHA-256", "digest", "held", "evidence", "request", "call again", "None", "null"):
        assert not re.search(rf"\b{word}\b", text), word
