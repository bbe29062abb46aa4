"""The report: exact, harmless, and readable in a real browser."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import re
import shutil
from pathlib import Path

import pytest

from dgspay import errors
from dgspay.payouts import (
    AsyncPayouts,
    Batch,
    Counts,
    Evidence,
    Learned,
    Report,
    Source,
    SqliteLedger,
    State,
    Terms,
    UnknownBatchError,
)
from dgspay.payouts.report.html import write_page
from dgspay.payouts.report.summary import BOM, COLUMNS, Moment, report_on, write_csv, write_json
from tests.payouts.report.conftest import NASTY

NOW = dt.datetime(2026, 11, 27, 16, 0, tzinfo=dt.UTC)


def page_of(ledger: SqliteLedger, batch: Batch) -> str:
    file = io.StringIO()
    write_page(ledger, batch, file, now=NOW)
    return file.getvalue()


def test_the_sums_are_those_of_the_ledger(ledger: SqliteLedger, batch: Batch) -> None:
    report = report_on(ledger, batch)
    confirmed = report.counts.count(State.CONFIRMED)
    assert (confirmed, report.counts.count(State.HELD)) == (27, 2)
    assert report.fees + 100 * report.without_fee == 100 * confirmed
    assert sum(report.reasons.values()) == report.counts.count(State.FAILED) == 1
    assert sum(part.total for part in report.timeline(10)) == 30
    written = io.StringIO()
    write_json(ledger, batch, written)
    told = json.loads(written.getvalue())
    assert told["total"] == sum(row["amount"] for row in told["payouts"])
    assert len(told["payouts"]) == told["count"] == 30


def test_the_csv_has_every_row_and_no_formula(ledger: SqliteLedger, batch: Batch) -> None:
    written = io.StringIO()
    write_csv(ledger, batch, written)
    mark, text = written.getvalue()[0], written.getvalue()[1:]
    assert mark == BOM
    rows = [*csv.DictReader(io.StringIO(text))]
    assert tuple(rows[0]) == COLUMNS
    assert len(rows) == 30
    assert rows[2]["reference"] == "'=cmd()"
    assert rows[3]["name"] == "'@SUM(1)"
    assert rows[4]["name"] == "'-2+3"
    # Digits are no formula: a phone and a reference stay what they are for every reader.
    assert rows[3]["msisdn"] == "+250780000004"
    assert rows[5]["reference"] == "+9"
    assert rows[6]["name"] == '\'quoted, "name"'
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", rows[3]["sent_at"])
    for row in rows:
        for name, cell in row.items():
            harmless = re.fullmatch(r"[+-]?\d+", cell) is not None
            assert harmless or not cell.startswith(("=", "+", "-", "@", "\t")), name


def test_the_page_is_escaped_and_has_the_doubts_on_top(ledger: SqliteLedger, batch: Batch) -> None:
    page = page_of(ledger, batch)
    assert NASTY not in page
    assert "&lt;script&gt;" in page
    assert page.index("Not known: 2 payouts") < page.index("Where they stand")
    assert page.index("Where they stand") < page.index("Failed: 1 payout, 50 RWF")
    for outside in ("http://", "https://", "<script", "url(", "@import"):
        assert outside not in page


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_real_browser_shows_the_page_without_any_request(
    ledger: SqliteLedger, batch: Batch, tmp_path: Path
) -> None:
    playwright = pytest.importorskip("playwright.async_api", reason="playwright is not installed")
    executable = shutil.which("chromium") or shutil.which("chromium-browser")
    if executable is None:
        pytest.skip("chromium is not installed (apt-get install chromium)")
    (tmp_path / "report.html").write_text(page_of(ledger, batch), encoding="utf-8")
    asked: list[str] = []
    async with playwright.async_playwright() as driver:
        browser = await driver.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        page = await browser.new_page(viewport={"width": 900, "height": 1200})
        page.on("request", lambda request: asked.append(request.url))
        page.on("pageerror", lambda error: asked.append(str(error)))
        address = (tmp_path / "report.html").as_uri()
        await page.goto(address)
        assert await page.locator("section.doubts tbody tr:not(.note)").count() == 2
        assert await page.locator("svg rect").count() > 0
        assert await page.locator("table").last.locator("tbody tr:not(.note)").count() == 30
        await page.screenshot(path=tmp_path / "report.png", full_page=True)
        pdf = await page.pdf()
        # On a phone the tables scroll, and the page does not.
        await page.set_viewport_size({"width": 360, "height": 800})
        assert await page.evaluate("document.documentElement.scrollWidth") == 360
        await browser.close()
    assert asked == [address]
    assert pdf.startswith(b"%PDF")


@pytest.mark.anyio
async def test_the_report_is_written_in_each_form(
    ledger: SqliteLedger, batch: Batch, tmp_path: Path
) -> None:
    payouts = AsyncPayouts(ledger=ledger)
    for form, begin in (("html", "<!doctype html>"), ("csv", f"{BOM}number,ref"), ("json", "{")):
        report = await payouts.report("salaries", tmp_path / f"r.{form}")
        assert (tmp_path / f"r.{form}").read_text(encoding="utf-8").startswith(begin)
        assert report.counts == (await payouts.status("salaries")).counts
    with pytest.raises(errors.ConfigError, match="html, csv, json, payslips; not 'pdf'"):
        await payouts.report("salaries", tmp_path / "r.pdf")
    with pytest.raises(UnknownBatchError, match="it has: salaries"):
        await payouts.report("wages")
    assert report.batch.digest == batch.digest


@pytest.mark.acceptance(58, "contradicting-evidence")
@pytest.mark.anyio
async def test_a_contradiction_stays_in_the_report_after_a_person_has_settled_it(
    ledger: SqliteLedger, batch: Batch
) -> None:
    payouts = AsyncPayouts(ledger=ledger)
    failed = Evidence(
        learned=Learned.NOT_PAID, source=Source.WEBHOOK, reason=f"bad {NASTY} account"
    )
    ledger.settle(batch, 10, failed)
    clash = "it was paid, and the webhook says it failed"
    assert clash in {record.reason for record in (await payouts.status("salaries")).in_doubt}
    assert clash in page_of(ledger, batch)
    settled = await payouts.resolve("salaries", "salary-10", paid=True, note="portal")
    assert (settled.state, settled.contradiction) == (State.CONFIRMED, clash)
    page = page_of(ledger, batch)
    assert page.index("Settled after a contradiction: 1") < page.index("Where they stand")
    assert page.index("Settled by a person: 1 payout") < page.index("Every payout")
    assert ">portal<" in page
    assert NASTY not in page


def test_the_timeline_is_of_equal_parts_and_has_everybody() -> None:
    moments = {100: Moment(good=3), 101: Moment(failed=1), 160: Moment(doubtful=2)}
    report = Report(batch=BATCH, counts=Counts({}), moments=moments)
    assert report.seconds_of_a_part(60) == 2
    parts = report.timeline(60)
    assert len(parts) == 31
    assert parts[0] == Moment(good=3, failed=1)
    assert parts[-1] == Moment(doubtful=2)
    assert sum(part.total for part in parts) == 6
    assert Report(batch=BATCH, counts=Counts({})).timeline(60) == []


BATCH = Batch(
    name="b",
    digest="d",
    terms=Terms(environment="emulator", base_url="http://127.0.0.1:1", account_number="1"),
)
