"""`dgspay disburse`: pay one person, once, after a question that names the sum and the person."""

from __future__ import annotations

from typing import Annotated

import typer

from dgspay import BankRecipient, DGSPay, Disbursement, MobileMoneyRecipient
from dgspay.api import disbursements
from dgspay.cli.exit_codes import ExitCode, fail, interruption_is, usage_errors
from dgspay.cli.options import BaseUrlOption, EnvironmentOption, JsonOption, ask, connected
from dgspay.cli.output import as_record, write_json
from dgspay.cli.streams import begin_effect, note_effect
from dgspay.cli.terminal import console, money, shown, visible
from dgspay.money import parse_amount

_CURRENCY = "RWF"
# The vendor's word sounds like more than it says.
_STATE = {"success": "queued"}
_ON_ITS_WAY = (
    "the money may have left. Check the merchant portal, or wait for its webhook, before you "
    "pay again."
)


def disburse(
    *,
    amount: Annotated[
        str, typer.Option(help="In RWF; the fee is taken from what the recipient gets.")
    ],
    phone: Annotated[
        str | None, typer.Option(help="The mobile wallet that is paid: 0788123456.")
    ] = None,
    network: Annotated[str | None, typer.Option(metavar="MTN|Airtel", help="Its network.")] = None,
    bank: Annotated[
        str | None, typer.Option(metavar="KEY", help="The bank, by its key in `dgspay banks`.")
    ] = None,
    account: Annotated[str | None, typer.Option(help="The account at the bank.")] = None,
    branch: Annotated[str | None, typer.Option(help="Its branch, where the bank needs it.")] = None,
    name: Annotated[str | None, typer.Option(help="Who is paid.")] = None,
    narration: Annotated[
        str | None, typer.Option(help="Short text on the recipient's statement.")
    ] = None,
    callback_url: Annotated[
        str | None, typer.Option(help="Where this payout's webhook goes.")
    ] = None,
    scenario: Annotated[
        str | None, typer.Option(help="Sandbox only, e.g. scenario:successful.")
    ] = None,
    idempotency_key: Annotated[
        str | None, typer.Option(help="Your own key for this payout; the same for the same one.")
    ] = None,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Do not ask before paying; for jobs.")
    ] = False,
    as_json: JsonOption = False,
    environment: EnvironmentOption = None,
    base_url: BaseUrlOption = None,
) -> None:
    """Pay one person: to a phone with --phone and --network, or with --bank and --account.

    Exit code 0 means that DGS-Pay has queued it, and not that it has arrived: its webhook or
    `dgspay transactions show` reports that. 1 means that DGS-Pay declined it at once, 5 that it is
    not known whether it was paid; do not repeat it then. For more than one person there is
    `dgspay payouts`.
    """
    recipient = recipient_of(
        phone=phone, network=network, bank=bank, account=account, branch=branch, name=name
    )
    with connected(environment, base_url) as dgs:
        with usage_errors():
            total = parse_amount(amount)
        if not yes:
            ask(f"Pay {money(total, _CURRENCY)} to {_words(recipient)} from {_payer(dgs)}?")
        with usage_errors():
            operation = disbursements.create(
                amount=amount,
                recipient=recipient,
                narration=narration,
                callback_url=callback_url,
                scenario=scenario,
                idempotency_key=idempotency_key,
            )
        with interruption_is(_ON_ITS_WAY), usage_errors():
            begin_effect()
            reply = dgs.reply(operation)
    queued = reply.value
    code = ExitCode.NO if queued.is_declined else ExitCode.OK
    note_effect(code, reference=queued.dgs_reference, idempotency_key=reply.idempotency_key)
    if as_json:
        write_json(as_record(queued))
    else:
        _print(queued)
    raise typer.Exit(code)


def recipient_of(
    *,
    phone: str | None,
    network: str | None,
    bank: str | None,
    account: str | None,
    branch: str | None,
    name: str | None,
) -> BankRecipient | MobileMoneyRecipient:
    """Return who is paid, by the options; end the command where they do not fit together."""
    recipient: BankRecipient | MobileMoneyRecipient | None = None
    mixed = any((phone, network)) and any((bank, account, branch))
    with usage_errors():
        if bank is not None and account is not None:
            recipient = BankRecipient(
                bank_key=bank, account_number=account, branch=branch, name=name
            )
        elif phone is not None and network is not None:
            recipient = MobileMoneyRecipient(msisdn=phone, network=network, name=name)
    if recipient is None or mixed:
        fail("Give either --phone and --network, or --bank and --account. Nothing was sent.")
    return recipient


def _words(recipient: BankRecipient | MobileMoneyRecipient) -> str:
    wire = recipient.to_wire()
    where = (
        f"{wire['account_number']} at {wire['bank_key']}"
        if isinstance(recipient, BankRecipient)
        else f"{wire['msisdn']} ({wire['network']})"
    )
    return where if recipient.name is None else f"{recipient.name}, {where},"


def _payer(dgs: DGSPay) -> str:
    return f"account {dgs.settings.account_number} in {dgs.settings.environment}"


def _print(queued: Disbursement) -> None:
    what = f"{shown(queued.dgs_reference)}  {money(queued.amount, queued.currency or _CURRENCY)}"
    if queued.is_declined:
        why = queued.fail_reason or queued.processor_response or queued.message
        console().print(f"{what}  declined: {shown(why)}", style="red")
        return
    console().print(f"{what}  {_STATE.get(queued.status, shown(queued.status))}")
    if queued.recipient_gets is not None:
        arrives = money(queued.recipient_gets, queued.currency or _CURRENCY)
        console().print(f"After the fee {arrives} arrive.", style="dim")
    if queued.dgs_reference is not None:
        console().print(
            f"How it ends: dgspay transactions show {visible(queued.dgs_reference)}",
            style="dim",
            soft_wrap=True,
        )
