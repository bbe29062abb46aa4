"""Requests of a payer's page: what it may ask for its order, answered in JSON for any framework.

A page shows the order's id and token in two headers, which no other site can set, and gets codes,
never sentences: the words are the page's own. Addresses are relative to where the routes of the
checkout are mounted:

    GET  order                 how the order stands, at once
    GET  order/changes         the same, once it differs from `?after=` or the wait is over
    POST order/mobile-money    {"phone", "network", "instead_of"?}
    POST order/card            the fields of `EncryptedCard`, {"instead_of"?}
    POST order/pin             the fields of `EncryptedPin`, {"attempt", "step"}
    POST order/otp             {"otp", "attempt", "step"}
    POST order/address         {"line1", "country", …, "attempt", "step"}
    POST order/cancel          {}
    GET  return/…              the page that a payer comes back to, in HTML: see `return_page`
"""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import attrs

from dgspay import BillingAddress, EncryptedCard, EncryptedPin, errors
from dgspay.browser import CHECKOUT_NAMES
from dgspay.checkout import attempts, opening
from dgspay.checkout.errors import (
    OrderClosedError,
    OrdersError,
    StepOverError,
    TooManyAttemptsError,
    UnknownOrderError,
)
from dgspay.checkout.evidence import DECLINED, action_to_json
from dgspay.checkout.flow import Flow, sleep
from dgspay.checkout.order import ApprovalRequired, Attempt, AttemptState, Order, StepUnknown
from dgspay.checkout.return_page import HEADERS as HTML_HEADERS
from dgspay.checkout.return_page import NOT_FOUND, UNAVAILABLE, is_return, return_page
from dgspay.checkout.shop import Shop
from dgspay.models.json_codec import JSONObject, dump_json, parse_json

logger = logging.getLogger("dgspay.checkout")

ORDER_HEADER = "DGSPay-Order"
TOKEN_HEADER = "DGSPay-Page-Token"  # noqa: S105 - a header's name

MAX_BODY = 64 * 1024
"""Bytes; a longer body is answered 413."""

_LONGEST_WAIT = 25.0
_PAUSE = 0.5
_HEADERS = {
    "Content-Type": "application/json",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
}
_CODE = re.compile(r"[A-Za-z0-9_.:-]{1,40}", re.ASCII)
_FOREIGN_SITES = ("cross-site", "same-site")

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
"""What a framework passes on, so that each path names the methods that it takes."""


@attrs.frozen
class PageRequest:
    """A request of a page, from any framework.

    Attributes:
        method: `GET` or `POST`.
        path: Relative to where the routes are mounted, such as `order/pin`.
        query: The query, as it came.
        headers: Its headers; names in any case.
        body: At most one byte more than `MAX_BODY`.
        client_address: The payer's address on the network.
    """

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = attrs.field(factory=dict, repr=False)
    body: bytes = attrs.field(default=b"", repr=False)
    client_address: str | None = None


@attrs.frozen
class PageResponse:
    """An answer to a page, for any framework.

    Attributes:
        status: The HTTP status.
        body: JSON, or HTML.
        headers: The headers to send.
    """

    status: int
    body: bytes
    headers: Mapping[str, str] = attrs.field(factory=lambda: dict(_HEADERS))

    @classmethod
    def of(cls, status: int, content: JSONObject, **headers: str) -> PageResponse:
        """Return an answer with this content."""
        more = {name.replace("_", "-"): text for name, text in headers.items()}
        return cls(status, dump_json(content), {**_HEADERS, **more})


def respond(shop: Shop, request: PageRequest) -> Flow[PageResponse]:
    """Answer a request of a payer's page. It raises nothing that a page could cause."""
    if request.method == "GET" and is_return(request.path):
        return (yield from _return_page(shop, request.path))
    headers = {name.lower(): text for name, text in request.headers.items()}
    refusal = _refusal(shop, request, headers)
    if refusal is not None:
        return refusal
    order_id = unquote(headers.get(ORDER_HEADER.lower(), ""))
    try:
        order = yield from opening.order_of_page(shop, order_id, headers.get(TOKEN_HEADER.lower()))
        if request.method == "GET":
            if request.path == "order/changes":
                order = yield from _changed(shop, order, request.query)
            return PageResponse.of(200, shown(shop, order))
        posted = parse_json(request.body or b"{}")
        if type(posted) is not dict:
            return _error(400, "not_an_object")
        begun = _ACTIONS[request.path](shop, order, posted, request)
        del posted  # as in `_otp`
        order = yield from begun
    except (errors.DGSPayError, ValueError, TypeError) as error:
        return _failure(error)
    return PageResponse.of(200, shown(shop, order))


def _return_page(shop: Shop, path: str) -> Flow[PageResponse]:
    try:
        page = yield from return_page(shop, path)
    except OrdersError as error:
        logger.error(  # noqa: TRY400 - it says what failed
            "a payer came back, and could not be shown the order: %s", error
        )
        return PageResponse(503, UNAVAILABLE.encode(), {**HTML_HEADERS, "Retry-After": "5"})
    if page is None:
        return PageResponse(404, NOT_FOUND.encode(), HTML_HEADERS)
    return PageResponse(200, page.encode(), HTML_HEADERS)


def _failure(error: Exception) -> PageResponse:
    """Return the code of what went wrong; what it says is for the shop's log alone."""
    match error:
        case UnknownOrderError():
            status, code = 404, "unknown_order"
        case OrderClosedError():
            status, code = 409, "order_closed"
        case StepOverError():
            status, code = 409, "step_over"
        case TooManyAttemptsError(retry_after=None):
            status, code = 429, "too_many_attempts"
        case TooManyAttemptsError(retry_after=wait):
            return _error(429, "too_many_attempts", Retry_After=f"{wait:.0f}")
        case OrdersError():
            logger.error("nothing was sent for a page: %s", error)
            return _error(503, "unavailable", Retry_After="5")
        case errors.DecodeError():
            status, code = 400, "not_json"
        case errors.DGSPayError():
            # The shop's key or settings: the payer can do nothing about it.
            logger.error("what the shop sent for a page was rejected: %s", error)
            status, code = 502, "shop_fault"
        case _:
            return _invalid(error)
    return _error(status, code)


def _refusal(shop: Shop, request: PageRequest, headers: Mapping[str, str]) -> PageResponse | None:
    """Return why a request is not even looked at, or None; names of headers are in lower case."""
    allowed = _allowed(request.path)
    if allowed is None:
        return _error(404, "unknown_path")
    if request.method != allowed or request.path not in _PAGE_PATHS:
        return _error(405, "method_not_allowed", Allow=allowed)
    if len(request.body) > MAX_BODY:
        return _error(413, "too_large")
    if headers.get("sec-fetch-site") in _FOREIGN_SITES:
        return _error(403, "cross_site")
    origin = headers.get("origin")
    if origin is not None:
        own = {headers.get("host"), urlsplit(shop.base or "").netloc}
        if _host_of(origin) not in own - {None, ""}:
            return _error(403, "cross_site")
    return None


def _allowed(path: str) -> str | None:
    """Return the methods that a path of the checkout takes, or None where there is no such path.

    A framework has routes of their own for webhooks and modules: what comes here is of another
    method.
    """
    if path in CHECKOUT_NAMES:
        return "GET, HEAD"
    if path in _ACTIONS or path.partition("/")[0] == "webhooks":
        return "POST"
    return "GET" if path in _PAGE_PATHS or is_return(path) else None


def _host_of(origin: str) -> str | None:
    try:
        return urlsplit(origin).netloc
    except ValueError:  # it is no address
        return None


def _error(status: int, code: str, **headers: str) -> PageResponse:
    return PageResponse.of(status, {"error": code}, **headers)


def _invalid(error: Exception) -> PageResponse:
    """Name the field that is wrong, which our own messages begin with; never what it holds."""
    field = str(error).partition(" ")[0].rpartition(".")[2]
    is_field = field.isidentifier() and field in _FIELDS
    content: JSONObject = {"error": "invalid", "field": field if is_field else None}
    return PageResponse.of(422, content)


_FIELDS = frozenset(
    {
        "phone",
        "network",
        "otp",
        "line1",
        "line2",
        "city",
        "state",
        "country",
        "postal_code",
        "card_encrypted_number",
        "card_encrypted_expiry_month",
        "card_encrypted_expiry_year",
        "card_encrypted_cvv",
        "card_nonce",
        "auth_pin_encrypted",
        "auth_pin_nonce",
    }
)


# --- what a page is shown -----------------------------------------------------------------


def shown(shop: Shop, order: Order) -> JSONObject:
    """Return what a payer's page is shown of an order: no secret, and nothing of other orders."""
    content: JSONObject = {
        "order": {
            "id": order.id,
            "amount": f"{order.amount:f}",
            "currency": order.currency,
            "description": order.description,
            "state": order.state.value,
            "expires_at": order.expires_at,
            "paid_at": order.paid_at,
            "payer": f"{order.customer.first_name} {order.customer.last_name}",
        },
        "merchant": shop.merchant_name,
        "methods": _methods(shop, order),
        "encryption_key": shop.encryption_key,
        "attempt": None if order.attempt is None else _attempt(order.attempt),
        "next_action": _action(order),
    }
    digest = hashlib.sha256(dump_json(content)).hexdigest()
    return {**content, "version": digest[:16]}


def _methods(shop: Shop, order: Order) -> list[str]:
    is_rwf = order.currency == "RWF"
    methods = ["mobile_money"] if is_rwf else []
    return methods if shop.encryption_key is None else [*methods, "card"]


def _attempt(attempt: Attempt) -> JSONObject:
    return {
        "number": attempt.number,
        "method": attempt.method.value,
        "state": attempt.state.value.replace(" ", "_"),
        "step": attempt.step,
        "reason": _reason(attempt),
        "reference": attempt.dgs_reference,
        "network": attempt.network,
        "phone": None if attempt.phone is None else f"…{attempt.phone[-3:]}",
        "is_under_way": attempt.is_under_way,
        "asked_at": attempt.asked_at,
        "stale_at": attempt.stale_at,
    }


def _reason(attempt: Attempt) -> str | None:
    """Return why it failed as a code: what DGS-Pay says in words may be meant for the shop."""
    if attempt.state is AttemptState.PAID:
        return None
    if attempt.reason is None or _CODE.fullmatch(attempt.reason):
        return attempt.reason
    return DECLINED


def _action(order: Order) -> JSONObject | None:
    action = order.next_action
    if isinstance(action, ApprovalRequired):
        return {"type": "approval", "until": action.until}
    if isinstance(action, StepUnknown):
        return {"type": "wait", "until": action.until}
    found = action_to_json(action)
    return None if found is None else dict(found)


# --- what a page may do -------------------------------------------------------------------


def _changed(shop: Shop, order: Order, query: str) -> Flow[Order]:
    """Wait until the order differs from what the page knows, or the wait is over."""
    asked = parse_qs(query)
    known = asked.get("after", [""])[0]
    try:
        wait = min(float(asked.get("wait", ["25"])[0]), _LONGEST_WAIT)
    except ValueError:
        wait = 0.0
    waited = 0.0
    while shown(shop, order)["version"] == known and waited < wait:
        order = yield from attempts.look_up_if_due(shop, order)
        if shown(shop, order)["version"] != known:
            break
        yield from sleep(_PAUSE)
        waited += _PAUSE
        order = yield from opening.order(shop, order.id)
    return order


def _mobile_money(
    shop: Shop, order: Order, posted: JSONObject, request: PageRequest
) -> Flow[Order]:
    return (
        yield from attempts.pay_by_mobile_money(
            shop,
            order.id,
            phone=_text(posted, "phone"),
            network=_text(posted, "network"),
            instead_of=_number(posted, "instead_of"),
            client_address=request.client_address,
        )
    )


def _card(shop: Shop, order: Order, posted: JSONObject, request: PageRequest) -> Flow[Order]:
    instead_of = _number(posted, "instead_of")
    card = EncryptedCard.from_mapping({k: v for k, v in posted.items() if k != "instead_of"})
    return (
        yield from attempts.pay_by_card(
            shop,
            order.id,
            card,
            instead_of=instead_of,
            client_address=request.client_address,
        )
    )


def _pin(shop: Shop, order: Order, posted: JSONObject, request: PageRequest) -> Flow[Order]:
    pin = EncryptedPin.from_mapping(_without_step(posted))
    return (yield from attempts.submit_pin(shop, order.id, pin, **_step(posted)))


def _otp(shop: Shop, order: Order, posted: JSONObject, request: PageRequest) -> Flow[Order]:
    begun = attempts.submit_otp(shop, order.id, _text(posted, "otp"), **_step(posted))
    # A traceback that shows local variables must not show the code.
    del posted
    return (yield from begun)


def _address(shop: Shop, order: Order, posted: JSONObject, request: PageRequest) -> Flow[Order]:
    given = {
        field.name: _text(posted, field.name)
        for field in attrs.fields(BillingAddress)
        if posted.get(field.name)
    }
    for name in ("line1", "country"):
        if name not in given:
            raise ValueError(f"{name} is missing")
    address = BillingAddress(**given)
    return (yield from attempts.submit_address(shop, order.id, address, **_step(posted)))


def _cancel(shop: Shop, order: Order, posted: JSONObject, request: PageRequest) -> Flow[Order]:
    return (yield from opening.cancel(shop, order.id))


_Act = Callable[[Shop, Order, JSONObject, PageRequest], Flow[Order]]
_ACTIONS: dict[str, _Act] = {
    "order/mobile-money": _mobile_money,
    "order/card": _card,
    "order/pin": _pin,
    "order/otp": _otp,
    "order/address": _address,
    "order/cancel": _cancel,
}


_PAGE_PATHS = frozenset({"order", "order/changes", *_ACTIONS})


def _text(posted: JSONObject, name: str) -> str:
    value = posted.get(name)
    if not isinstance(value, str):
        raise TypeError(f"{name} must be text")
    return value


def _number(posted: JSONObject, name: str) -> int | None:
    value = posted.get(name)
    if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
        raise TypeError(f"{name} must be a whole number")
    return value


def _step(posted: JSONObject) -> dict[str, Any]:
    """Return the step that the page has seen: what it submits is for no other."""
    found = {name: _number(posted, name) for name in ("attempt", "step")}
    for name, number in found.items():
        if number is None:
            raise ValueError(f"{name} is missing")
    return found


def _without_step(posted: JSONObject) -> JSONObject:
    return {name: value for name, value in posted.items() if name not in ("attempt", "step")}
