"""`dgspay payouts key`: make a person's key; and the key that other commands sign with."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from dgspay.cli.exit_codes import fail
from dgspay.cli.payouts.ledgers import data_folder
from dgspay.cli.terminal import console, visible
from dgspay.payouts import Signer, create_key, load_key, public_key_in
from dgspay.secret import Secret

PASSPHRASE = "DGSPAY_APPROVAL_PASSPHRASE"  # noqa: S105 - the name of a variable
"""The variable that may hold a key's passphrase, where no person can be asked."""

KeyOption = Annotated[
    str | None,
    typer.Option(
        "--key",
        envvar="DGSPAY_APPROVAL_KEY",
        metavar="NAME|FILE",
        help="Your key: its name as given to `dgspay payouts key`, or its file. If left out, the "
        f"only one on this machine. Its passphrase is asked for, or read from {PASSPHRASE}.",
    ),
]


def key(
    person: Annotated[str, typer.Argument(metavar="NAME", help="Whose key it is.")],
    *,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Where the private key goes; a folder of yours if not."),
    ] = None,
) -> None:
    """Make a key to prepare and approve batches with, and show its public part.

    The private key is written into a file that only you can read, encrypted with a passphrase.
    Nobody else must know it: whoever has both can approve in your name. The public part is
    registered with `dgspay payouts policy add-key`.
    """
    path = out or _folder() / f"{_file_name(person)}.key"
    made = create_key(path, person, _passphrase("Choose a passphrase", confirm=True))
    say = console()
    say.print(f"Your private key is {visible(str(path))}. Keep a copy of it.", soft_wrap=True)
    say.print("Have it registered with:")
    say.print(
        f"  dgspay payouts policy add-key {visible(made.person)!r} {made.text}", soft_wrap=True
    )


def signer_of(key: str | None) -> Signer:
    """Return the key that an option names, opened with its passphrase."""
    path = _path_of(key)
    person = public_key_in(path).person
    return load_key(path, _passphrase(f"Passphrase of {visible(person)}'s key"))


def signer_if_any(key: str | None, *, needed: bool) -> Signer | None:
    """Return the key where one is needed or named; otherwise nobody is asked for a passphrase."""
    return signer_of(key) if needed or key is not None else None


def _path_of(key: str | None) -> Path:
    if key is not None:
        named = _folder() / f"{_file_name(key)}.key"
        return named if named.exists() else Path(key)
    known = sorted(_folder().glob("*.key"))
    if len(known) == 1:
        return known[0]
    if known:
        fail(f"Which key? Name it with --key: {', '.join(path.stem for path in known)}.")
    return fail("This needs your key. Make one with `dgspay payouts key NAME`, or give --key.")


def _passphrase(question: str, *, confirm: bool = False) -> Secret:
    known = os.environ.get(PASSPHRASE)
    if known:
        return Secret(known)
    try:
        typed: str = typer.prompt(question, hide_input=True, confirmation_prompt=confirm, err=True)
    except typer.Abort:
        fail(f"There is no passphrase: type it, or set {PASSPHRASE}. Nothing was changed.")
    return Secret(typed)


def _folder() -> Path:
    return data_folder() / "keys"


def _file_name(person: str) -> str:
    return "".join(char if char.isalnum() or char in "-_" else "-" for char in person.strip())
