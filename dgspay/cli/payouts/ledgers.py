"""Location of a command's ledger: one for an account, wherever the command is given."""

from __future__ import annotations

import hashlib
import importlib.util
import re
import shlex
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Union
from urllib.parse import urlsplit

import attrs
import typer

from dgspay.cli.exit_codes import ExitCode, fail
from dgspay.cli.options import account_options
from dgspay.cli.terminal import console, visible
from dgspay.errors import ConfigError
from dgspay.payouts import SqliteLedger
from dgspay.settings import BASE_URLS, is_key_like

if TYPE_CHECKING:
    from dgspay.payouts import PostgresLedger

AnyLedger = Union[SqliteLedger, "PostgresLedger"]

OLDER_NAME = "dgspay-payouts.sqlite3"
"""What a ledger was called by default when each sheet had one beside it."""

_SERVERS = ("postgresql://", "postgres://")
_PLAIN_NAME = re.compile(r"[a-z0-9-]{1,40}", re.ASCII)
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9-]+", re.ASCII)


@attrs.frozen(kw_only=True)
class Account:
    """The account whose payouts a ledger records.

    Attributes:
        environment: Where it is.
        number: The merchant account.
        base_url: Of the emulator, each of which is a world of its own.
    """

    environment: str
    number: str
    base_url: str

    @property
    def ledger(self) -> Path:
        """The file of its ledger, in the folder in which programs of this user keep their data."""
        name = _NOT_IN_NAMES.sub("-", self.number)[:40]
        if not _PLAIN_NAME.fullmatch(self.number):
            # Two accounts must not become one, on a disk that ignores capitals either.
            name += f"-{hashlib.sha256(self.number.encode()).hexdigest()[:8]}"
        where = self.environment
        if where == "emulator":
            address = urlsplit(self.base_url)
            where += f"-{_NOT_IN_NAMES.sub('-', address.hostname or '')}-{address.port or 0}"
        return data_folder() / f"{where}-{name}.sqlite3"


@attrs.frozen(kw_only=True)
class NewLedger:
    """Whether a command may begin a ledger that is not there yet.

    Attributes:
        wanted: Whether that was asked for.
        may_ask: Whether a person can be asked, in production.
    """

    wanted: bool = False
    may_ask: bool = False


def account_of(environment: str | None, base_url: str | None) -> Account | None:
    """Return the account that the options and variables choose; None where they choose none.

    Raises:
        ConfigError: the account number is a key.
    """
    options = account_options(environment, base_url)
    number, chosen = options["account_number"].reveal(), options["environment"]
    if not number or chosen not in BASE_URLS:
        return None
    if is_key_like(number):
        # It would become the name of a file.
        raise ConfigError("DGSPAY_ACCOUNT_NUMBER is an API key: the two have been swapped")
    return Account(
        environment=chosen, number=number, base_url=options["base_url"] or BASE_URLS[chosen]
    )


def ledger_path(
    place: str | None, environment: str | None = None, base_url: str | None = None
) -> Path:
    """Return the file of a ledger that is one, by the option that names it or by the account."""
    if place is not None:
        return Path(place)
    account = account_of(environment, base_url)
    if account is not None:
        return account.ledger
    known = sorted(data_folder().glob("*.sqlite3"))
    if len(known) != 1:
        names = "".join(f"\n  {path}" for path in known) or " none"
        fail(
            "Which ledger? Set DGSPAY_ACCOUNT_NUMBER and DGSPAY_ENVIRONMENT, or name it with "
            f"--ledger. Known ledgers:{names}"
        )
    return known[0]


@contextmanager
def known_ledger(
    place: str | None, environment: str | None = None, base_url: str | None = None
) -> Generator[AnyLedger]:
    """Open a ledger that exists, and close it; a command that only reads creates none."""
    if not is_server(place):
        path = ledger_path(place, environment, base_url)
        if not path.exists():
            if place is None:
                _refuse_older(Path())
            fail(f"There is no ledger at {path.resolve()}. Name it with --ledger.")
        place = str(path)
    with opened_ledger(place, environment=environment, base_url=base_url) as ledger:
        yield ledger


@contextmanager
def ledger_if_any(
    place: str | None,
    *,
    beside: Path | None = None,
    environment: str | None = None,
    base_url: str | None = None,
) -> Generator[AnyLedger | None]:
    """Open the ledger where there is one; arguments as for `opened_ledger`."""
    if not is_server(place):
        path = ledger_path(place, environment, base_url)
        if place is None:
            _refuse_older(*(() if beside is None else (beside.parent,)), Path())
        if not path.exists():
            yield None
            return
    with opened_ledger(place, beside=beside, environment=environment, base_url=base_url) as ledger:
        yield ledger


@contextmanager
def opened_ledger(
    place: str | None,
    *,
    beside: Path | None = None,
    new: NewLedger | None = None,
    environment: str | None = None,
    base_url: str | None = None,
    answer_within: float | None = None,
) -> Generator[AnyLedger]:
    """Open the ledger, and close it; one that is not there is made.

    Args:
        place: Where the option says it is.
        beside: The sheet next to which an earlier dgspay would have kept it.
        new: Whether it may be one that is not there yet; without a word where left out.
        environment: That of the account, by its option.
        base_url: That of the account, by its option.
        answer_within: Seconds after which a question without an answer is an error.
    """
    if place is not None and is_server(place):
        require_postgres()
        from dgspay.payouts import PostgresLedger  # noqa: PLC0415 - it imports the extra

        with PostgresLedger(place, answer_within=answer_within) as server:
            if new is not None:
                is_new = not server.batches()
                if is_new:
                    _require_wanted("in this database", new, environment)
                _tell(place_of(server), is_new=is_new)
            yield server
        return
    path = ledger_path(place, environment, base_url)
    if place is None:
        _refuse_older(*(() if beside is None else (beside.parent,)), Path())
    is_new = not (path.exists() and path.stat().st_size)
    if new is not None and is_new:
        _require_wanted(f"at {path.absolute()}", new, environment)
    if place is None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with SqliteLedger(path, answer_within=answer_within) as ledger:
        if new is not None:
            _tell(place_of(ledger), is_new=is_new)
        yield ledger


def _tell(place: str, *, is_new: bool) -> None:
    console().print(f"Ledger: {visible(place)}{' (new)' if is_new else ''}", soft_wrap=True)


def _require_wanted(where: str, new: NewLedger, environment: str | None) -> None:
    """Require consent before a new ledger is begun in production."""
    err = console(stderr=True)
    if account_options(environment, None)["environment"] != "production" or new.wanted:
        return
    warning = (
        f"This account has no ledger {where} yet. If it has paid before, from another computer, "
        "from another folder with an earlier dgspay, or with a ledger that was moved, a new one "
        "would pay the same people again: name the old one with --ledger"
    )
    if new.may_ask:
        err.print(f"This is production. {visible(warning)}.", style="yellow", soft_wrap=True)
        try:
            agreed = typer.confirm("Begin a new ledger?", err=True)
        except typer.Abort:
            agreed = False
        if agreed:
            return
        err.print("Nothing was sent. (--new-ledger begins one without asking.)")
        raise typer.Exit(ExitCode.NO)
    fail(f"{warning}, or begin a new one with --new-ledger. Nothing was sent.")


def _refuse_older(*folders: Path) -> None:
    """Fail where an earlier dgspay kept a ledger beside the sheets: it must not be ignored."""
    for folder in folders:
        older = folder / OLDER_NAME
        if older.exists():
            fail(
                f"{older.absolute()} is a ledger that an earlier dgspay kept beside the sheet: it "
                "knows who was paid from this folder, and the ledger of the account does not. Go "
                f"on with it: give --ledger {shlex.quote(str(older.absolute()))}, from every "
                "folder, or set DGSPAY_PAYOUTS_LEDGER to it. Once no payout in it can be repeated, "
                "move it out of this folder together with the files whose names begin with its "
                "name. Nothing was sent."
            )


def place_of(ledger: AnyLedger | Path) -> str:
    """Return where a ledger is, without what a connection string may hold."""
    if isinstance(ledger, SqliteLedger):
        return str(ledger.path)
    return str(ledger) if isinstance(ledger, Path) else "postgresql://..."


def place_words(ledger: AnyLedger | Path) -> str:
    """Return the option that names this ledger."""
    return f"--ledger {shlex.quote(place_of(ledger))}"


def is_server(place: str | None) -> bool:
    """Return whether a ledger is in PostgreSQL."""
    return place is not None and place.startswith(_SERVERS)


def require_postgres() -> None:
    """End the command with advice where the extra is not installed."""
    if any(importlib.util.find_spec(name) is None for name in ("psycopg", "pgqueuer")):
        fail("This needs psycopg and pgqueuer. Install them with: pip install 'dgspay[postgres]'")


def data_folder() -> Path:
    """Return the folder in which payouts of this user keep ledgers and keys."""
    # Not at the top: it is of the extra, and a ledger that is named needs it not.
    import platformdirs  # noqa: PLC0415

    return platformdirs.user_data_path("dgspay", appauthor=False) / "payouts"
