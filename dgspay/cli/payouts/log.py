"""`dgspay payouts log`: list who did what with a ledger and when, and verify that list."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

import typer

from dgspay.cli.exit_codes import ExitCode, fail
from dgspay.cli.options import CsvOption, JsonOption
from dgspay.cli.output import one_form, write_csv, write_json_rows
from dgspay.cli.payouts.ledgers import known_ledger
from dgspay.cli.payouts.options import LedgerOption
from dgspay.cli.terminal import console, visible
from dgspay.payouts import AuditLine, LogFault, Payouts

_COLUMNS = (
    *("number", "at", "action", "batch", "user", "host", "role", "reason", "facts"),
    *("previous", "hash"),
)


def log(
    batch: Annotated[
        str | None, typer.Argument(metavar="[BATCH]", help="Of this batch only.")
    ] = None,
    *,
    verify: Annotated[
        bool,
        typer.Option("--verify", help="Report every line that was changed, removed or added."),
    ] = False,
    as_json: JsonOption = False,
    as_csv: CsvOption = False,
    ledger: LedgerOption = None,
) -> None:
    """Show who did what with the ledger, when, from which machine, and why.

    With --verify each line is compared with the one before it, and the latest with what this
    machine has noted of them outside of the ledger. Exit code 1 where a line is not as it was
    written.
    """
    one_form(as_json=as_json, as_csv=as_csv)
    if verify and (batch is not None or as_json or as_csv):
        fail("--verify is about the whole log, and is given by itself.")
    with known_ledger(ledger) as opened:
        payouts = Payouts(ledger=opened)
        lines = payouts.audit_log(batch)
        faults = payouts.verify_audit_log() if verify else []
    if verify:
        _tell_faults(faults, lines)
    elif as_json:
        write_json_rows(lines)
    elif as_csv:
        write_csv(lines, _COLUMNS)
    else:
        _tell(lines)


def _tell(lines: list[AuditLine]) -> None:
    out = console()
    for line in lines:
        when = dt.datetime.fromisoformat(line.at).astimezone()
        words = f"{line.number:>4}  {when:%Y-%m-%d %H:%M:%S}  {line.action}"
        words += "" if line.batch is None else f" {line.batch}"
        out.print(visible(f"{words}  by {line.who}"), soft_wrap=True)
        for more in filter(None, (line.reason, line.what)):
            out.print(f"      {visible(more)}", style="dim", soft_wrap=True)
    if not lines:
        out.print("The log has no lines.")


def _tell_faults(faults: list[LogFault], lines: list[AuditLine]) -> None:
    for fault in faults:
        words = visible(f"{fault.message[0].upper()}{fault.message[1:]}.")
        console(stderr=True).print(words, style="red", soft_wrap=True)
    if faults:
        raise typer.Exit(ExitCode.NO)
    end = f", the last with SHA-256 {lines[-1].hash}" if lines else ""
    console().print(
        f"The log is as it was written: {len(lines):,} lines{end}.", style="green", soft_wrap=True
    )
