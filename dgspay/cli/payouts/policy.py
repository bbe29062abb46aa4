"""`dgspay payouts policy`: who must approve a batch, by which keys, and what may repeat."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import attrs
import typer

from dgspay.cli.options import ask
from dgspay.cli.payouts.keys import KeyOption, signer_if_any, signer_of
from dgspay.cli.payouts.ledgers import (
    AnyLedger,
    NewLedger,
    known_ledger,
    opened_ledger,
    place_words,
)
from dgspay.cli.payouts.options import LedgerOption
from dgspay.cli.terminal import console, visible
from dgspay.payouts import Payouts, Permission, Policy, PolicyState, PublicKey

Change = Callable[[Policy], Policy]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]

policy = typer.Typer(
    invoke_without_command=True,
    help="Show who must approve a batch before it is paid and what may repeat, and change that.",
)


@policy.callback()
def _show_or_change(
    context: typer.Context,
    *,
    approvals: Annotated[
        int | None,
        typer.Option(min=0, max=9, metavar="N", help="How many persons must approve; 0: none."),
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option(
            min=0,
            metavar="RWF",
            help="What may be paid without approval within any 24 hours, all batches together, "
            "each counted with its whole sum; 0: nothing.",
        ),
    ] = None,
    self_approval: Annotated[
        bool | None,
        typer.Option(
            "--self-approval/--no-self-approval",
            help="Whether who prepared a batch may approve it, too.",
        ),
    ] = None,
    key: KeyOption = None,
    ledger: LedgerOption = None,
    yes: YesOption = False,
) -> None:
    """Show who must approve a batch before it is paid and what may repeat, and change that.

    Until approvals are asked for, a change counts at once. From then on it must be signed with as
    many registered keys as a batch: yours, and those of others with `dgspay payouts policy sign`.
    """
    if context.invoked_subcommand is not None:
        return
    if approvals is None and limit is None and self_approval is None:
        with known_ledger(ledger) as opened:
            _tell(Payouts(ledger=opened).policy(), opened)
        return

    def changed(policy: Policy) -> Policy:
        return attrs.evolve(
            policy,
            approvals=policy.approvals if approvals is None else approvals,
            limit=policy.limit if limit is None else limit,
            self_approval=policy.self_approval if self_approval is None else self_approval,
        )

    _change(ledger, changed, key, yes=yes)


@policy.command("add-key")
def add_key(
    person: Annotated[str, typer.Argument(metavar="NAME", help="Whose key it is.")],
    public_key: Annotated[
        str, typer.Argument(metavar="KEY", help="As `dgspay payouts key` has shown it.")
    ],
    *,
    key: KeyOption = None,
    ledger: LedgerOption = None,
    yes: YesOption = False,
) -> None:
    """Register a person's public key. Have the person read it to you: it stands for them."""
    added = PublicKey.parse(person, public_key)
    _change(ledger, lambda found: found.with_key(added), key, yes=yes)


@policy.command("remove-key")
def remove_key(
    name: Annotated[str, typer.Argument(metavar="NAME|ID", help="A person, or one key by its id.")],
    *,
    key: KeyOption = None,
    ledger: LedgerOption = None,
    yes: YesOption = False,
) -> None:
    """Remove a person's keys: what they have approved and was not paid yet counts no more."""
    _change(ledger, lambda found: found.without_key(name), key, yes=yes)


@policy.command("add-permission")
def add_permission(
    pattern: Annotated[
        str,
        typer.Argument(
            metavar="PATTERN",
            help="How the references are written, such as 'wages-{date}-*': {date} is the day that "
            "is paid for, as 2026-12-31; * is one or more letters, digits, dots, hyphens and "
            "underscores.",
        ),
    ],
    *,
    reason: Annotated[str, typer.Option(help="Why the same sums are paid day after day.")],
    begins: Annotated[
        str, typer.Option("--from", metavar="DATE", help="The first day, as 2026-12-01.")
    ],
    ends: Annotated[
        str, typer.Option("--until", metavar="DATE", help="The last day, within a year.")
    ],
    per_day: Annotated[
        int,
        typer.Option(min=1, max=24, metavar="N", help="Payouts to an account in a day of Kigali."),
    ] = 1,
    largest: Annotated[
        int | None,
        typer.Option(min=1, metavar="RWF", help="What an account may get in such a day."),
    ] = None,
    key: KeyOption = None,
    ledger: LedgerOption = None,
    yes: YesOption = False,
) -> None:
    """Let daily wages repeat without a question: a standing permission for their references.

    A row passes whose reference, as it is written, matches PATTERN, where all that it repeats
    matches it for other days. The same reference, and the same day, is never paid twice by it.
    """
    permission = Permission(
        pattern=pattern, reason=reason, begins=begins, ends=ends, per_day=per_day, largest=largest
    )
    _change(ledger, lambda found: found.with_permission(permission), key, yes=yes)


@policy.command("remove-permission")
def remove_permission(
    pattern: Annotated[
        str, typer.Argument(metavar="PATTERN", help="As `dgspay payouts policy` shows it.")
    ],
    *,
    key: KeyOption = None,
    ledger: LedgerOption = None,
    yes: YesOption = False,
) -> None:
    """Withdraw a standing permission: what repeats is asked about again, in a run under way too."""
    _change(ledger, lambda found: found.without_permission(pattern), key, yes=yes)


@policy.command("sign")
def sign(*, key: KeyOption = None, ledger: LedgerOption = None, yes: YesOption = False) -> None:
    """Sign the change of the policy that waits for signatures, once you have read it."""
    with known_ledger(ledger) as opened:
        payouts = Payouts(ledger=opened)
        _tell(payouts.policy(), opened)
        if not yes:
            ask("Sign this change?", declined="Nothing was changed.")
        _tell(payouts.sign_policy(signer_of(key)), opened)


def _change(ledger: str | None, change: Change, key: str | None, *, yes: bool) -> None:
    # A new ledger may have its policy before it has a batch.
    with opened_ledger(ledger, new=NewLedger(may_ask=not yes)) as opened:
        payouts = Payouts(ledger=opened)
        before = payouts.policy()
        for line in _lines(change(before.policy)):
            console().print(visible(line), soft_wrap=True)
        if not yes:
            ask("Change the policy to this?", declined="Nothing was changed.")
        signer = signer_if_any(key, needed=bool(before.policy.quorum))
        _tell(payouts.change_policy(change, signer=signer), opened)


def _tell(state: PolicyState, ledger: AnyLedger) -> None:
    out = console()
    if state.broken is not None:
        broken = f"{state.broken[0].upper()}{state.broken[1:]}. Nothing is paid from this ledger."
        console(stderr=True).print(visible(broken), style="red", soft_wrap=True)
    out.print(f"In force, revision {state.revision}:", style="bold")
    for line in _lines(state.policy):
        out.print(visible(f"  {line}"), soft_wrap=True)
    if state.pending is None:
        return
    missing = state.policy.quorum - len(state.pending_signers)
    signed = ", ".join(state.pending_signers) or "nobody"
    out.print(
        f"Not in force yet, signed by {visible(signed)}; {missing} more must sign:", style="bold"
    )
    for line in _lines(state.pending):
        out.print(visible(f"  {line}"), soft_wrap=True)
    out.print("Each of them gives:")
    out.print(f"  dgspay payouts policy sign {place_words(ledger)}", soft_wrap=True)


def _lines(policy: Policy) -> list[str]:
    if not policy.approvals:
        lines = ["No approval is asked for."]
    else:
        persons = "one person" if policy.approvals == 1 else f"{policy.approvals} persons"
        own = "" if policy.self_approval else ", who did not prepare it"
        lines = [f"A batch must be approved by {persons}{own}."]
        if policy.limit:
            lines.append(
                f"Up to {policy.limit:,} RWF within any 24 hours, all batches together, need no "
                "approval."
            )
    lines += [f"Key of {key.person}: {key.text} ({key.id})" for key in policy.keys]
    lines += [f"Standing permission: {each.words}" for each in policy.permissions]
    return lines
