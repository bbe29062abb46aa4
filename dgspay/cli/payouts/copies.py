"""`dgspay payouts backup` and `restore`: copy a ledger, and restore one safely."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Annotated

import typer

from dgspay.cli.exit_codes import ExitCode, fail
from dgspay.cli.options import ask
from dgspay.cli.payouts.ledgers import (
    is_server,
    known_ledger,
    ledger_path,
    opened_ledger,
    place_words,
)
from dgspay.cli.payouts.options import LedgerOption
from dgspay.cli.terminal import console, visible
from dgspay.payouts import (
    RestoredLedger,
    SqliteLedger,
    backup_ledger,
    confirm_compared,
    hold_ledger,
    restore_ledger,
)


def backup(
    to: Annotated[Path, typer.Argument(metavar="FILE", help="Where the copy goes.")],
    *,
    ledger: LedgerOption = None,
) -> None:
    """Write a copy of the ledger that is whole, also while a batch is being paid.

    Copying the file by hand may miss its last commits, which SQLite keeps in a second file. The
    copy holds names and accounts, and is readable by you only. Nothing is ever paid from it: see
    `dgspay payouts restore`.
    """
    if is_server(ledger):
        fail("A ledger in PostgreSQL is backed up with PostgreSQL's own means, such as pg_dump.")
    with known_ledger(ledger) as opened:
        if isinstance(opened, SqliteLedger):
            backup_ledger(opened, to)
    console().print(f"Written to {visible(str(to))}.", soft_wrap=True)


def restore(
    backup: Annotated[
        Path | None,
        typer.Argument(
            metavar="[BACKUP]",
            help="A backup or an older copy; if left out, the ledger is taken as it is now.",
        ),
    ] = None,
    *,
    ledger: LedgerOption = None,
    compared: Annotated[
        bool,
        typer.Option(
            "--compared",
            help="You have compared the time that the ledger lacks with DGS-Pay's records; new "
            "batches may begin again.",
        ),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Bring a ledger back, and hold everything that may have been sent since.

    Use it after a ledger was restored, lost its `-wal` or was copied, and for a PostgreSQL that
    was restored by its own means. Held payouts are settled by webhooks or `dgspay payouts
    resolve`. No new batch begins before you have run it again with --compared.
    """
    if compared:
        if backup is not None:
            fail("Give --compared without a backup, once the ledger is back.")
        with known_ledger(ledger) as opened:
            if not yes:
                ask("Have you compared what it lacks with DGS-Pay's records?")
            confirm_compared(opened)
        console().print("Recorded. New batches may begin again.")
        return
    if not yes:
        ask("Hold everything that may have been sent since?")
    if is_server(ledger):
        if backup is not None:
            fail("Restore PostgreSQL by its own means first, then give this without a backup.")
        with opened_ledger(ledger) as opened:
            restored, place = hold_ledger(opened), place_words(opened)
    else:
        path = ledger_path(ledger)
        restored, place = restore_ledger(path, backup), place_words(path)
    _tell(restored, place)
    if restored.held or restored.lost:
        raise typer.Exit(ExitCode.UNKNOWN)


def _tell(restored: RestoredLedger, place: str) -> None:
    out = console()

    def say(line: str) -> None:
        out.print(visible(line), soft_wrap=True)

    since = dt.datetime.fromtimestamp(restored.since).astimezone()
    say(f"The ledger records everything that was paid until {since:%Y-%m-%d %H:%M:%S}.")
    if restored.aside is not None:
        say(f"The file that was there before is {restored.aside}.")
    say(f"{restored.held:,} payouts may have been sent since, and are held.")
    for name, number in restored.lost.items():
        say(f"Batch {name!r} was begun since and is not in it: up to row {number:,} was sent.")
    if restored.held:
        say(f"Settle them with `dgspay payouts resolve`; `status BATCH {place}` lists them.")
    if restored.held or restored.lost:
        say(
            "Before another batch begins, compare its rows with DGS-Pay's records since then, and "
            f"give: dgspay payouts restore --compared {place}"
        )
