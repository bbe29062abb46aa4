"""`dgspay links`: create, list and archive pages that a customer can pay on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import islice
from typing import Annotated, Final

import typer

from dgspay import AmountType, PaymentLink, PaymentMethod
from dgspay.cli.exit_codes import ExitCode, usage_errors
from dgspay.cli.options import (
    BaseUrlOption,
    EnvironmentOption,
    JsonOption,
    YesOption,
    ask_in_production,
    connected,
)
from dgspay.cli.output import as_record, write_json, write_json_rows
from dgspay.cli.streams import begin_effect, note_effect
from dgspay.cli.tables import Column, print_table
from dgspay.cli.terminal import console, money, shown, visible

links = typer.Typer(no_args_is_help=True, help="Create, list and archive payment links.")

_FORMATS: Final = ["%Y-%m-%d %H:%M:%S", "%Y-%m-%d"]


def _uses(link: PaymentLink) -> str:
    return f"{shown(link.use_count)}/{'any' if link.max_uses is None else link.max_uses}"


_COLUMNS: Final[Sequence[Column[PaymentLink]]] = (
    Column("id", lambda link: shown(link.id)),
    Column("title", lambda link: shown(link.title), prose=True),
    Column("amount", lambda link: money(link.amount, link.currency), right=True),
    Column("uses", _uses, right=True),
    Column("status", lambda link: shown(link.status)),
)


@links.command("create")
def create_link(
    *,
    title: Annotated[str, typer.Option(help="Shown on the page.")],
    amount: Annotated[
        str | None, typer.Option(help="The price; without it the payer chooses.")
    ] = None,
    currency: Annotated[str, typer.Option(help="ISO 4217 code.")] = "RWF",
    min_amount: Annotated[str | None, typer.Option(help="Least the payer may choose.")] = None,
    max_amount: Annotated[str | None, typer.Option(help="Most the payer may choose.")] = None,
    payment_type: Annotated[
        list[str] | None,
        typer.Option(help="card, mobile_money, ussd or bank_transfer; again for another."),
    ] = None,
    slug: Annotated[str | None, typer.Option(help="Last part of the URL.")] = None,
    description: Annotated[str | None, typer.Option(help="Shown on the page.")] = None,
    redirect_url: Annotated[
        str | None, typer.Option(help="Where the payer goes after paying.")
    ] = None,
    max_uses: Annotated[int | None, typer.Option(min=1, help="Payments it takes.")] = None,
    expires_at: Annotated[
        datetime | None, typer.Option(formats=_FORMATS, help="In the API's own time zone.")
    ] = None,
    logo_url: Annotated[str | None, typer.Option(help="Shown on the page.")] = None,
    collect_phone: Annotated[
        bool | None, typer.Option("--collect-phone/--no-collect-phone", help="Ask for a phone.")
    ] = None,
    collect_name: Annotated[
        bool | None, typer.Option("--collect-name/--no-collect-name", help="Ask for a name.")
    ] = None,
    collect_address: Annotated[
        bool | None,
        typer.Option("--collect-address/--no-collect-address", help="Ask for an address."),
    ] = None,
    idempotency_key: Annotated[str | None, typer.Option(help="Your own key for this link.")] = None,
    as_json: JsonOption = False,
    environment: EnvironmentOption = None,
    base_url: BaseUrlOption = None,
) -> None:
    """Create a page a customer can pay on, and print its URL."""
    with connected(environment, base_url) as dgs, usage_errors():
        begin_effect()
        link = dgs.payment_links.create(
            title=title,
            amount_type=AmountType.FLEXIBLE if amount is None else AmountType.FIXED,
            amount=amount,
            currency=currency,
            min_amount=min_amount,
            max_amount=max_amount,
            payment_types=[PaymentMethod(word) for word in payment_type or ()] or None,
            slug=slug,
            description=description,
            redirect_url=redirect_url,
            max_uses=max_uses,
            expires_at=expires_at,
            logo_url=logo_url,
            collect_phone=collect_phone,
            collect_name=collect_name,
            collect_address=collect_address,
            idempotency_key=idempotency_key,
        )
    note_effect(ExitCode.OK, link=link.id, url=link.url)
    if as_json:
        write_json(as_record(link))
        return
    console().print(shown(link.url), soft_wrap=True)
    console().print(f"{shown(link.title)}, {_price(link)}. Its id is {visible(link.id)}.")


def _price(link: PaymentLink) -> str:
    return "the payer chooses" if link.amount is None else money(link.amount, link.currency)


@links.command("list")
def list_links(
    *,
    limit: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Stop after N rows.")
    ] = None,
    as_json: JsonOption = False,
    environment: EnvironmentOption = None,
    base_url: BaseUrlOption = None,
) -> None:
    """List payment links."""
    with connected(environment, base_url) as dgs:
        pager = dgs.payment_links.list(limit=min(limit or 100, 100))
        if as_json:
            write_json_rows(islice(pager, limit))
            return
        rows = list(islice(pager, limit))
    print_table(_COLUMNS, rows)
    if not rows:
        console(stderr=True).print("There are none.")


@links.command("archive")
def archive_link(
    id: Annotated[str, typer.Argument(help="The id of the link.")],  # noqa: A002 - the vendor's word
    *,
    as_json: JsonOption = False,
    yes: YesOption = False,
    environment: EnvironmentOption = None,
    base_url: BaseUrlOption = None,
) -> None:
    """Archive a link for good: it can no longer be paid."""
    with connected(environment, base_url) as dgs:
        ask_in_production(dgs, f"Archive the link {visible(id)} for good?", yes=yes)
        with usage_errors():
            begin_effect()
            archived = dgs.payment_links.archive(id)
    note_effect(ExitCode.OK, archived_link=id)
    if as_json:
        write_json(as_record(archived))
        return
    console().print(shown(archived.message or "Archived."))
