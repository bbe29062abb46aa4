"""How batches look on a terminal: what was found, where they stand, and how to go on."""

from __future__ import annotations

from collections.abc import Sequence

from dgspay.cli.exits import ExitCode
from dgspay.cli.tables import Column, print_table
from dgspay.cli.terminal import console, figure, visible
from dgspay.payouts import Counts, Preflight, RowFault, State, Summary, Survey
from dgspay.payouts.survey import MAX_LISTED

_STYLES = {State.FAILED: "red", State.HELD: "yellow", State.IN_DOUBT: "yellow"}


def tell_faults(faults: Sequence[RowFault], count: int) -> None:
    """List what is wrong with the rows."""
    err = console(stderr=True)
    for fault in faults:
        err.print(visible(str(fault)), soft_wrap=True)
    if count > len(faults):
        err.print(f"... and {count - MAX_LISTED:,} more")
    err.print(f"{count:,} faults. Nothing was sent.", style="bold red")


def tell_survey(survey: Survey) -> None:
    """Say what the rows come to."""
    to_banks = sum(use.count for use in survey.banks.values())
    console().print(
        f"{survey.count:,} payouts, {survey.total:,} RWF: {survey.to_phones:,} to phones, "
        f"{to_banks:,} to bank accounts"
    )


def tell_preflight(found: Preflight) -> None:
    """Say what was found before anything was sent."""
    out = console()
    out.print(
        f"From account {visible(found.account_number)}, {found.environment}, key {found.key}; "
        f"the wallet holds {figure(found.available)} RWF"
    )
    for remark in found.remarks:
        out.print(f"Note: {visible(remark)}", style="dim", soft_wrap=True)
    for problem in found.problems:
        console(stderr=True).print(f"Problem: {visible(problem)}", style="red", soft_wrap=True)


def tell_counts(counts: Counts) -> None:
    """Show how many payouts are in each state."""
    rows = [state for state in State if counts.count(state)]
    print_table(
        (
            Column[State]("state", str),
            Column("payouts", lambda state: f"{counts.count(state):,}", right=True),
            Column("RWF", lambda state: f"{counts.amount(state):,}", right=True),
        ),
        rows,
    )


def tell_summary(summary: Summary, again: str, ledger: str) -> None:
    """Say where a batch stands after a run, and how to go on."""
    tell_counts(summary.counts)
    err = console(stderr=True)
    if summary.paused is not None:
        err.print(f"Paused: {visible(summary.paused)}.", style="bold yellow")
    if summary.stopped:
        err.print("Stopped; what was in flight was finished.", style="bold yellow")
    if summary.unsent:
        err.print(f"{summary.unsent:,} are still to be sent. To go on: {visible(again)}")
    if summary.in_doubt:
        err.print(
            f"{summary.in_doubt:,} are held: it is not known whether they were paid, and they are "
            f"not sent again. To see them: dgspay payouts status {summary.batch} {ledger}"
        )
    waiting = summary.counts.count(State.ACCEPTED)
    if waiting:
        err.print(
            f"{waiting:,} are accepted and not settled yet: a webhook or the same command tells "
            "later how they ended"
        )


def exit_code(summary: Summary) -> ExitCode:
    """Return how a command about a batch ends."""
    if summary.stopped and summary.unsent:
        return ExitCode.INTERRUPTED
    if summary.in_doubt:
        return ExitCode.UNKNOWN
    if summary.unsent:
        return ExitCode.NOT_SENT
    return ExitCode.NO if summary.counts.count(State.FAILED) else ExitCode.OK
