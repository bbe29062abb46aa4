"""The report as one HTML page that needs nothing else, for a finance person to print."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Iterator
from html import escape
from itertools import islice
from typing import TextIO

from dgspay.payouts.ledger import Ledger
from dgspay.payouts.model.batch import Batch
from dgspay.payouts.model.payout import Record, State
from dgspay.payouts.model.transitions import is_word_of_a_person
from dgspay.payouts.report.style import STYLE
from dgspay.payouts.report.summary import Moment, Report, all_records, report_on
from dgspay.payouts.report.words import (
    STATES,
    action_words,
    facts_words,
    payouts,
    reason_words,
)

MAX_ROWS = 5000
"""Rows of a list on the page; the CSV has them all."""

GENERATOR = "dgspay payouts report"
"""What the page names as its generator: by this a report is known."""

_DOUBTFUL = (State.HELD, State.IN_DOUBT)
_SETTLED = (State.CONFIRMED, State.FAILED)
_NOT_SENT = (State.BLOCKED, State.CANCELLED)
_PAYEE = ("Reference", "RWF", "To", "Name")
_BARS = 60
_CLASSES = {
    **dict.fromkeys(("RWF", "Fee", "Payouts"), ' class="n"'),
    **dict.fromkeys(("To", "State", "DGS-Pay's reference"), ' class="whole"'),
}
# A reference that is not longer is kept in one piece; a longer one may be broken.
_SHORT = 24
_CHART_WIDTH, _CHART_HEIGHT, _AXIS = 720, 120, 16

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
        f'<meta name="generator" content="{GENERATOR}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{STYLE.replace('PAGE-TITLE', title)}</style></head><body>\n"
    )
    yield f"<h1>{title}</h1>\n" + _origin(batch, now)
    yield from _doubts(ledger, report)
    yield _contradictions(report)
    yield _tiles(report)
    yield _states(report)
    yield from _failed(ledger, report)
    yield from _by_a_person(ledger, report)
    yield from _not_sent(ledger, report)
    yield _chart(report, now)
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
        f"Fingerprint of the sheet: {escape(batch.digest[:16])}.</p>\n"
    )


def _doubts(ledger: Ledger, report: Report) -> Iterator[str]:
    count = report.counts.count(*_DOUBTFUL)
    if not count:
        return
    amount = report.counts.amount(*_DOUBTFUL)
    yield (
        f'<section class="doubts"><h2>Not known: {payouts(count)}, {amount:,} RWF</h2>\n'
        "<p>It is not known whether these were paid. They were not sent again. Look each up in "
        "the merchant portal before anything else is done about it.</p>\n"
    )
    records = all_records(ledger, report.batch.name, _DOUBTFUL)
    yield from _table(
        (*_PAYEE, "DGS-Pay's reference"),
        ((*_payee(r), r.dgs_reference, reason_words(r.contradiction or r.reason)) for r in records),
    )
    yield "</section>\n"


def _contradictions(report: Report) -> str:
    if not report.contradicted:
        return ""
    rows = (
        (
            *_payee(record),
            STATES[record.state],
            record.contradiction,
            reason_words(record.reason),
        )
        for record in report.contradicted
    )
    headings = (*_PAYEE, "State", "What contradicted what", "How it was settled")
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
        "Paid": f"{counts.amount(State.CONFIRMED):,} RWF",
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
        (STATES[state].capitalize(), f"{counts.count(state):,}", f"{counts.amount(state):,}")
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
        f'{seconds:,} s; the highest is {payouts(highest)}.</p><p class="key">'
        '<span style="background:#2563a8"></span>paid or on the way'
        '<span style="background:#b42318"></span>failed'
        '<span style="background:#d98e04"></span>not known</p>\n'
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


def _failed(ledger: Ledger, report: Report) -> Iterator[str]:
    """List all that failed, with the reasons counted above them."""
    count = report.counts.count(State.FAILED)
    if not count:
        return
    yield f"<h2>Failed: {payouts(count)}, {report.counts.amount(State.FAILED):,} RWF</h2>\n"
    # Reasons that differ in advice alone are one.
    reasons: Counter[str] = Counter()
    for reason, times in report.reasons.items():
        reasons[reason_words(reason)] += times
    if len(reasons) < count:
        counted = ((reason, f"{times:,}") for reason, times in reasons.most_common())
        yield from _table(("Reason", "Payouts"), counted)
    yield from _table(
        (*_PAYEE, "Why"),
        (
            (*_payee(r), reason_words(r.reason))
            for r in all_records(ledger, report.batch.name, (State.FAILED,))
        ),
    )


def _by_a_person(ledger: Ledger, report: Report) -> Iterator[str]:
    """List all that a person has settled: of these DGS-Pay has not said how they ended."""
    if not report.by_a_person:
        return
    yield f"<h2>Settled by a person: {payouts(report.by_a_person)}</h2>\n"
    settled = all_records(ledger, report.batch.name, _SETTLED)
    yield from _table(
        (*_PAYEE, "As", "Known from"),
        (
            (*_payee(r), STATES[r.state], reason_words(r.reason))
            for r in filter(is_word_of_a_person, settled)
        ),
    )


def _not_sent(ledger: Ledger, report: Report) -> Iterator[str]:
    """List all that was left out, because it looks paid or a person has cancelled it."""
    count = report.counts.count(*_NOT_SENT)
    if not count:
        return
    yield f"<h2>Left out: {payouts(count)}, {report.counts.amount(*_NOT_SENT):,} RWF</h2>\n"
    yield from _table(
        (*_PAYEE, "State", "Why"),
        (
            (*_payee(r), STATES[r.state], reason_words(r.reason))
            for r in all_records(ledger, report.batch.name, _NOT_SENT)
        ),
    )


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
                action_words(line),
                line.who,
                reason_words(line.reason),
                facts_words(line),
            )
            for line in lines
        ),
    )
    yield f'<p class="dim">Fingerprint of the last line: {escape(lines[-1].hash[:16])}.</p>\n'


def _everybody(ledger: Ledger, report: Report) -> Iterator[str]:
    """List each payout in a line; the reasons of those that were not paid stand above."""
    yield "<h2>Every payout</h2>\n" + _narration(report)
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
                STATES[r.state],
                r.dgs_reference,
            )
            for r in islice(records, MAX_ROWS)
        ),
    )
    yield _rest(report.batch.count)


def _narration(report: Report) -> str:
    """Say what the recipients' statements say, where that is the same for all."""
    match [*report.narrations]:
        case [str(text)]:
            return f'<p class="dim">Narration of each: {escape(text)}</p>\n'
        case [_, _]:
            return '<p class="dim">The narration of each is in the CSV.</p>\n'
        case _:
            return ""


def _payee(record: Record) -> tuple[str, str, str, str | None]:
    """Return the cells of `_PAYEE`."""
    return record.payout.reference, _rwf(record), _to(record), record.payout.name


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
