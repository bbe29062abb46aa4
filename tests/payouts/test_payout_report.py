"""The report and the reconciliation: exact, harmless, and readable in a real browser."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import shutil
from pathlib import Path

import pytest

from dgspay.payouts import Evidence, Finding, Job, SqliteLedger, State, Witness, open_job
from dgspay.payouts.reconciling import reconcile
from dgspay.payouts.report import COLUMNS, report_on, write_csv, write_json
from dgspay.payouts.report_page import write_page

from .sheets import in_process, ledger_in, payments, write_sheet

NOW = dt.datetime(2026, 11, 27, 16, 0, tzinfo=dt.UTC)
NASTY = "<script>alert(1)</script>"


async def paid_batch(folder: Path, ledger: SqliteLedger, count: int = 30) -> Job:
    rows = [*payments(count)]
    rows[20]["amount"] = "50"  # not above the emulator's fee
    rows[1]["name"] = NASTY
    rows[2]["reference"] = "=cmd()"
    with in_process() as (emulator, dgs):
        emulator.faults.lose_answer("POST /disburse", times=2)
        sheet = write_sheet(folder / "salaries.csv", rows)
        async with open_job(dgs, ledger, sheet) as job:
            await job.run(settle_within=5)
    return job


def page_of(ledger: SqliteLedger, job: Job) -> str:
    file = io.StringIO()
    write_page(ledger, job.batch, file, now=NOW)
    return file.getvalue()


@pytest.mark.anyio
async def test_the_sums_are_those_of_the_ledger(tmp_path: Path) -> None:
    with ledger_in(tmp_path) as ledger:
        job = await paid_batch(tmp_path, ledger)
        report = report_on(ledger, job.batch)
        confirmed = report.counts.count(State.CONFIRMED)
        assert report.fees + 100 * report.without_fee == 100 * confirmed
        assert sum(report.reasons.values()) == report.counts.count(State.FAILED)
        assert sum(part.total for part in report.timeline(10)) == 30
        written = io.StringIO()
        write_json(ledger, job.batch, written)
        told = json.loads(written.getvalue())
        assert told["total"] == sum(row["amount"] for row in told["payouts"])
        assert len(told["payouts"]) == told["count"] == 30


@pytest.mark.anyio
async def test_the_csv_has_every_row_and_no_formula(tmp_path: Path) -> None:
    with ledger_in(tmp_path) as ledger:
        job = await paid_batch(tmp_path, ledger)
        written = io.StringIO()
        write_csv(ledger, job.batch, written)
    rows = [*csv.DictReader(io.StringIO(written.getvalue()))]
    assert tuple(rows[0]) == COLUMNS
    assert len(rows) == 30
    assert rows[2]["reference"] == "'=cmd()"
    assert rows[3]["account"] == "'+250780000004"


@pytest.mark.anyio
async def test_the_page_is_escaped_and_has_the_doubts_on_top(tmp_path: Path) -> None:
    with ledger_in(tmp_path) as ledger:
        job = await paid_batch(tmp_path, ledger)
        page = page_of(ledger, job)
    assert NASTY not in page
    assert "&lt;script&gt;" in page
    assert page.index("In doubt: 2 payouts") < page.index("Where they stand")
    assert page.index("When they were sent") < page.index("Why payouts failed")
    for outside in ("http://", "https://", "<script", "url(", "@import"):
        assert outside not in page


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_real_browser_shows_the_page_without_asking_anybody(tmp_path: Path) -> None:
    playwright = pytest.importorskip("playwright.async_api", reason="playwright is not installed")
    executable = shutil.which("chromium") or shutil.which("chromium-browser")
    if executable is None:
        pytest.skip("chromium is not installed (apt-get install chromium)")
    with ledger_in(tmp_path) as ledger:
        job = await paid_batch(tmp_path, ledger)
        (tmp_path / "report.html").write_text(page_of(ledger, job), encoding="utf-8")
    asked: list[str] = []
    async with playwright.async_playwright() as driver:
        browser = await driver.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        page = await browser.new_page(viewport={"width": 900, "height": 1200})
        page.on("request", lambda request: asked.append(request.url))
        page.on("pageerror", lambda error: asked.append(str(error)))
        address = (tmp_path / "report.html").as_uri()
        await page.goto(address)
        assert await page.locator("section.doubts tbody tr").count() == 2
        assert await page.locator("svg rect").count() > 0
        assert await page.locator("table").last.locator("tbody tr").count() == 30
        await page.screenshot(path=tmp_path / "report.png", full_page=True)
        pdf = await page.pdf()
        await browser.close()
    assert asked == [address]
    assert pdf.startswith(b"%PDF")


@pytest.mark.anyio
async def test_reconcile_names_each_difference(tmp_path: Path) -> None:
    with in_process() as (emulator, dgs), ledger_in(tmp_path) as ledger:
        sheet = write_sheet(tmp_path / "s.csv", 5)
        async with open_job(dgs, ledger, sheet) as job:
            await job.run(settle_within=5)
        assert [found async for found in reconcile(dgs, ledger, job.batch)] == []
        doubt = Evidence(finding=Finding.NOT_PAID, witness=Witness.WEBHOOK)
        ledger.settle(job.batch, 2, doubt)
        emulator._engine.account.disbursements.pop(ledger.page("s")[2].dgs_reference or "")
        found = [(d.reference, d.what) async for d in reconcile(dgs, ledger, job.batch)]
    assert found == [
        ("salary-2", "it was paid, and the webhook says it failed"),
        ("salary-2", "it is held, and DGS-Pay says successful"),
        ("salary-3", "it is confirmed, and DGS-Pay does not find it"),
    ]
