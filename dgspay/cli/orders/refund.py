"""`dgspay orders refund`: send money back for an order, once."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import typer

from dgspay.checkout import Order, OrdersError, Refund, RefundState, opening, refunds
from dgspay.cli.disburse import recipient_of
from dgspay.cli.exit_codes import ExitCode, fail, interruption_is, usage_errors
from dgspay.cli.options import (
    BaseUrlOption,
    EnvironmentOption,
    JsonOption,
    YesOption,
    ask_in_production,
)
from dgspay.cli.orders.checkouts import acting_checkout
from dgspay.cli.orders.options import AppOption, OrderArgument, OrdersOption
from dgspay.cli.output import as_record, write_json
from dgspay.cli.streams import begin_effect, note_effect
from dgspay.cli.terminal import console, figure, money, shown, visible
from dgspay.money import parse_amount

_ON_ITS_WAY = (
    "the refund may reach the payer. It is on disk: see `dgspay orders show` before you act."
)


def refund(
    order: OrderArgument,
    *,
    amount: Annotated[
        str | None, typer.Option(metavar="RWF", help="All that is left, if left out.")
    ] = None,
    attempt: Annotated[
        int | None,
        typer.Option(metavar="N", help="The attempt to pay back, such as that of a problem."),
    ] = None,
    fee: Annotated[
        str | None,
        typer.Option(
            metavar="RWF", help="The fee of a payout, where the payer is to get it all: 100."
        ),
    ] = None,
    phone: Annotated[
        str | None, typer.Option(help="A wallet other than the one that paid: 0788123456.")
    ] = None,
    network: Annotated[str | None, typer.Option(metavar="MTN|Airtel", help="Its network.")] = None,
    bank: Annotated[
        str | None, typer.Option(metavar="KEY", help="A bank, by its key in `dgspay banks`.")
    ] = None,
    account: Annotated[str | None, typer.Option(help="The account at the bank.")] = None,
    branch: Annotated[str | None, typer.Option(help="Its branch, where the bank needs it.")] = None,
    name: Annotated[str | None, typer.Option(help="Who is paid back.")] = None,
    note: Annotated[str | None, typer.Option(help="Your reason; it is kept.")] = None,
    again: Annotated[
        bool, typer.Option("--again", help="Although as much was paid back for it before.")
    ] = False,
    url: Annotated[
        str | None,
        typer.Option(
            envvar="DGSPAY_CHECKOUT_URL",
            metavar="URL",
            help="Where the shop's checkout is mounted: the refund's webhook goes there.",
        ),
    ] = None,
    app: AppOption = None,
    orders: OrdersOption = None,
    as_json: JsonOption = False,
    yes: YesOption = False,
    environment: EnvironmentOption = None,
    base_url: BaseUrlOption = None,
) -> None:
    """Send money back for an order, once.

    It is a payout to the wallet that paid, or to another recipient. Never more than was paid, and
    one refund of an order at a time. Exit code 0 means that DGS-Pay has queued it, 1 that it was
    declined or is not possible, 5 that it is not known whether it was paid: it is held, and no
    other one is made until it is resolved.
    """
    recipient = None
    if any((phone, network, bank, account, branch, name)):
        recipient = recipient_of(
            phone=phone, network=network, bank=bank, account=account, branch=branch, name=name
        )
    with acting_checkout(app, orders, environment, base_url, url=url) as checkout:
        with usage_errors():
            wanted = "all that is left" if amount is None else money(parse_amount(amount), "RWF")
        if app is None and url is None:
            fail(
                "Where is the checkout mounted? Give --url, or DGSPAY_CHECKOUT_URL, or --app: the "
                "refund's webhook goes there. Nothing was sent."
            )
        found = checkout.run(partial(opening.order, order_id=order))
        ask_in_production(checkout.shop, _question(found, wanted), yes=yes)
        begin_effect()
        try:
            with interruption_is(_ON_ITS_WAY), usage_errors():
                made = checkout.run(
                    partial(
                        refunds.refund,
                        order_id=order,
                        amount=amount,
                        attempt=attempt,
                        recipient=recipient,
                        fee=fee,
                        note=note,
                        again=again,
                    )
                )
        except OrdersError as error:
            # It may have been the answer that could not be written down.
            fail(f"{error}. The refund may have left: see it in the portal.", ExitCode.UNKNOWN)
    code = _code(made)
    note_effect(code, order=order, refund=str(made.number), reference=made.dgs_reference)
    if as_json:
        write_json(as_record(made))
    else:
        _tell(order, made)
    raise typer.Exit(code)


def _question(order: Order, wanted: str) -> str:
    paid = money(order.collected, order.currency)
    return f"Send {wanted} back for order {order.id}, for which {paid} were collected?"


def _code(made: Refund) -> ExitCode:
    match made.state:
        case RefundState.IN_DOUBT:
            return ExitCode.UNKNOWN
        case RefundState.FAILED:
            return ExitCode.NO
        case _:
            return ExitCode.OK


def _tell(order: str, made: Refund) -> None:
    out = console()
    what = f"Refund {made.number}  {figure(made.amount)} RWF  {shown(made.dgs_reference)}"
    if made.state is RefundState.FAILED:
        out.print(f"{what}  failed: {shown(made.reason)}", style="red", soft_wrap=True)
        return
    out.print(f"{what}  {made.state}", soft_wrap=True)
    if made.state is RefundState.IN_DOUBT:
        console(stderr=True).print(
            "Its answer was lost: it may reach the payer, and is held. A webhook settles it. If "
            "none comes, look it up in the merchant portal, then:",
            style="yellow",
        )
        console(stderr=True).print(
            f"  dgspay orders resolve {visible(order)} --refund {made.number} --paid (or "
            "--not-paid) --reason ...",
            soft_wrap=True,
        )
