"""`/payment-links`: create, list, show, change and archive (guide, "Payment Links")."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from dgspay.emulator.api.call import Call
from dgspay.emulator.api.transactions import page_of, payment_word
from dgspay.emulator.clock import api_text
from dgspay.emulator.domain.payment_links import (
    SLUG,
    link_fields,
    read_slug,
    read_terms,
    require_whole_coins,
    slug_of,
    terms_as_given,
)
from dgspay.emulator.domain.records import Link, Payment
from dgspay.emulator.http import invalid, not_found
from dgspay.models.enums import PaymentStatus

_RECENT = 10


def create(call: Call) -> Mapping[str, Any]:
    """Make a link."""
    account = call.account
    terms = read_terms(call.fields)
    require_whole_coins(terms)
    slug = read_slug(account, call.fields) or slug_of(account, terms["title"])
    link = Link(account.identifiers.uuid(), slug, terms, account.clock.time())
    account.add_link(link)
    call.record(link.id)
    return _shown(call, link, "Payment link created")


def index(call: Call) -> Mapping[str, Any]:
    """List links, newest first, archived ones too."""
    links = list(call.account.links.values())
    return page_of(call, links, lambda link: link_fields(call.account, link))


def retrieve(call: Call) -> Mapping[str, Any]:
    """Show a link with its statistics and latest charges."""
    link = _link(call)
    return {
        "status": "success",
        "link": link_fields(call.account, link),
        "stats": _stats(link),
        "recent_charges": [_recent(payment) for payment in reversed(link.payments[-_RECENT:])],
    }


def update(call: Call) -> Mapping[str, Any]:
    """Change some fields of a link; the result must be a link that could be created."""
    link = _link(call)
    if link.archived:
        raise invalid("the payment link is archived, which is irreversible")
    terms = read_terms(call.fields.over(terms_as_given(link.terms)))
    require_whole_coins(terms)
    keeps_slug = call.fields[SLUG] in (None, link.slug)
    slug = None if keeps_slug else read_slug(call.account, call.fields)
    link.terms = terms
    if slug is not None:
        call.account.rename_link(link, slug)
    call.account.touch("link", link.id, link)
    call.record(link.id)
    return _shown(call, link, "Payment link updated")


def archive(call: Call) -> Mapping[str, Any]:
    """Archive a link for good."""
    link = _link(call)
    if link.archived:
        raise invalid("the payment link is archived already")
    link.archived = True
    call.account.touch("link", link.id, link)
    call.record(link.id)
    return {"status": "success", "message": "Payment link archived"}


def _link(call: Call) -> Link:
    link = call.account.links.get(call.values["id"])
    if link is None:
        raise not_found("payment link")
    return link


def _shown(call: Call, link: Link, message: str) -> Mapping[str, Any]:
    return {"status": "success", "message": message, "link": link_fields(call.account, link)}


def _stats(link: Link) -> dict[str, Any]:
    collected = sum(
        (p.amount for p in link.payments if p.status is PaymentStatus.SUCCESSFUL), Decimal(0)
    )
    return {
        "total_charges": len(link.payments),
        "successful_charges": link.used,
        "pending_charges": link.held,
        "failed_charges": len(link.payments) - link.used - link.held,
        "total_collected": collected,
        "currency": link.terms["currency"],
    }


def _recent(payment: Payment) -> dict[str, Any]:
    return {
        "id": payment.id,
        # Text with two places here and nowhere else, as in the guide's example.
        "amount": f"{payment.amount:.2f}",
        "currency": payment.currency,
        "status": payment_word(payment),
        "created_at": api_text(payment.created_at),
    }
