"""The report as one HTML page that needs nothing else, for a finance person to print."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from html import escape
from itertools import islice
from typing import TextIO

from dgspay.payouts.ledger import Ledger
from dgspay.payouts.model.batch import Batch
from dgspay.payouts.model.payout import Record, State
from dgspay.payouts.report.summary import Moment, Report, all_records, report_on

MAX_ROWS = 5000
"""Rows of a list on the page; the CSV has them all."""

_DOUBTFUL = (State.HELD, State.IN_DOUBT)
_BARS = 60
_CLASSES = {
    **dict.fromkeys(("RWF", "Fee", "Payouts"), ' class="n"'),
    **dict.fromkeys(("To", "State", "DGS-Pay's reference"), ' class="whole"'),
}
# A reference that is not longer is kept in one piece; a longer one may be broken.
_SHORT = 24
_CHART_WIDTH, _CHART_HEIGHT, _AXIS = 720, 120, 16

_STYLE = """
:root { color-scheme: light; }
body { font: 14px/1.45 system-ui, "Segoe UI", "Noto Sans", sans-serif; color: #1a1f26;
  margin: 2rem auto; max-width: 60rem; padding: 0 1rem; background: #fff; }
h1 { font-size: 1.5rem; margin: 0; } h2 { font-size: 1.05rem; margin: 1.8rem 0 .5rem; }
p { margin: .3rem 0; } .dim { color: #5b6673; }
.tiles { display: flex; flex-wrap: wrap; gap: .6rem; margin: 1.2rem 0; }
.tile { border: 1px solid #d5dbe2; border-radius: 8px; padding: .5rem .8rem; flex: 1 0 auto; }
.tile b { display: block; font-size: 1.25rem; font-variant-numeric: tabular-nums; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .3rem .5rem; border-bottom: 1px solid #e4e8ed;
  vertical-align: top; }
td { overflow-wrap: anywhere; min-width: 6.5em; }
.n, .whole { white-space: nowrap; min-width: 0; overflow-wrap: normal; }
th { color: #5b6673; font-weight: 600; } thead { display: table-header-group; }
.n { text-align: right; font-variant-numeric: tabular-nums; }
.doubts { border: 2px solid #b45309; border-radius: 8px; padding: .2rem 1rem 1rem;
  margin: 1rem 0; }
tr.noted td { border-bottom: 0; padding-bottom: 0; } tr.note { break-before: avoid; }
tr.note td { color: #5b6673; padding-top: 0; }
svg text { fill: #5b6673; font-size: 11px; }
.doubts h2 { color: #92400e; margin-top: .8rem; }
.good { fill: #2563a8; } .failed { fill: #b42318; } .doubtful { fill: #d98e04; }
.key span { display: inline-block; width: .8em; height: .8em; border-radius: 2px;
  margin: 0 .35em 0 1em; } .key span:first-child { margin-left: 0; }
tr { break-inside: avoid; } .wide { overflow-x: auto; }
.signatures { display: flex; flex-wrap: wrap; gap: 2rem; margin: 3rem 0 1rem;
  break-inside: avoid; }
.signatures span { flex: 1 0 10rem; border-top: 1px solid #8b95a1; padding-top: .3rem;
  color: #5b6673; }
@media print { body { margin: 0; padding: 0; max-width: none; font-size: 10px; }
  .tile b { font-size: 1.15rem; } td { min-width: 5em; } th, td { padding: .25rem .35rem; }
  .wide { overflow: visible; } * { print-color-adjust: exact; -webkit-print-color-adjust: exact; } }
"""

_SIGNATURES = (
    '<div class="signatures"><span>Prepared by, date</span><span>Approved by, date</span></div>\n'
)


def write_page(ledger: Ledger, batch: Batch, file: TextIO, *, now: dt.datetime) -> None:
    """Write the page.

    Args:
        ledger: Remembers.
        batch: The batch.
        file: Where to; UTF-8.
        now: When it was made, with its zone; times on the page are in that zone.
    """
    report = report_on(ledger, batch)
    file.writelines(_page(ledger, report, now))


def _page(ledger: Ledger, report: Report, now: dt.datetime) -> Iterator[str]:
    batch = report.batch
    title = f"Payouts: {escape(batch.name)}"
    yield (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{_STYLE}</style></head><body>\n"
    )
    yield f"<h1>{title}</h1>\n" + _origin(batch, now)
    yield from _doubts(ledger, report)
    yield _contradictions(report)
    yield _tiles(report)
    yield _states(report)
    yield _chart(report, now)
    yield _reasons(report)
    yield from _history(ledger, batch, now)
    yield _SIGNATURES
    yield from _everybody(ledger, report)
    yield "</body></html>\n"


def _origin(batch: Batch, now: dt.datetime) -> str:
    terms = batch.terms
    made = dt.datetime.fromtimestamp(batch.created_at, now.tzinfo)
    return (
        f'<p class="dim">Account {escape(terms.account_number)}, {escape(terms.environment)}. '
        f"Batch of {made:%d %B %Y, %H:%M}; report of {now:%d %B %Y, %H:%M %Z}. "
        f"Rows: SHA-256 {escape(batch.digest[:16])}.</p>\n"
    )


def _doubts(ledger: Ledger, report: Report) -> Iterator[str]:
    count = report.counts.count(*_DOUBTFUL)
    if not count:
        return
    amount = report.counts.amount(*_DOUBTFUL)
    yield (
        f'<section class="doubts"><h2>In doubt: {_payouts(count)}, {amount:,} RWF</h2>\n'
        "<p>It is not known whether these were paid. They were not sent again. Look each up in "
        "the merchant portal before anything else is done about it.</p>\n"
    )
    records = all_records(ledger, report.batch.name, _DOUBTFUL)
    yield from _table(
        ("Reference", "RWF", "To", "Name", "DGS-Pay's reference"),
        (
            (r.payout.reference, _rwf(r), _to(r), r.payout.name, r.dgs_reference, r.reason)
            for r in islice(records, MAX_ROWS)
        ),
    )
    yield _rest(count) + "</section>\n"


def _contradictions(report: Report) -> str:
    if not report.contradicted:
        return ""
    rows = (
        (
            record.payout.reference,
            _rwf(record),
            _to(record),
            record.state.value,
            record.contradiction,
            record.reason,
        )
        for record in report.contradicted
    )
    headings = ("Reference", "RWF", "To", "State", "What contradicted what", "How it was settled")
    return (
        '<section class="doubts"><h2>Settled after a contradiction: '
        f"{len(report.contradicted):,}</h2>\n" + "".join(_table(headings, rows)) + "</section>\n"
    )


def _tiles(report: Report) -> str:
    counts = report.counts
    fees = f"{report.fees:,f} RWF" + (" at least" if report.without_fee else "")
    arrived = counts.amount(State.CONFIRMED) - report.fees
    tiles = {
        "Total of the batch": f"{report.batch.total:,} RWF",
        "Confirmed": f"{counts.amount(State.CONFIRMED):,} RWF",
        "Fees, taken from it": fees,
        "Arrived": f"{arrived:,f} RWF" + (" at most" if report.without_fee else ""),
        "Failed": f"{counts.amount(State.FAILED):,} RWF",
    }
    return (
        '<div class="tiles">'
        + "".join(f'<div class="tile">{name}<b>{value}</b></div>' for name, value in tiles.items())
        + "</div>\n"
    )


def _states(report: Report) -> str:
    counts = report.counts
    rows = [
        (state.value.capitalize(), f"{counts.count(state):,}", f"{counts.amount(state):,}")
        for state in State
        if counts.count(state)
    ]
    rows.append(("All", f"{report.batch.count:,}", f"{report.batch.total:,}"))
    return "<h2>Where they stand</h2>\n" + "".join(_table(("State", "Payouts", "RWF"), rows))


def _chart(report: Report, now: dt.datetime) -> str:
    parts = report.timeline(_BARS)
    if not parts:
        return ""
    highest = max(part.total for part in parts) or 1
    step = _CHART_WIDTH / len(parts)
    seconds = report.seconds_of_a_part(_BARS)
    bars = "".join(
        _bar(part, index * step, max(step - 1, 1), highest) for index, part in enumerate(parts)
    )
    first, last = (
        dt.datetime.fromtimestamp(moment, now.tzinfo)
        for moment in (min(report.moments), max(report.moments))
    )
    sent = sum(part.total for part in parts)
    return (
        "<h2>When they were sent</h2>\n"
        f'<svg viewBox="0 -2 {_CHART_WIDTH} {_CHART_HEIGHT + _AXIS + 2}" width="100%" role="img" '
        f'aria-label="{sent:,} payouts sent from {first:%H:%M:%S} to {last:%H:%M:%S}">{bars}'
        f'<line x1="0" y1="{_CHART_HEIGHT}" x2="{_CHART_WIDTH}" y2="{_CHART_HEIGHT}" '
        f'stroke="#8b95a1"/>{_axis(first, last)}</svg>\n'
        f'<p class="dim">{first:%d %B %H:%M:%S} to {last:%d %B %H:%M:%S}. A bar is '
        f'{seconds:,} s; the highest is {_payouts(highest)}.</p><p class="key">'
        '<span style="background:#2563a8"></span>confirmed or accepted'
        '<span style="background:#b42318"></span>failed'
        '<span style="background:#d98e04"></span>in doubt</p>\n'
    )


def _axis(first: dt.datetime, last: dt.datetime) -> str:
    """Write the time at the left, in the middle and at the right."""
    base = _CHART_HEIGHT + _AXIS - 3
    ticks = ((0, "start", first), (_CHART_WIDTH // 2, "middle", first + (last - first) / 2))
    return "".join(
        f'<text x="{x}" y="{base}" text-anchor="{anchor}">{moment:%H:%M:%S}</text>'
        for x, anchor, moment in (*ticks, (_CHART_WIDTH, "end", last))
    )


def _bar(part: Moment, left: float, width: float, highest: int) -> str:
    pieces, top = [], float(_CHART_HEIGHT)
    for kind, count in (("good", part.good), ("failed", part.failed), ("doubtful", part.doubtful)):
        if count:
            height = count / highest * (_CHART_HEIGHT - 2)
            top -= height
            pieces.append(
                f'<rect class="{kind}" x="{left:.1f}" y="{top:.1f}" width="{width:.1f}" '
                f'height="{height:.1f}"/>'
            )
    return "".join(pieces)


def _reasons(report: Report) -> str:
    if not report.reasons:
        return ""
    rows = [(reason, f"{count:,}") for reason, count in report.reasons.most_common()]
    return "<h2>Why payouts failed</h2>\n" + "".join(_table(("Reason", "Payouts"), rows))


def _history(ledger: Ledger, batch: Batch, now: dt.datetime) -> Iterator[str]:
    """Render who did what with the batch, and when."""
    lines = ledger.audit_log(batch.name, limit=MAX_ROWS)
    if not lines:
        return
    yield "<h2>Who did what, when</h2>\n"
    yield from _table(
        ("No.", "When", "What", "Who", "Why"),
        (
            (
                str(line.number),
                f"{dt.datetime.fromisoformat(line.at).astimezone(now.tzinfo):%d %B %Y %H:%M:%S}",
                line.action,
                line.who,
                line.reason or "",
                line.what,
            )
            for line in lines
        ),
    )
    yield f'<p class="dim">Last line: SHA-256 {escape(lines[-1].hash[:16])}.</p>\n'


def _everybody(ledger: Ledger, report: Report) -> Iterator[str]:
    yield "<h2>Every payout</h2>\n"
    records = all_records(ledger, report.batch.name)
    yield from _table(
        ("Reference", "RWF", "Fee", "To", "Name", "State", "DGS-Pay's reference"),
        (
            (
                r.payout.reference,
                _rwf(r),
                r.fee,
                _to(r),
                r.payout.name,
                r.state.value,
                r.dgs_reference,
                _note(r),
            )
            for r in islice(records, MAX_ROWS)
        ),
    )
    yield _rest(report.batch.count)


def _payouts(count: int) -> str:
    return f"{count:,} payout{'' if count == 1 else 's'}"


def _rwf(record: Record) -> str:
    return f"{record.payout.amount:,}"


def _rest(count: int) -> str:
    if count <= MAX_ROWS:
        return ""
    return f'<p class="dim">... and {count - MAX_ROWS:,} more; the CSV has them all.</p>\n'


def _to(record: Record) -> str:
    """Name the bank with an account; a phone names its network itself."""
    payout = record.payout
    return f"{payout.bank_key} {payout.account}" if payout.bank_key else payout.account


def _note(record: Record) -> str:
    """Return all remarks on a payout, each once."""
    words = (record.contradiction, record.reason, record.payout.narration)
    return "; ".join(dict.fromkeys(filter(None, words)))


def _table(headings: tuple[str, ...], rows: Iterable[tuple[str | None, ...]]) -> Iterator[str]:
    """Write a table; a cell more than there are headings is a note in a line of its own."""
    cells = "".join(f"<th{_CLASSES.get(head, '')}>{escape(head)}</th>" for head in headings)
    yield f'<div class="wide"><table><thead><tr>{cells}</tr></thead><tbody>\n'
    for row in rows:
        note = row[-1] if len(row) > len(headings) else None
        cells = "".join(
            f"<td{_mark(head, value)}>{escape(value or '')}</td>"
            for head, value in zip(headings, row, strict=False)
        )
        noted = ' class="noted"' if note else ""
        yield f"<tr{noted}>{cells}</tr>\n"
        if note:
            yield f'<tr class="note"><td colspan="{len(headings)}">{escape(note)}</td></tr>\n'
    yield "</tbody></table></div>\n"


def _mark(heading: str, value: str | None) -> str:
    if heading == "Reference" and len(value or "") <= _SHORT:
        return ' class="whole"'
    return _CLASSES.get(heading, "")
