"""`dgspay charge`: ask a mobile wallet for a payment, and wait for how it ends."""

from __future__ import annotations

from typing import Annotated

import typer

from dgspay import Charge, Customer, RedirectRequired, Standing, Transaction
from dgspay.api import charges
from dgspay.cli.exit_codes import ExitCode, interruption_is, usage_errors
from dgspay.cli.options import (
    BaseUrlOption,
    EnvironmentOption,
    JsonOption,
    YesOption,
    ask_in_production,
    connected,
)
from dgspay.cli.output import as_record, write_json
from dgspay.cli.streams import begin_effect, note_effect
from dgspay.cli.terminal import console, money, shown, visible

_ON_ITS_WAY = (
    "the payment may have been started. Check `dgspay transactions list` before you charge again."
)


def charge(
    *,
    amount: Annotated[str, typer.Option(help="In RWF, without a fraction: 2000.")],
    phone: Annotated[str, typer.Option(help="The number that gets the prompt: 0789654321.")],
    network: Annotated[str, typer.Option(metavar="MTN|Airtel", help="Its network.")],
    email: Annotated[str, typer.Option(help="The customer's e-mail address.")],
    first_name: Annotated[str, typer.Option(help="The customer's first name.")],
    last_name: Annotated[str, typer.Option(help="The customer's last name.")],
    redirect_url: Annotated[str, typer.Option(help="Where the customer goes after paying.")],
    customer_phone: Annotated[
        str | None, typer.Option(help="The customer's own number, if not --phone.")
    ] = None,
    customer_phone_country_code: Annotated[
        str, typer.Option(help="Its country code without +.")
    ] = "250",
    narration: Annotated[str | None, typer.Option(help="Shown to the customer.")] = None,
    currency: Annotated[str, typer.Option(help="The guide allows RWF only.")] = "RWF",
    callback_url: Annotated[
        str | None, typer.Option(help="Where this payment's webhook goes.")
    ] = None,
    scenario: Annotated[
        str | None, typer.Option(help="Sandbox only, e.g. scenario:auth_pin.")
    ] = None,
    idempotency_key: Annotated[
        str | None, typer.Option(help="Your own key for this payment.")
    ] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until it is settled.")] = False,
    timeout: Annotated[float, typer.Option(min=0.1, help="Seconds to wait at most.")] = 120.0,
    as_json: JsonOption = False,
    yes: YesOption = False,
    environment: EnvironmentOption = None,
    base_url: BaseUrlOption = None,
) -> None:
    """Ask a customer's mobile wallet for a payment.

    Exit code 0 means that it was started, with --wait that it was paid; 1 that it was
    declined; 5 that it is not known. JSON has the two keys "charge" and "transaction"; the
    latter is null without --wait.
    """
    with connected(environment, base_url) as dgs:
        with usage_errors():
            customer = Customer(
                email=email,
                first_name=first_name,
                last_name=last_name,
                phone=customer_phone or phone,
                phone_country_code=customer_phone_country_code,
            )
        ask_in_production(dgs, f"Ask {phone} for {amount} {currency}?", yes=yes)
        with usage_errors():
            operation = charges.mobile_money(
                amount=amount,
                customer=customer,
                network=network,
                phone=phone,
                redirect_url=redirect_url,
                narration=narration,
                currency=currency,
                callback_url=callback_url,
                scenario=scenario,
                idempotency_key=idempotency_key,
            )
        with interruption_is(_ON_ITS_WAY), usage_errors():
            begin_effect()
            reply = dgs.reply(operation)
        started = reply.value
        note_effect(
            _code(started),
            reference=started.dgs_reference,
            idempotency_key=reply.idempotency_key,
        )
        settled = None
        try:
            if not as_json:
                _tell_start(started)
            if wait and not _is_settled(started):
                settled = dgs.charges.wait(started.dgs_reference, timeout=timeout)
                note_effect(_code(settled))
        finally:
            # Also when the waiting fails: the reference must not be lost with it.
            if as_json:
                _write(started, settled)
    if settled is not None and not as_json:
        _tell_end(settled)
    raise typer.Exit(_code(started if settled is None else settled))


def _code(payment: Charge | Transaction) -> ExitCode:
    return ExitCode.NO if payment.standing is Standing.FAILED else ExitCode.OK


def _is_settled(started: Charge) -> bool:
    return started.is_complete or started.is_declined


def _tell_start(started: Charge) -> None:
    out = console()
    what = f"{visible(started.dgs_reference)}  {money(started.amount, started.currency)}"
    if started.is_declined:
        out.print(f"{what}  declined: {shown(started.processor_response)}", style="red")
        return
    out.print(f"{what}  {shown(started.transaction_status)}")
    if isinstance(started.next_action, RedirectRequired):
        out.print(f"Send the customer to {visible(started.next_action.url)}", soft_wrap=True)
    elif started.display_text and not started.is_complete:
        out.print(visible(started.display_text))


def _tell_end(settled: Transaction) -> None:
    if settled.is_paid:
        console().print(f"Paid: {money(settled.amount, settled.currency)}", style="green")
    else:
        console().print(f"Declined: {shown(settled.processor_response)}", style="red")


def _write(started: Charge, settled: Transaction | None) -> None:
    end = None if settled is None else as_record(settled)
    write_json({"charge": as_record(started), "transaction": end})
