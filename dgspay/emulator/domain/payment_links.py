"""Payment links: their terms, when they can be paid, and their payments."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

import attrs

from dgspay.emulator.api import schema
from dgspay.emulator.api.fields import Fields, Form
from dgspay.emulator.clock import api_text
from dgspay.emulator.domain.account import Account
from dgspay.emulator.domain.records import Link, Payer, Payment
from dgspay.emulator.domain.settlement import settle_payment
from dgspay.emulator.http import invalid
from dgspay.models.enums import LinkStatus, PaymentMethod
from dgspay.money import AmountInput, minor_unit_digits, parse_amount

PAY_PATH: Final = "/generation/pay"
PAYMENT_TYPES: Final = ("card", "mobile_money", "ussd", "bank_transfer")

_LONGEST_SLUG = 80
_ANY_PAYER: Final = Payer("payer@example.com", "Test", "Payer", "788000000", "250")

AMOUNT_TYPE: Final = schema.choice("amount_type", ("fixed", "flexible"), "fixed")
TITLE: Final = schema.text("title", longest=200, example="Invoice #123")
AMOUNT: Final = schema.amount("amount", 50000)
MIN_AMOUNT: Final = schema.optional(schema.amount("min_amount", 500))
MAX_AMOUNT: Final = schema.optional(schema.amount("max_amount", 20000))
NOT_OF_FLEXIBLE: Final = (schema.absent("amount", "amount is for fixed links only"),)
NOT_OF_FIXED: Final = tuple(
    schema.absent(name, "min_amount and max_amount are for flexible links only")
    for name in ("min_amount", "max_amount")
)
CURRENCY: Final = schema.currency("currency")
PAYMENT_TYPES_FIELD: Final = schema.optional(
    schema.words("payment_types", PAYMENT_TYPES, ["card", "mobile_money"])
)
MAX_USES: Final = schema.optional(schema.count("max_uses"))
EXPIRES_AT: Final = schema.optional(schema.moment("expires_at"))
EXTRAS: Final = (
    schema.optional(schema.text("description")),
    schema.optional(schema.url("redirect_url")),
    schema.optional(schema.flag("collect_phone")),
    schema.optional(schema.flag("collect_name")),
    schema.optional(schema.flag("collect_address")),
    schema.optional(schema.url("logo_url")),
    schema.optional(schema.any_object("metadata")),
)
SLUG: Final = attrs.evolve(
    schema.optional(
        schema.matching("slug", r"[a-z0-9]+(-[a-z0-9]+)*", "invoice-123", longest=_LONGEST_SLUG)
    ),
    example=None,  # it would be taken the second time
)
_SHARED: Final = (CURRENCY, PAYMENT_TYPES_FIELD, MAX_USES, EXPIRES_AT, *EXTRAS, SLUG)
FORMS: Final = tuple(
    Form(word, (schema.only(AMOUNT_TYPE, word), TITLE, *amounts, *_SHARED))
    for word, amounts in (
        ("fixed", (AMOUNT, *NOT_OF_FIXED)),
        ("flexible", (MIN_AMOUNT, MAX_AMOUNT, *NOT_OF_FLEXIBLE)),
    )
)
UPDATE_FORMS: Final = (
    Form(
        "update",
        (AMOUNT_TYPE, TITLE, schema.optional(AMOUNT), MIN_AMOUNT, MAX_AMOUNT, *_SHARED),
        {"title": "Invoice #124"},
        partial=True,
    ),
)


class LinkNotPayableError(Exception):
    """A payment link cannot be paid: expired, archived, used up, or not with this amount."""


class LinkTakenError(LinkNotPayableError):
    """The last use of a link is held by a payment that is under way."""


def read_terms(fields: Fields) -> dict[str, Any]:
    """Check the fields of a link (guide, "Create a Payment Link").

    Those of the guide's example answer always stand in the result, the others when given.
    """
    amount_type = fields[AMOUNT_TYPE]
    terms: dict[str, Any] = {
        "title": fields[TITLE],
        "amount_type": amount_type,
        **_amounts(fields, amount_type),
        "currency": fields[CURRENCY],
        "payment_types": fields[PAYMENT_TYPES_FIELD] or PAYMENT_TYPES,
        "max_uses": fields[MAX_USES],
        "expires_at": fields[EXPIRES_AT],
    }
    extras = {field.name: fields[field] for field in EXTRAS}
    return terms | {name: value for name, value in extras.items() if value is not None}


def terms_as_given(terms: Mapping[str, Any]) -> dict[str, Any]:
    """Return a link's terms in the form in which `read_terms` takes them."""
    given = {**terms, "payment_types": list(terms["payment_types"])}
    if given["expires_at"] is not None:
        given["expires_at"] = api_text(given["expires_at"])
    return given


def _amounts(fields: Fields, amount_type: str) -> dict[str, Decimal | None]:
    for field in NOT_OF_FIXED if amount_type == "fixed" else NOT_OF_FLEXIBLE:
        _ = fields[field]
    if amount_type == "fixed":
        return {"amount": fields[AMOUNT]}
    lowest, highest = fields[MIN_AMOUNT], fields[MAX_AMOUNT]
    if lowest is not None and highest is not None and lowest > highest:
        raise invalid("min_amount must not be over max_amount")
    limits = {"min_amount": lowest, "max_amount": highest}
    given = {name: limit for name, limit in limits.items() if limit is not None}
    return {"amount": None, **given}


def read_slug(account: Account, fields: Fields) -> str | None:
    """Return the custom slug that was asked for, when it is well formed and free."""
    slug = fields[SLUG]
    if slug is not None and account.is_taken(slug):
        raise invalid("slug is taken")
    return slug


def slug_of(account: Account, title: str) -> str:
    """Make a free slug from a title: `invoice-123` from `Invoice #123`."""
    base = re.sub(r"[^a-z0-9]+", "-", title.lower())[:_LONGEST_SLUG].strip("-") or "link"
    slug = base
    while account.is_taken(slug):
        slug = f"{base}-{account.identifiers.token(6).lower()}"
    return slug


def link_status(account: Account, link: Link) -> LinkStatus:
    """Return the status of a link. The guide shows `active` only, the others are assumed."""
    if link.archived:
        return LinkStatus.ARCHIVED
    if link.terms["max_uses"] is not None and link.used >= link.terms["max_uses"]:
        return LinkStatus.COMPLETED
    if link.terms["expires_at"] is not None and account.clock.time() >= link.terms["expires_at"]:
        return LinkStatus.EXPIRED
    return LinkStatus.ACTIVE


def link_fields(account: Account, link: Link) -> dict[str, Any]:
    """Show a link as the guide's create answer does."""
    terms = dict(link.terms)
    max_uses, expires_at = terms.pop("max_uses"), terms.pop("expires_at")
    return {
        "id": link.id,
        "slug": link.slug,
        "url": f"{account.origin}{PAY_PATH}/{link.slug}",
        **terms,
        "use_count": link.used,
        "max_uses": max_uses,
        "status": link_status(account, link),
        "expires_at": None if expires_at is None else api_text(expires_at),
        "created_at": api_text(link.created_at),
    }


def require_whole_coins(terms: Mapping[str, Any]) -> None:
    """Reject terms with an amount that the currency has no coin for.

    Raises:
        RefusedError: 90, naming the field.
    """
    for name in ("amount", "min_amount", "max_amount"):
        amount = terms.get(name)
        if amount is not None and not is_whole_coins(amount, terms["currency"]):
            raise invalid(f"{name} is finer than the smallest coin of {terms['currency']}")


def is_whole_coins(amount: Decimal, currency: str) -> bool:
    """Return whether an amount can be paid in coins of a currency."""
    return amount == round(amount, minor_unit_digits(currency))


def new_payment(
    account: Account,
    link: Link,
    method: PaymentMethod,
    amount: AmountInput | None = None,
    payer: Payer = _ANY_PAYER,
    *,
    instead_of: Payment | None = None,
) -> Payment:
    """Make a payment through a link, which counts from `begin` on.

    Args:
        account: The merchant.
        link: What is paid.
        method: How.
        amount: What the payer of a flexible link has chosen.
        payer: Who pays.
        instead_of: A pending payment whose use of the link this one takes.

    Raises:
        LinkNotPayableError: when the link cannot be paid, or not with this amount or method.
    """
    status = link_status(account, link)
    if status is not LinkStatus.ACTIVE:
        raise LinkNotPayableError(f"this payment link is {status}")
    held = link.held - (instead_of is not None)
    if link.terms["max_uses"] is not None and link.used + held >= link.terms["max_uses"]:
        raise LinkTakenError("the link's last use is taken by a payment in progress")
    if method not in link.terms["payment_types"]:
        raise LinkNotPayableError(f"this payment link does not take {method}")
    return Payment(
        id=account.identifiers.uuid(),
        dgs_reference=f"dgs_{account.new_number('dgs_')}",
        flw_reference=f"flw_{account.new_number('flw_')}",
        method=method,
        amount=_amount_to_pay(link, amount),
        currency=link.terms["currency"],
        payer=payer,
        created_at=account.clock.time(),
        redirect_url=link.terms.get("redirect_url"),
        link_id=link.id,
    )


def begin(account: Account, link: Link, payment: Payment) -> None:
    """Remember a payment; it holds one of the link's uses while it is pending."""
    account.add_payment(payment)
    link.add(payment)
    link.held += 1
    account.touch("link", link.id, link)


def pay(account: Account, link: Link, amount: AmountInput | None = None) -> Payment:
    """Pay a link at once and successfully, as a payer with money would.

    Raises:
        LinkNotPayableError: when the link cannot be paid, or not with this amount.
    """
    method = PaymentMethod(link.terms["payment_types"][0])
    payment = new_payment(account, link, method, amount)
    begin(account, link, payment)
    settle_payment(account, payment)
    return payment


def _amount_to_pay(link: Link, amount: AmountInput | None) -> Decimal:
    terms = link.terms
    if terms["amount_type"] == "fixed":
        if amount is not None and parse_amount(amount) != terms["amount"]:
            raise LinkNotPayableError("the amount of this payment link is fixed")
        fixed: Decimal = terms["amount"]
        return fixed
    if amount is None:
        raise LinkNotPayableError("the payer of a flexible link must name an amount")
    chosen = parse_amount(amount)
    if chosen < terms.get("min_amount", chosen) or chosen > terms.get("max_amount", chosen):
        raise LinkNotPayableError("the amount is not within the limits of this payment link")
    if not is_whole_coins(chosen, terms["currency"]):
        raise LinkNotPayableError(
            f"the amount is finer than the smallest coin of {terms['currency']}"
        )
    return chosen
