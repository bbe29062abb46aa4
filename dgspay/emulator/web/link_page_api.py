"""Interface of a payment link's page, which mounts the checkout: the requests of an order's page.

What one payer does on a link is an order of its own, known by a token that the page has drawn.
Paths and answers are those that `dgspay.checkout.pages` describes, with what a link adds: an amount
that the payer chooses, what the link asks the payer for, and two more ways to pay. Answers carry
codes, never sentences.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, Final

from dgspay.emulator.api import card_charges, mobile_money_charges
from dgspay.emulator.api.authorize import take_step
from dgspay.emulator.api.call import Call
from dgspay.emulator.domain.link_payers import CANCELLED, LinkPayer, stale_at
from dgspay.emulator.domain.payment_links import (
    LinkNotPayableError,
    LinkTakenError,
    begin,
    link_status,
    new_payment,
)
from dgspay.emulator.domain.records import Payer, Payment
from dgspay.emulator.domain.settlement import decline_payment
from dgspay.emulator.http import RefusedError, Response
from dgspay.models.enums import LinkStatus, PaymentMethod, PaymentStatus
from dgspay.models.json_codec import JSONObject, dump_json
from dgspay.models.phones import mobile_local
from dgspay.money import parse_amount

TOKEN_HEADER: Final = "dgspay-page-token"  # noqa: S105 - a header's name

_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{16,100}", re.ASCII)
# Calling codes (ITU-T E.164) have one digit, two, or else three.
_INTERNATIONAL: Final = re.compile(
    r"(?:\+|00)(1|7|2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58]|[0-9]{3})([0-9]{4,12})",
    re.ASCII,
)
_LONGEST_NUMBER: Final = 40
_LONGEST_NAME: Final = 200
_LONGEST_ADDRESS: Final = 400
# The order in which payers in Rwanda look for them.
_METHODS: Final = (
    PaymentMethod.MOBILE_MONEY,
    PaymentMethod.CARD,
    PaymentMethod.USSD,
    PaymentMethod.BANK_TRANSFER,
)
# Whether a link asks for it where its terms say nothing (guide, "Create a Payment Link").
_ASKED: Final = {"name": True, "phone": True, "address": False}
_ENDED: Final[Mapping[LinkStatus, str]] = {
    LinkStatus.ARCHIVED: "link_closed",
    LinkStatus.COMPLETED: "link_paid",
    LinkStatus.EXPIRED: "link_expired",
}
_ORDER_STATES: Final[Mapping[PaymentStatus, str]] = {
    PaymentStatus.PENDING: "paying",
    PaymentStatus.SUCCESSFUL: "paid",
    PaymentStatus.FAILED: "open",
}
_ATTEMPT_STATES: Final[Mapping[PaymentStatus, str]] = {
    PaymentStatus.PENDING: "pending",
    PaymentStatus.SUCCESSFUL: "paid",
    PaymentStatus.FAILED: "failed",
}
# The page's names of fields that are checked as the API checks them.
_FIELDS: Final[Mapping[str, str]] = {
    "mobile_money_network": "network",
    "auth_otp": "otp",
    "avs_line1": "line1",
    "avs_country": "country",
}


class _PageError(Exception):
    """A rejection for the page, by its code; nothing was done."""

    def __init__(self, status: HTTPStatus, code: str, field: str | None = None) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.field = field


def show(call: Call) -> Response:
    """Return how the order of a page stands."""
    return _answered(lambda: _shown(_payer_of(call)))


def act(call: Call) -> Response:
    """Do what a page asks for, and return how its order stands then."""

    def work() -> JSONObject:
        payer = _payer_of(call)
        action = _ACTIONS.get(call.values["action"])
        if action is None:
            raise _PageError(HTTPStatus.NOT_FOUND, "unknown_path")
        if not isinstance(call.body, dict):
            raise _PageError(HTTPStatus.BAD_REQUEST, "not_an_object")
        action(call, payer, call.body)
        return _shown(payer)

    return _answered(work)


def _answered(work: Callable[[], JSONObject]) -> Response:
    try:
        return Response.of(work())
    except _PageError as error:
        return Response.of({"error": error.code, "field": error.field}, error.status)
    except RefusedError as refused:
        field = _FIELDS.get(refused.message.partition(" ")[0])
        rejection = {"error": "invalid", "field": field}
        return Response.of(rejection, HTTPStatus.UNPROCESSABLE_ENTITY)


def _payer_of(call: Call) -> LinkPayer:
    link = call.account.link(call.values["slug"])
    if link is None:
        raise _PageError(HTTPStatus.NOT_FOUND, "unknown_link")
    token = call.headers.get(TOKEN_HEADER, "")
    if not _TOKEN.fullmatch(token):
        raise _PageError(HTTPStatus.NOT_FOUND, "unknown_order")
    payer = LinkPayer(call.account, link, token)
    payer.adopt_single()
    return payer


def _require_payable(payer: LinkPayer) -> None:
    """Reject a page of a link that has ended, unless its payer has begun or paid before."""
    latest = payer.latest
    if latest is not None and latest.status is not PaymentStatus.FAILED:
        return
    code = _ENDED.get(link_status(payer.account, payer.link))
    if code is not None:
        raise _PageError(HTTPStatus.GONE, code)


# --- what a page is shown -----------------------------------------------------------------


def _shown(payer: LinkPayer) -> JSONObject:
    """Return what a page is shown: no secret, and nothing of other payers."""
    _require_payable(payer)
    terms, latest = payer.link.terms, payer.latest
    content: JSONObject = {
        "order": {
            "id": payer.link.slug,
            "amount": _decimal_text(_amount(payer)),
            "min_amount": _decimal_text(terms.get("min_amount")),
            "max_amount": _decimal_text(terms.get("max_amount")),
            "currency": terms["currency"],
            "description": None,
            "state": _order_state(latest),
            "expires_at": terms["expires_at"],
            "paid_at": None if latest is None else latest.settled_at,
            "payer": _name(payer),
            "is_cancellable": payer.under_way is not None,
        },
        "merchant": None,
        "methods": [str(method) for method in _offered(payer)],
        "asks": [name for name in _ASKED if _asks(payer, name)],
        "encryption_key": payer.account.credentials.encryption_key,
        "attempt": None if latest is None else _attempt(latest, len(payer.payments)),
        "next_action": None if payer.under_way is None else _next_action(payer.under_way),
    }
    digest = hashlib.sha256(dump_json(content)).hexdigest()
    return {**content, "version": digest[:16], "now": payer.account.clock.time()}


def _amount(payer: LinkPayer) -> Any:
    """Return what is to be paid; None while the payer has yet to choose it."""
    latest = payer.latest
    is_chosen = latest is not None and latest.status is not PaymentStatus.FAILED
    return latest.amount if latest is not None and is_chosen else payer.link.terms["amount"]


def _order_state(latest: Payment | None) -> str:
    return "open" if latest is None else _ORDER_STATES[latest.status]


def _name(payer: LinkPayer) -> str | None:
    """Return the payer's name, which another who opens the link is not shown."""
    latest = payer.latest
    if latest is None or latest.payer_token != payer.token or not _asks(payer, "name"):
        return None
    return f"{latest.payer.first_name} {latest.payer.last_name}".strip()


def _asks(payer: LinkPayer, name: str) -> bool:
    return bool(payer.link.terms.get(f"collect_{name}", _ASKED[name]))


def _offered(payer: LinkPayer) -> list[PaymentMethod]:
    terms = payer.link.terms
    offered = [method for method in _METHODS if method in terms["payment_types"]]
    if terms["currency"] == "RWF":
        return offered
    # Mobile money is in RWF only (guide, "Mobile Money API").
    return [method for method in offered if method is not PaymentMethod.MOBILE_MONEY]


def _attempt(payment: Payment, number: int) -> JSONObject:
    return {
        "number": number,
        "method": str(payment.method),
        "state": "waiting_for_the_payer" if payment.awaits else _ATTEMPT_STATES[payment.status],
        "step": _step_of(payment),
        "reason": _reason(payment),
        "reference": payment.dgs_reference,
        "network": payment.network,
        "phone": None if payment.phone is None else f"…{payment.phone[-3:]}",
        "is_under_way": payment.status is PaymentStatus.PENDING,
        "asked_at": payment.created_at,
        "stale_at": stale_at(payment),
    }


def _reason(payment: Payment) -> str | None:
    """Return why a payment failed: a code, or what the network or the issuer has answered."""
    if payment.status is not PaymentStatus.FAILED or payment.verdict is None:
        return None
    return "cancelled" if payment.verdict == CANCELLED else payment.verdict.processor_response


def _step_of(payment: Payment) -> int:
    """Return a number that differs from step to step of one payment."""
    return -len(payment.awaits)


def _next_action(payment: Payment) -> JSONObject:
    if payment.awaits:
        step = payment.awaits[0]
        return {"type": "address" if step == "avs" else step}
    match payment.method:
        case PaymentMethod.USSD:
            code = f"*000*{payment.transaction_id}#"
            return {"type": "dial", "code": code, "is_simulated": True}
        case PaymentMethod.BANK_TRANSFER:
            account = {
                "bank": "DGS-Pay emulator",
                "name": "Simulated account",
                "number": "0000 0000 0000",
                "reference": payment.dgs_reference,
            }
            return {"type": "transfer", "account": account, "is_simulated": True}
        case _:
            return {"type": "approval", "until": stale_at(payment)}


def _decimal_text(amount: Any) -> str | None:
    return None if amount is None else f"{amount:f}"


# --- what a page may do -------------------------------------------------------------------


def _pay(call: Call, payer: LinkPayer, posted: JSONObject, method: PaymentMethod) -> None:
    """Begin a payment; while one is under way, show that and send no second request."""
    _require_payable(payer)
    latest, before = payer.latest, payer.under_way
    if latest is not None and latest.status is PaymentStatus.SUCCESSFUL:
        raise _PageError(HTTPStatus.CONFLICT, "order_closed")
    is_given_up = posted.get("instead_of") == len(payer.payments)
    verdict = None if before is None else payer.why_over(before, is_given_up=is_given_up)
    if before is not None and verdict is None:
        return
    payment = _new_payment(payer, posted, method, before)
    charge = call.with_body(_charge_fields(posted, method))
    behaviour = None
    if method is PaymentMethod.CARD:
        _read_card(charge, payment)
    elif method is PaymentMethod.MOBILE_MONEY:
        behaviour = mobile_money_charges.read(charge, payment)
    if before is not None and verdict is not None:
        decline_payment(payer.account, before, verdict)
    request = None if payment.phone is None else payer.request_to(payment.phone)
    if request is not None:
        payer.adopt(request)
        return
    begin(payer.account, payer.link, payment)
    if method is PaymentMethod.CARD:
        card_charges.start(payer.account, payment)
    elif behaviour is not None:
        mobile_money_charges.start(payer.account, payment, behaviour)
    else:
        payer.account.settle_later(payment.dgs_reference)
    call.record(payment.dgs_reference, payment.amount, payment.currency)


def _new_payment(
    payer: LinkPayer, posted: JSONObject, method: PaymentMethod, instead_of: Payment | None
) -> Payment:
    if method not in _offered(payer):
        raise _invalid("payment_type")
    who = _read_payer(payer, posted, method)
    amount = None
    try:
        if payer.link.terms["amount_type"] == "flexible":
            amount = parse_amount(_text(posted, "amount", _LONGEST_NUMBER))
        payment = new_payment(payer.account, payer.link, method, amount, who, instead_of=instead_of)
    except LinkTakenError:
        raise _PageError(HTTPStatus.CONFLICT, "link_taken") from None
    except (LinkNotPayableError, ValueError):
        raise _invalid("amount") from None
    payment.payer_token = payer.token
    return payment


def _read_payer(payer: LinkPayer, posted: JSONObject, method: PaymentMethod) -> Payer:
    """Read what the link asks its payer for (guide, "Create a Payment Link")."""
    first, last = "Test", "Payer"
    if _asks(payer, "name"):
        first, _, last = _text(posted, "name", _LONGEST_NAME).partition(" ")
    number: tuple[str | None, str | None] = (None, None)
    if _asks(payer, "phone"):
        number = _number(posted)
    address = _text(posted, "address", _LONGEST_ADDRESS) if _asks(payer, "address") else None
    return Payer("payer@example.com", first, last, *number, address)


def _number(posted: JSONObject) -> tuple[str, str]:
    """Return a payer's number and its country code: Rwandan, or any with its country code."""
    text = _text(posted, "phone", _LONGEST_NUMBER)
    try:
        return mobile_local(text, field="phone"), "250"
    except ValueError:
        found = _INTERNATIONAL.fullmatch(re.sub(r"[\s().-]", "", text))
    if found is None:
        raise _invalid("phone")
    return found[2], found[1]


def _charge_fields(posted: JSONObject, method: PaymentMethod) -> JSONObject:
    """Return the fields of `POST /charges` that the page's request amounts to."""
    if method is not PaymentMethod.MOBILE_MONEY:
        return posted
    try:
        phone = mobile_local(_text(posted, "phone", _LONGEST_NUMBER), field="phone")
    except ValueError:
        raise _invalid("phone") from None
    return {"mobile_money_phone": phone, "mobile_money_network": posted.get("network")}


def _read_card(charge: Call, payment: Payment) -> None:
    try:
        card_charges.read(charge, payment)
    except card_charges.UnknownCardError:
        raise _PageError(HTTPStatus.UNPROCESSABLE_ENTITY, "not_a_test_card") from None


def _take_step(call: Call, payer: LinkPayer, posted: JSONObject, fields: JSONObject) -> None:
    """Take what the card awaits, for the step that the page has seen and for no other."""
    payment = payer.under_way
    if (
        payment is None
        or payment.awaits[:1] != (fields["auth_type"],)
        or (posted.get("attempt"), posted.get("step")) != (len(payer.payments), _step_of(payment))
    ):
        raise _PageError(HTTPStatus.CONFLICT, "step_over")
    take_step(call.with_body(fields), payment)
    call.record(payment.dgs_reference, payment.amount, payment.currency)


def _pin(call: Call, payer: LinkPayer, posted: JSONObject) -> None:
    _take_step(call, payer, posted, {**posted, "auth_type": "pin"})


def _otp(call: Call, payer: LinkPayer, posted: JSONObject) -> None:
    _take_step(call, payer, posted, {"auth_type": "otp", "auth_otp": posted.get("otp")})


def _address(call: Call, payer: LinkPayer, posted: JSONObject) -> None:
    lines = ("line1", "line2", "city", "state", "postal_code", "country")
    given = {f"avs_{name}": posted[name] for name in lines if posted.get(name)}
    _take_step(call, payer, posted, {"auth_type": "avs", **given})


def _cancel(call: Call, payer: LinkPayer, _: JSONObject) -> None:
    """Give up what is under way."""
    payment = payer.under_way
    if payment is None:
        raise _PageError(HTTPStatus.CONFLICT, "step_over")
    decline_payment(payer.account, payment, CANCELLED)
    call.record(payment.dgs_reference, payment.amount, payment.currency)


def _by(method: PaymentMethod) -> _Act:
    return lambda call, payer, posted: _pay(call, payer, posted, method)


_Act = Callable[[Call, LinkPayer, JSONObject], None]
_ACTIONS: Final[Mapping[str, _Act]] = {
    "mobile-money": _by(PaymentMethod.MOBILE_MONEY),
    "card": _by(PaymentMethod.CARD),
    "ussd": _by(PaymentMethod.USSD),
    "bank-transfer": _by(PaymentMethod.BANK_TRANSFER),
    "pin": _pin,
    "otp": _otp,
    "address": _address,
    "cancel": _cancel,
}


def _text(posted: JSONObject, name: str, longest: int) -> str:
    value = posted.get(name)
    if not isinstance(value, str) or not 0 < len(value.strip()) <= longest:
        raise _invalid(name)
    return value.strip()


def _invalid(field: str) -> _PageError:
    return _PageError(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid", field)
