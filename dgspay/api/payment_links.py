"""Payment links: create, list, retrieve, update, archive."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Final, TypeVar, final

from dgspay.api.fields import optional_key, present, reads
from dgspay.api.pages import MAX_LIMIT, listing_of, page_of, rows_of
from dgspay.core.operation import Operation, Repeat
from dgspay.core.pagination import Listing
from dgspay.core.request_builder import check_segment
from dgspay.errors import DecodeError
from dgspay.models.enums import (
    AmountType,
    AmountTypeWord,
    PaymentMethod,
    PaymentMethodWord,
)
from dgspay.models.json_codec import JSONObject, dump_json, parse_json
from dgspay.models.payment_links import ArchivedLink, PaymentLink, PaymentLinkDetails
from dgspay.models.structuring import structure
from dgspay.models.validators import optional_text, optional_url, required_text, whole_number
from dgspay.money import AmountInput, Money, parse_currency

V = TypeVar("V")


@final
class Unset:
    """The type of `UNSET`: a field of an update that stays as it is."""

    def __repr__(self) -> str:
        return "UNSET"


UNSET: Final = Unset()

_read_page = page_of(rows_of(PaymentLink), rows_in=("data", "links"))


def create(
    *,
    title: str,
    amount_type: AmountType | AmountTypeWord,
    currency: str = "RWF",
    amount: AmountInput | None = None,
    min_amount: AmountInput | None = None,
    max_amount: AmountInput | None = None,
    payment_types: Iterable[PaymentMethod | PaymentMethodWord] | None = None,
    slug: str | None = None,
    description: str | None = None,
    redirect_url: str | None = None,
    max_uses: int | None = None,
    expires_at: datetime | None = None,
    collect_phone: bool | None = None,
    collect_name: bool | None = None,
    collect_address: bool | None = None,
    logo_url: str | None = None,
    metadata: Mapping[str, object] | None = None,
    idempotency_key: str | None = None,
) -> Operation[PaymentLink]:
    """Create a page a customer can pay on (guide, "Create a Payment Link").

    Args:
        title: Shown on the page.
        amount_type: `fixed`: you set `amount`. `flexible`: the payer chooses.
        currency: ISO 4217 code.
        amount: In `currency`; required when fixed, rejected when flexible.
        min_amount: Least the payer may choose; flexible only.
        max_amount: Most the payer may choose; flexible only.
        payment_types: `card`, `mobile_money`, `ussd`, `bank_transfer`; all when left out.
        slug: Last part of the URL; made by DGS-Pay when left out.
        description: Shown on the page.
        redirect_url: Where the payer goes after paying.
        max_uses: Successful payments it takes; without limit when left out.
        expires_at: Naive, in the API's own zone; aware only if the client has `api_timezone`.
        collect_phone: Ask the payer for a phone number; DGS-Pay's default is yes.
        collect_name: Ask for a name; default yes.
        collect_address: Ask for an address; default no.
        logo_url: Shown on the page.
        metadata: Your own JSON object.
        idempotency_key: Your own key for this link; the client makes one otherwise.

    Raises:
        ValueError, TypeError: an argument is wrong; nothing was sent.
    """
    kind = AmountType(required_text(amount_type, field="amount_type"))
    _check_amounts(kind, amount, min_amount, max_amount)
    fields = {
        "title": required_text(title, field="title"),
        "amount_type": kind.value,
        "amount": _money(amount, currency, "amount"),
        "min_amount": _money(min_amount, currency, "min_amount"),
        "max_amount": _money(max_amount, currency, "max_amount"),
        "currency": parse_currency(currency),
        "payment_types": _payment_types(payment_types),
        "slug": optional_text(slug, field="slug"),
        "description": optional_text(description, field="description"),
        "redirect_url": optional_url(redirect_url, field="redirect_url"),
        "max_uses": _max_uses(max_uses),
        "expires_at": _moment(expires_at),
        "collect_phone": _flag(collect_phone, "collect_phone"),
        "collect_name": _flag(collect_name, "collect_name"),
        "collect_address": _flag(collect_address, "collect_address"),
        "logo_url": optional_url(logo_url, field="logo_url"),
        "metadata": _metadata(metadata),
    }
    return Operation(
        method="POST",
        path="/payment-links",
        body=present(fields),
        read=_read_link,
        repeat=Repeat.CHARGE,
        idempotency_key=optional_key(idempotency_key),
    )


def list(  # noqa: A001 - the public name
    *, page: int = 1, limit: int = MAX_LIMIT, prefetch: int = 1
) -> Listing[PaymentLink]:
    """List the account's payment links (guide, "Payment Links").

    Args:
        page: Page to begin with, from 1.
        limit: Rows per page, at most 100.
        prefetch: Pages to fetch at once.
    """
    return listing_of(
        "/payment-links",
        _read_page,
        lambda link: link.id,
        page=page,
        limit=limit,
        prefetch=prefetch,
    )


def retrieve(id: str) -> Operation[PaymentLinkDetails]:  # noqa: A002 - the vendor's word
    """Look a link up, with its figures and latest charges (guide, "Get Link Details & Stats").

    Raises:
        NotFoundError: it does not exist, or belongs to another account.
    """
    return Operation(
        method="GET",
        path="/payment-links/{id}",
        path_values={"id": check_segment(id, field="id")},
        read=_read_details,
        repeat=Repeat.READ,
    )


def update(
    id: str,  # noqa: A002 - the vendor's word
    *,
    title: str | Unset = UNSET,
    amount: AmountInput | Unset = UNSET,
    min_amount: AmountInput | Unset | None = UNSET,
    max_amount: AmountInput | Unset | None = UNSET,
    currency: str | Unset = UNSET,
    payment_types: Iterable[PaymentMethod | PaymentMethodWord] | Unset = UNSET,
    slug: str | Unset = UNSET,
    description: str | Unset | None = UNSET,
    redirect_url: str | Unset | None = UNSET,
    max_uses: int | Unset | None = UNSET,
    expires_at: datetime | Unset | None = UNSET,
    collect_phone: bool | Unset = UNSET,
    collect_name: bool | Unset = UNSET,
    collect_address: bool | Unset = UNSET,
    logo_url: str | Unset | None = UNSET,
    metadata: Mapping[str, object] | Unset | None = UNSET,
    idempotency_key: str | None = None,
) -> Operation[PaymentLink]:
    """Change a link (guide, "Payment Links"). What is left out stays as it is.

    The fields are those of `create`; None takes a limit or an optional text away
    (`max_uses=None` means without limit). `currency` is also what amounts are checked
    against; without it they are taken to be RWF.

    Raises:
        ValueError, TypeError: an argument is wrong, or nothing was given to change.
        NotFoundError: it does not exist, or belongs to another account.
    """
    money_in = "RWF" if isinstance(currency, Unset) else currency
    body: dict[str, object] = {}

    def change(field: str, value: V | Unset, check: Callable[[V], object]) -> None:
        if not isinstance(value, Unset):
            body[field] = check(value)

    change("title", title, lambda v: required_text(v, field="title"))
    change("amount", amount, partial(Money.parse, currency=money_in))
    change("min_amount", min_amount, lambda v: _money(v, money_in, "min_amount"))
    change("max_amount", max_amount, lambda v: _money(v, money_in, "max_amount"))
    change("currency", currency, parse_currency)
    change("payment_types", payment_types, _payment_types)
    change("slug", slug, lambda v: required_text(v, field="slug"))
    change("description", description, lambda v: optional_text(v, field="description"))
    change("redirect_url", redirect_url, lambda v: optional_url(v, field="redirect_url"))
    change("max_uses", max_uses, _max_uses)
    change("expires_at", expires_at, _moment)
    change("collect_phone", collect_phone, lambda v: _flag(v, "collect_phone"))
    change("collect_name", collect_name, lambda v: _flag(v, "collect_name"))
    change("collect_address", collect_address, lambda v: _flag(v, "collect_address"))
    change("logo_url", logo_url, lambda v: optional_url(v, field="logo_url"))
    change("metadata", metadata, _metadata)
    if not body:
        raise ValueError("name at least one field to change")
    _check_order(body.get("min_amount"), body.get("max_amount"))
    return Operation(
        method="PATCH",
        path="/payment-links/{id}",
        path_values={"id": check_segment(id, field="id")},
        body=body,
        read=_read_link,
        repeat=Repeat.CHARGE,
        idempotency_key=optional_key(idempotency_key),
    )


def archive(
    id: str,  # noqa: A002 - the vendor's word
    *,
    idempotency_key: str | None = None,
) -> Operation[ArchivedLink]:
    """Archive a link; there is no way back (guide, "Archive (Delete) a Link").

    Raises:
        NotFoundError: it does not exist, or belongs to another account.
    """
    return Operation(
        method="DELETE",
        path="/payment-links/{id}",
        path_values={"id": check_segment(id, field="id")},
        read=reads(ArchivedLink),
        repeat=Repeat.CHARGE,
        idempotency_key=optional_key(idempotency_key),
    )


def _read_link(envelope: JSONObject) -> PaymentLink:
    for name in ("link", "data"):
        if isinstance(envelope.get(name), dict):
            return structure(envelope[name], PaymentLink)
    raise DecodeError("the answer holds no link", path="link")


def _read_details(envelope: JSONObject) -> PaymentLinkDetails:
    # `null` for the list is the vendor's way to say that there is nothing in it.
    known = {name: value for name, value in envelope.items() if value is not None}
    return structure(known, PaymentLinkDetails)


def _check_amounts(
    kind: AmountType,
    amount: AmountInput | None,
    min_amount: AmountInput | None,
    max_amount: AmountInput | None,
) -> None:
    match kind:
        case AmountType.FIXED if amount is None:
            raise ValueError("amount is required when amount_type is fixed")
        case AmountType.FIXED if min_amount is not None or max_amount is not None:
            raise ValueError("min_amount and max_amount are for amount_type flexible only")
        case AmountType.FLEXIBLE if amount is not None:
            raise ValueError("amount is for amount_type fixed only: the payer chooses")
        case AmountType.FIXED | AmountType.FLEXIBLE:
            pass
        case _:
            raise ValueError("amount_type must be fixed or flexible")
    _check_order(_money(min_amount, "RWF", "min_amount"), _money(max_amount, "RWF", "max_amount"))


def _check_order(least: object, most: object) -> None:
    if isinstance(least, Money) and isinstance(most, Money) and least.amount > most.amount:
        raise ValueError("min_amount must not be above max_amount")


def _money(value: AmountInput | None, currency: str, field: str) -> Money | None:
    return None if value is None else Money.parse(value, currency, field=field)


def _payment_types(
    value: Iterable[PaymentMethod | PaymentMethodWord] | None,
) -> Sequence[str] | None:
    if value is None:
        return None
    if isinstance(value, str):
        raise TypeError("payment_types must be a list such as ['card'], not a str")
    methods = [PaymentMethod(required_text(word, field="payment_types")) for word in value]
    if not methods or not all(method.is_known for method in methods):
        raise ValueError(f"payment_types must be some of {', '.join(PaymentMethod)}")
    return [method.value for method in methods]


def _max_uses(value: int | None) -> int | None:
    return None if value is None else whole_number(value, field="max_uses")


def _moment(value: datetime | None) -> datetime | None:
    if value is not None and not isinstance(value, datetime):
        raise TypeError(f"expires_at must be a datetime, not {type(value).__name__}")
    return value


def _flag(value: object, field: str) -> bool | None:
    if value is not None and not isinstance(value, bool):
        raise TypeError(f"{field} must be True or False, not {type(value).__name__}")
    return value


def _metadata(value: Mapping[str, object] | None) -> Mapping[str, object] | None:
    if value is None:
        return None
    if not isinstance(value, Mapping):
        raise TypeError(f"metadata must be a mapping, not {type(value).__name__}")
    try:
        # The API returns it: what cannot be read again would spoil every answer it is in.
        parse_json(dump_json(value))
    except (TypeError, ValueError, DecodeError) as error:
        reason = str(error)
    except RecursionError:
        reason = "it is nested too deeply, or holds itself"
    else:
        return value
    raise ValueError(f"metadata cannot be written as JSON: {reason}")
