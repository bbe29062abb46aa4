"""The pages a payer's browser opens: where a redirect leads, and a payment link."""

from __future__ import annotations

from html import escape

from dgspay.emulator.calls import Call
from dgspay.emulator.exchange import Answer, not_found
from dgspay.emulator.links import link_fields
from dgspay.emulator.settlement import settle_payment

_HEADERS = (
    ("content-type", "text/html; charset=utf-8"),
    ("content-security-policy", "default-src 'none'; style-src 'unsafe-inline'"),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
)


def authorize(call: Call) -> Answer:
    """Approve the pending payment whose redirect URL was opened, and say how it ended."""
    payment = call.account.payment(call.values["reference"])
    if payment is None:
        raise not_found("transaction")
    if not payment.awaits:
        settle_payment(call.account, payment)
    lines = [f"Payment of {payment.amount:f} {payment.currency}: {payment.status}."]
    back = ""
    if payment.redirect_url is not None:
        back = f'<p><a href="{escape(payment.redirect_url)}">Back to the shop</a></p>'
    return _page(payment.dgs_reference, lines, back)


def pay(call: Call) -> Answer:
    """Show a payment link. It is paid with `Emulator.pay_link`."""
    link = call.account.link(call.values["slug"])
    if link is None:
        raise not_found("payment link")
    shown = link_fields(call.account, link)
    lines = [str(shown.get("description") or ""), f"This payment link is {shown['status']}."]
    return _page(shown["title"], lines)


def _page(title: str, lines: list[str], extra: str = "") -> Answer:
    """Build a page; titles and texts are words, never markup."""
    paragraphs = "".join(f"<p>{escape(line)}</p>" for line in lines if line)
    html = (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{escape(title)}</title><h1>{escape(title)}</h1>{paragraphs}{extra}"
        "<p>This is the DGS-Pay emulator: no money moves.</p></html>"
    )
    return Answer(200, html.encode(), _HEADERS)
