"""Display of batches on a terminal: what was found, where they stand, and how to go on."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from dgspay.cli.exit_codes import ExitCode
from dgspay.cli.terminal import console, figure, visible
from dgspay.payouts import (
    Counts,
    Preflight,
    Record,
    RowFault,
    SheetSummary,
    State,
    Status,
    Summary,
)

_STYLES = {
    State.FAILED: "red",
    State.HELD: "yellow",
    State.IN_DOUBT: "yellow",
    State.BLOCKED: "yellow",
}

_ROWS_SHOWN = 10
_ALIKE_SHOWN = 10

EXIT_CODES = (
    "\b\nExit codes:\n"
    "  0    every payout is confirmed, or accepted and waiting for its webhook\n"
    "  1    some failed, a preflight check failed, or you declined\n"
    "  2    the rows or the settings are wrong; this command sent nothing\n"
    "  3    DGS-Pay refused a look-up, the API key say; this command sent nothing\n"
    "  4    some are still to be sent: give the same command again\n"
    "  5    it is not known of some whether they were paid: they are held\n"
    "  6    it was sent before, some of it or all, and is not sent again\n"
    "  9    both 4 and 5: some are still to be sent, and some are held\n"
    "  130  stopped with Ctrl-C or SIGTERM, none is held; give the same command again"
)
"""What the payout commands end with; the first of 9, 130, 5, 4, 6, 1 that is true."""


def tell_faults(faults: Sequence[RowFault], count: int, remarks: Sequence[str] = ()) -> None:
    """List what is wrong with the rows, with what is wrong alike in one place."""
    err = console(stderr=True)
    tell_remarks(remarks)
    alike: dict[tuple[str | None, str], list[RowFault]] = {}
    for fault in faults:
        alike.setdefault((fault.column, fault.message), []).append(fault)
    for (_, message), group in alike.items():
        first, *others = group
        if not others:
            cell = _cell_of(first)
            err.print(visible(f"{first}{f' ({cell})' if cell else ''}"), soft_wrap=True)
            continue
        err.print(visible(f"{len(group):,} rows: {message}"), soft_wrap=True)
        for fault in group[:_ALIKE_SHOWN]:
            cell = _cell_of(fault)
            err.print(visible(f"  line {fault.line}{f': {cell}' if cell else ''}"), soft_wrap=True)
        if len(group) > _ALIKE_SHOWN:
            err.print(f"  and {len(group) - _ALIKE_SHOWN:,} more, down to line {group[-1].line}")
    if count > len(faults):
        err.print(f"... and {count - len(faults):,} more")
    faulty = "1 fault" if count == 1 else f"{count:,} faults"
    err.print(f"{faulty}. Nothing was sent.", style="bold red")


def _cell_of(fault: RowFault) -> str:
    """Return whom a fault is about, and what stands in the cell under its heading."""
    words = [] if fault.payee is None or fault.payee == fault.value else [fault.payee]
    if fault.value is not None:
        words.append(f"{fault.heading or fault.column}: {fault.value!r}")
    if fault.proposal is not None:
        words.append(f"perhaps {fault.proposal}")
    return "; ".join(words)


def tell_sheet(sheet: SheetSummary) -> None:
    """Say what the rows come to."""
    to_banks = sum(use.count for use in sheet.banks.values())
    console().print(
        f"{sheet.count:,} payouts, {sheet.total:,} RWF: {sheet.to_phones:,} to phones, "
        f"{to_banks:,} to bank accounts"
    )


def tell_remarks(remarks: Sequence[str]) -> None:
    """Say what a person should know of a sheet that can be paid."""
    for remark in remarks:
        console().print(f"Note: {visible(remark)}", soft_wrap=True)


def tell_preflight(found: Preflight) -> None:
    """Say what was found before anything was sent."""
    out = console()
    out.print(
        f"From account {visible(found.account_number)}, {found.environment}, key {found.key}; "
        f"the wallet holds {figure(found.available)} RWF"
    )
    tell_remarks(found.remarks)
    tell_warnings(found.warnings)
    for problem in found.problems:
        console(stderr=True).print(f"Problem: {visible(problem)}", style="red", soft_wrap=True)


def tell_warnings(warnings: Sequence[str]) -> None:
    """List what a person should look at before paying."""
    for warning in warnings:
        console(stderr=True).print(f"Warning: {visible(warning)}", style="yellow", soft_wrap=True)


def table_of(counts: Counts) -> Table:
    """Make a table of how many payouts are in each state."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("state")
    table.add_column("payouts", justify="right")
    table.add_column("RWF", justify="right")
    for state in State:
        if counts.count(state):
            table.add_row(
                state.value,
                f"{counts.count(state):,}",
                f"{counts.amount(state):,}",
                style=_STYLES.get(state),
            )
    return table


def tell_status(status: Status, most_doubts: int | None = None) -> RenderableType:
    """Make what is shown of a batch: sums, states, and the rows that need attention.

    Args:
        status: Where it stands.
        most_doubts: How many rows there is room for; all that the status names if left out.
    """
    batch = status.batch
    parts: list[RenderableType] = [
        Text(f"Batch {batch.name}: {batch.count:,} payouts, {batch.total:,} RWF")
    ]
    if batch.paused is not None:
        words = (
            f"Paused {batch.paused}" if batch.is_paused_by_a_person else f"Paused: {batch.paused}"
        )
        parts.append(Text(visible(words), "yellow"))
    parts.append(table_of(status.counts))
    doubts = status.in_doubt[:most_doubts]
    if doubts:
        parts.append(Text("\nIn doubt:", "yellow"))
        parts.extend(map(words_of, doubts))
    left = status.counts.count(State.HELD, State.IN_DOUBT) - len(doubts)
    if left:
        parts.append(Text(f"... and {left:,} more in doubt; the report has them all"))
    room = None if most_doubts is None else most_doubts - len(doubts)
    parts.extend(blocked_of(status, room))
    room = None if room is None else max(room - len(status.blocked), 0)
    parts.extend(failed_of(status, room))
    return Group(*parts)


def blocked_of(status: Status, most: int | None = None) -> list[RenderableType]:
    """Make what is shown of rows that were not sent because they look paid."""
    count, named = status.counts.count(State.BLOCKED), status.blocked[:most]
    if not count:
        return []
    parts: list[RenderableType] = [
        Text("\nBlocked, because they look as if they were paid before:", "yellow")
    ]
    parts.extend(map(words_of, named))
    if count > len(named):
        parts.append(Text(f"... and {count - len(named):,} more; the report has them all"))
    parts.append(
        Text(
            "Nothing was sent for them. To pay one all the same, give the same command with "
            "--allow-duplicate REFERENCE"
        )
    )
    return parts


def failed_of(status: Status, most: int | None = None) -> list[RenderableType]:
    """Make what is shown of rows that failed, by name and reason."""
    count, named = status.counts.count(State.FAILED), status.failed[:most]
    if not count:
        return []
    parts: list[RenderableType] = [Text("\nFailed, and not paid:", "red")]
    parts.extend(map(words_of, named))
    if count > len(named):
        parts.append(Text(f"... and {count - len(named):,} more; the report has them all"))
    return parts


def words_of(record: Record) -> Text:
    """Make a payout's line, with its reason below it."""
    payout = record.payout
    known = (payout.account, payout.name, record.state, record.dgs_reference)
    words = [payout.reference, f"{payout.amount:,} RWF", *(str(word) for word in known if word)]
    text = Text("  ".join(visible(word) for word in words))
    if record.reason is not None:
        text.append(f"\n    {visible(record.reason)}", "dim")
    return text


def tell_counts(counts: Counts) -> None:
    """Show how many payouts are in each state."""
    console().print(table_of(counts))


def tell_summary(summary: Summary, again: str, ledger: str, status: Status | None = None) -> None:
    """Say where a batch stands after a run, and how to go on."""
    tell_counts(summary.counts)
    err = console(stderr=True)
    if status is not None:
        for part in (*blocked_of(status, _ROWS_SHOWN), *failed_of(status, _ROWS_SHOWN)):
            err.print(part, soft_wrap=True)
    if summary.is_paused_by_a_person:
        err.print(f"Paused {visible(summary.paused or '')}.", style="bold yellow")
    elif summary.paused is not None:
        err.print(f"Paused: {visible(summary.paused)}.", style="bold yellow")
    if summary.stopped:
        err.print("Stopped; what was in flight was finished.", style="bold yellow")
    if summary.unsent:
        err.print(f"{summary.unsent:,} {_are(summary.unsent)} still to be sent. To go on:")
        if summary.is_paused_by_a_person:
            err.print(f"  dgspay payouts resume {summary.batch} {ledger}", soft_wrap=True)
        err.print(f"  {visible(again)}", soft_wrap=True)
    if summary.in_doubt:
        err.print(
            f"{summary.in_doubt:,} {_are(summary.in_doubt)} held: it is not known whether "
            "money has moved, and nothing is sent again. To see more:"
        )
        # In a line of its own and in one piece, to be copied.
        err.print(f"  dgspay payouts status {summary.batch} {ledger}", soft_wrap=True)
    waiting = summary.counts.count(State.ACCEPTED)
    if waiting:
        err.print(
            f"{waiting:,} {_are(waiting)} accepted and not settled yet: a webhook or the same "
            "command reports later how they ended"
        )


def summary_of(status: Status) -> Summary:
    """Return where a batch stands as a run would report it that has sent nothing."""
    return Summary(batch=status.batch.name, counts=status.counts, paused=status.batch.paused)


def _are(count: int) -> str:
    return "is" if count == 1 else "are"


def exit_code(summary: Summary) -> ExitCode:
    """Return how a command about a batch ends."""
    if summary.unsent and summary.in_doubt:
        return ExitCode.UNSENT_AND_UNKNOWN
    if summary.stopped and summary.unsent:
        return ExitCode.INTERRUPTED
    if summary.in_doubt:
        return ExitCode.UNKNOWN
    if summary.unsent:
        return ExitCode.NOT_SENT
    if summary.sent_before or summary.counts.count(State.BLOCKED):
        return ExitCode.PAID_BEFORE
    return ExitCode.NO if summary.counts.count(State.FAILED) else ExitCode.OK
