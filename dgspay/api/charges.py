"""Charges: collect from a mobile wallet or a card, authorize, and wait for the outcome."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Literal

from dgspay.api.fields import (
    checked_kind,
    optional_key,
    present,
    reads,
    require_reference,
    scenario_key,
)
from dgspay.core.operation import Operation, Repeat
from dgspay.core.request_builder import check_segment
from dgspay.errors import DecodeError
from dgspay.forks import undivided
from dgspay.models.cards import EncryptedCard, EncryptedPin
from dgspay.models.charges import Charge
from dgspay.models.customers import Customer
from dgspay.models.json_codec import JSONObject
from dgspay.models.phones import Network, mobile_local, network_for
from dgspay.models.validators import optional_text, optional_url, web_url
from dgspay.money import AmountInput, Money
from dgspay.secret import Secret

if TYPE_CHECKING:
    from dgspay.core.poll import Poll
    from dgspay.models.addresses import BillingAddress
    from dgspay.models.scenario import Scenario
    from dgspay.models.transactions import Transaction

_OTP = re.compile(r"[0-9A-Za-z]{3,12}", re.ASCII)

_read_any_charge = reads(Charge)


def _read_charge(envelope: JSONObject) -> Charge:
    charge = _read_any_charge(envelope)
    require_reference(charge.dgs_reference, "dgs_reference")
    return charge


def mobile_money(
    *,
    amount: AmountInput,
    customer: Customer,
    network: Network | str | None = None,
    phone: str,
    redirect_url: str,
    narration: str | None = None,
    currency: str = "RWF",
    callback_url: str | None = None,
    scenario: Scenario | str | None = None,
    idempotency_key: str | None = None,
) -> Operation[Charge]:
    """Ask a customer's mobile wallet for a payment (guide, "Mobile Money API").

    The customer gets a prompt on the handset, so the charge is nearly always pending at first:
    wait for its webhook or with `charges.wait`.

    Args:
        amount: In RWF, without a fraction: `2000`, `"2000"` or a Decimal.
        customer: Who pays.
        network: `MTN` or `Airtel`; by the prefix of `phone` when left out. One that does not go
            with the prefix is sent as you say, with a `NetworkWarning`.
        phone: The number that gets the prompt, in any usual Rwandan form.
        redirect_url: Where the customer goes after paying.
        narration: Short text shown to the customer.
        currency: `RWF`; the guide allows no other for mobile money.
        callback_url: Where this payment's webhook goes instead of the configured URL.
        scenario: Sandbox only: `Scenario.mobile_money("auth_pin")` or the guide's string.
        idempotency_key: Your own key for this payment; the client makes one otherwise.

    Raises:
        ValueError, TypeError: an argument is wrong; nothing was sent.
        OutcomeUnknownError: the payment may have been started.
        APIError: DGS-Pay refused.
    """
    money = Money.parse(amount, currency)
    if money.currency != "RWF":
        raise ValueError("currency must be RWF for mobile money")
    local = mobile_local(phone, field="phone")
    fields = {
        "amount": money,
        "currency": money.currency,
        "payment_type": "mobile_money",
        **checked_kind(customer, Customer, field="customer").to_wire(),
        "redirect_url": web_url(redirect_url, field="redirect_url"),
        "narration": optional_text(narration, field="narration"),
        "mobile_money_network": network_for(local, network, field="network"),
        "mobile_money_phone": local,
        "callback_url": optional_url(callback_url, field="callback_url"),
        "scenario_key": scenario_key(scenario, "mobile_money"),
    }
    return _charge("/charges", fields, Repeat.CHARGE, idempotency_key)


def card(
    *,
    amount: AmountInput,
    customer: Customer,
    card: EncryptedCard,
    redirect_url: str,
    currency: str = "RWF",
    narration: str | None = None,
    callback_url: str | None = None,
    scenario: Scenario | str | None = None,
    idempotency_key: str | None = None,
) -> Operation[Charge]:
    """Charge a card that was encrypted in the payer's browser (guide, "Card Payments API").

    Look at `charge.next_action`: the issuer may ask for a PIN, an OTP or an address. The
    payment is complete when `charge.is_complete` is.

    Args:
        amount: In `currency`.
        customer: Who pays.
        card: The encrypted fields the browser sent.
        redirect_url: Where the customer goes after paying.
        currency: ISO 4217 code.
        narration: Short text shown to the customer.
        callback_url: Where this payment's webhook goes instead of the configured URL.
        scenario: Sandbox only: `Scenario.card(auth="pin", issuer="approved")` or the
            guide's string.
        idempotency_key: Your own key for this payment; the client makes one otherwise.

    Raises:
        ValueError, TypeError: an argument is wrong; nothing was sent.
        OutcomeUnknownError: the card may have been charged.
        APIError: DGS-Pay refused.
    """
    if not isinstance(card, EncryptedCard):
        del card  # type: ignore[unreachable]  # a traceback that shows local variables must not show it
        raise TypeError(
            "card must be an EncryptedCard, made of what the card form sends: raw card data never "
            "goes to a server"
        )
    money = Money.parse(amount, currency)
    fields = {
        "amount": money,
        "currency": money.currency,
        "payment_type": "card",
        **checked_kind(customer, Customer, field="customer").to_wire(),
        "redirect_url": web_url(redirect_url, field="redirect_url"),
        "narration": optional_text(narration, field="narration"),
        **{name: Secret(value) for name, value in card.to_wire().items()},
        "callback_url": optional_url(callback_url, field="callback_url"),
        "scenario_key": scenario_key(scenario, "card"),
    }
    return _charge("/charges", fields, Repeat.CHARGE, idempotency_key)


def authorize_pin(
    reference: str, pin: EncryptedPin, *, idempotency_key: str | None = None
) -> Operation[Charge]:
    """Answer `PinRequired` (guide, "Payment Authorization").

    After an unknown outcome it is never repeated: a second try could lock the card.

    Args:
        reference: `charge.dgs_reference`.
        pin: The PIN as the payer's browser encrypted it, under a nonce of its own.
        idempotency_key: Your own key for this step; the client makes one otherwise.
    """
    if not isinstance(pin, EncryptedPin):
        del pin  # type: ignore[unreachable]  # a traceback that shows local variables must not show it
        raise TypeError(
            "pin must be an EncryptedPin, made of what the card form sends: a raw PIN never goes "
            "to a server"
        )
    fields = {name: Secret(value) for name, value in pin.to_wire().items()}
    return _authorize(reference, "pin", fields, Repeat.NEVER_AFTER_UNKNOWN, idempotency_key)


def authorize_otp(
    reference: str, otp: str, *, idempotency_key: str | None = None
) -> Operation[Charge]:
    """Answer `OtpRequired` (guide, "Payment Authorization").

    After an unknown outcome it is never repeated: an OTP can be used once.

    Args:
        reference: `charge.dgs_reference`.
        otp: What the customer got by phone or e-mail, such as `"123456"`.
        idempotency_key: Your own key for this step; the client makes one otherwise.
    """
    secret = Secret(otp) if isinstance(otp, str) else None
    del otp  # a traceback that shows local variables must not show it
    if secret is None:
        raise TypeError("otp must be a str such as '123456', leading zeros and all")
    if not _OTP.fullmatch(secret.reveal()):
        raise ValueError("otp must be 3 to 12 digits or letters")
    return _authorize(
        reference, "otp", {"auth_otp": secret}, Repeat.NEVER_AFTER_UNKNOWN, idempotency_key
    )


def authorize_avs(
    reference: str, address: BillingAddress, *, idempotency_key: str | None = None
) -> Operation[Charge]:
    """Answer `AddressRequired` (guide, "Payment Authorization").

    Args:
        reference: `charge.dgs_reference`.
        address: The card's billing address.
        idempotency_key: Your own key for this step; the client makes one otherwise.

    Raises:
        ValueError, TypeError: an argument is wrong; nothing was sent.
        OutcomeUnknownError: the payment may have gone on.
        APIError: DGS-Pay refused.
    """
    with undivided:
        from dgspay.models.addresses import BillingAddress  # noqa: PLC0415 - few cards need one

    fields = checked_kind(address, BillingAddress, field="address").to_wire()
    return _authorize(reference, "avs", fields, Repeat.CHARGE, idempotency_key)


def wait(reference: str, *, timeout: float = 120.0, interval: float = 1.0) -> Poll[Transaction]:
    """Look a payment up again and again until it is settled.

    A webhook is the better way to learn of the outcome; this is for scripts and for the
    moment in which the customer looks at the page.

    Args:
        reference: `charge.dgs_reference`.
        timeout: Seconds to wait in all.
        interval: Seconds until the second look; the pauses grow by half, up to 10 seconds.

    An answer that contradicts itself, or is about another payment, settles nothing: it is looked
    up again until the time is up.

    Raises:
        WaitTimeoutError: it was not settled in time; `last` is how it was seen last.
        NotFoundError: there is no such payment.
    """
    for name, seconds in (("timeout", timeout), ("interval", interval)):
        if isinstance(seconds, bool) or not isinstance(seconds, int | float):
            raise TypeError(f"{name} must be a number of seconds, not {type(seconds).__name__}")
        if not 0 < seconds < math.inf:
            raise ValueError(f"{name} must be more than 0 seconds, and not infinite")
    check_segment(reference, field="reference")
    with undivided:
        from dgspay.api import transactions  # noqa: PLC0415 - a charge alone looks nothing up
        from dgspay.core.poll import Poll  # noqa: PLC0415

    return Poll(
        look_up=transactions.retrieve(reference),
        is_settled=lambda transaction: transaction.is_settled,
        contradiction=lambda transaction: transaction.contradiction,
        timeout=timeout,
        interval=interval,
    )


def _authorize(
    reference: str,
    auth_type: Literal["pin", "otp", "avs"],
    fields: Mapping[str, object],
    repeat: Repeat,
    idempotency_key: str | None,
) -> Operation[Charge]:
    asked = check_segment(reference, field="reference")

    def read(envelope: JSONObject) -> Charge:
        charge = _read_charge(envelope)
        if charge.dgs_reference.casefold() != asked.casefold():
            raise DecodeError("the answer is about another payment")
        return charge

    body = {"dgs_reference": asked, "auth_type": auth_type, **fields}
    return _charge("/authorize", body, repeat, idempotency_key, read=read)


def _charge(
    path: str,
    fields: Mapping[str, object],
    repeat: Repeat,
    idempotency_key: str | None,
    *,
    read: Callable[[JSONObject], Charge] = _read_charge,
) -> Operation[Charge]:
    return Operation(
        method="POST",
        path=path,
        body=present(fields),
        read=read,
        repeat=repeat,
        idempotency_key=optional_key(idempotency_key),
        failure_is_result=True,
    )
