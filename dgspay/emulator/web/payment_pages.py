"""The pages a payer's browser opens: a payment link, and where a redirect leads."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from dgspay.emulator.api.call import Call
from dgspay.emulator.api.card_charges import OTP, PIN, card_stories, grouped
from dgspay.emulator.http import Response
from dgspay.emulator.web.rendering import page

_LANGUAGES: Final = ("en", "fr", "rw", "sw")
PAYMENT_WORDS: Final = {
    "mobile_money": "Mobile Money",
    "card": "Card",
    "ussd": "USSD",
    "bank_transfer": "Bank transfer",
}


def pay(call: Call) -> Response:
    """Show the page of a payment link, on which the checkout says how it stands."""
    link = call.account.link(call.values["slug"])
    if link is None:
        return _nothing("There is no such payment link", "Check the address with the merchant.")
    return page(
        "pay",
        lang=_language(call.headers.get("accept-language", "")),
        image=link.terms.get("logo_url"),
        link=link,
        terms=link.terms,
        initial=link.terms["title"].strip()[:1].upper(),
        test_cards=[(grouped(number), words) for number, words in card_stories()],
        pin=PIN,
        otp=OTP,
    )


def authorize(call: Call) -> Response:
    """Show the simulated handset: a pending payment to approve, or how it ended."""
    payment = call.account.payment(call.values["reference"])
    if payment is None or payment.dgs_reference != call.values["reference"]:
        return _nothing("There is no such payment", "Go back to the shop and try again.")
    link = call.account.links.get(payment.link_id or "")
    what = payment.narration or (link.terms["title"] if link else "DGS-Pay test merchant")
    return page("authorize", payment=payment, what=what)


def _language(accepted: str) -> str:
    """Return the payer's first language that the checkout speaks; English if it speaks none."""
    asked = (
        part.partition(";")[0].strip().partition("-")[0].lower() for part in accepted.split(",")
    )
    return next((language for language in asked if language in _LANGUAGES), "en")


def _nothing(title: str, advice: str) -> Response:
    return page("nothing", status=HTTPStatus.NOT_FOUND, title=title, advice=advice)
