"""The pages a payer's browser opens: a payment link, and where a redirect leads."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from dgspay.emulator.api.call import Call
from dgspay.emulator.api.card_charges import card_stories, grouped
from dgspay.emulator.domain.payment_links import link_status
from dgspay.emulator.domain.records import Link
from dgspay.emulator.http import Response
from dgspay.emulator.web.rendering import page
from dgspay.models.enums import LinkStatus
from dgspay.money import ZERO_DECIMAL_CURRENCIES

# What is said in place of the form when a link cannot be paid.
_ENDED = {
    LinkStatus.ARCHIVED: ("This link is closed", "The merchant has archived it."),
    LinkStatus.COMPLETED: ("Already paid", "This link has been paid as often as it may be."),
    LinkStatus.EXPIRED: ("This link has expired", "Ask the merchant for a new one."),
}
_NO_WAY_TO_PAY = (
    "This link cannot be paid",
    "It takes Mobile Money only, which pays in RWF. Ask the merchant for another one.",
)
PAYMENT_WORDS: Final = {
    "mobile_money": "Mobile Money",
    "card": "Card",
    "ussd": "USSD",
    "bank_transfer": "Bank transfer",
}
# The order in which payers in Rwanda look for them.
_ORDER = tuple(PAYMENT_WORDS)


def pay(call: Call) -> Response:
    """Show a payment link: its form, or why it cannot be paid."""
    link = call.account.link(call.values["slug"])
    if link is None:
        return _nothing("There is no such payment link", "Check the address with the merchant.")
    logo = link.terms.get("logo_url")
    offered = _offered(link)
    return page(
        "pay",
        image=logo,
        link=link,
        terms=link.terms,
        logo=logo,
        is_whole=link.terms["currency"] in ZERO_DECIMAL_CURRENCIES,
        ended=_why_ended(call, link) or (None if offered else _NO_WAY_TO_PAY),
        payment_types=offered,
        encryption_key=call.account.credentials.encryption_key,
        test_cards=[(grouped(number), words) for number, words in card_stories()],
    )


def _why_ended(call: Call, link: Link) -> tuple[str, str] | None:
    """Show why a link cannot be paid; a payer who has begun still sees that payment."""
    payment = call.account.payment(call.query.get("payment", ""))
    if payment is not None and payment.link_id == link.id:
        return None
    return _ENDED.get(link_status(call.account, link))


def authorize(call: Call) -> Response:
    """Show the payer a pending payment to approve, or how it ended."""
    payment = call.account.payment(call.values["reference"])
    if payment is None or payment.dgs_reference != call.values["reference"]:
        return _nothing("There is no such payment", "Go back to the shop and try again.")
    return page(
        "authorize",
        payment=payment,
        encryption_key=call.account.credentials.encryption_key,
    )


def _offered(link: Link) -> list[tuple[str, str]]:
    types = link.terms["payment_types"]
    if link.terms["currency"] != "RWF":
        # Mobile money is in RWF only (guide, "Mobile Money API").
        types = [name for name in types if name != "mobile_money"]
    return [(name, PAYMENT_WORDS[name]) for name in _ORDER if name in types]


def _nothing(title: str, advice: str) -> Response:
    return page("nothing", status=HTTPStatus.NOT_FOUND, title=title, advice=advice)
