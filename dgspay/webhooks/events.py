"""Events that DGS-Pay sends to a shop: one frozen class per event, made for `match`."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

import attrs

from dgspay.errors import DecodeError
from dgspay.models.enums import DestinationType, OpenEnum, PaymentStatus
from dgspay.models.extra_fields import extra_fields, incidental, shown
from dgspay.models.json_codec import JSONObject, parse_json
from dgspay.models.results import Result
from dgspay.models.standing import (
    Standing,
    Statement,
    all_said,
    contradiction_in,
    normalized,
    standing_of,
    statement_of_event,
    statements,
)
from dgspay.models.structuring import structure

# A reference and an event's name become keys of databases: no longer than a path segment of
# the API may be, and without the control characters that PostgreSQL rejects.
MAX_KEY_PART = 256


class EventEnvironment(OpenEnum):
    """Environment an event reports (guide, "Payment Event Payloads")."""

    TEST = "test"
    PRODUCTION = "production"


def _is_key_part(text: object) -> bool:
    if not isinstance(text, str) or not text.strip():
        return False
    return len(text) <= MAX_KEY_PART and text.isprintable()


def _check_reference(_event: object, _field: object, reference: str) -> None:
    if not _is_key_part(reference):
        raise ValueError(
            f"dgs_reference must be 1 to {MAX_KEY_PART} characters, no control characters, and not "
            "blank"
        )


@attrs.frozen(kw_only=True, field_transformer=shown)
class Destination(Result):
    """Recipient of a disbursement (guide, "Disbursement Webhook"): a bank or a phone."""

    account_number: str | None = incidental()
    bank_key: str | None = incidental()
    name: str | None = incidental()
    branch: str | None = incidental()
    msisdn: str | None = incidental()
    network: str | None = incidental()
    country: str | None = incidental()
    extra: dict[str, Any] = extra_fields()


@attrs.frozen(kw_only=True, field_transformer=shown)
class _Documented(Result):
    """Base of every event of the guide.

    Attributes:
        event: Its name, such as `payment.success`.
        dgs_reference: The transaction, transfer or conversion it is about.
        status: How that ended. The guide sends it with every event.
        timestamp: When it ended. Only payment events are documented to carry it; of two
            events that contradict each other, the later one holds.
        environment: Simulated money or real money, where the event says so.
        extra: Fields the guide does not list, as they came.
    """

    event: str
    dgs_reference: str = attrs.field(validator=_check_reference)
    status: PaymentStatus | None = None
    timestamp: datetime | None = incidental()
    environment: EventEnvironment | None = None
    extra: dict[str, Any] = extra_fields()

    @property
    def dedupe_key(self) -> str:
        """The same text for every delivery of this event, and for no other event.

        The guide's rule is the reference alone (guide, "Idempotent Handler"). The event's name
        is part of it here, or a success that follows a failure would be dropped.
        """
        return f"{self.event}:{self.dgs_reference}"

    @property
    def standing(self) -> Standing:
        """The standing, by its name and everything else it says; see `dgspay.models.standing`."""
        return standing_of(self._statements())

    @property
    def contradiction(self) -> str | None:
        """The two statements that cannot both be true, or None; `verify` then rejects the event."""
        return contradiction_in(self._statements())

    def _statements(self) -> list[Statement]:
        # Beside the name, which is exact, "SUCCESSFUL" is the same in another spelling.
        status = None if self.status is None else normalized(self.status)
        fields = all_said(self.extra, status=status, dgs_reference=self.dgs_reference)
        said = statements(fields, is_record=True)
        return [statement_of_event(self.event), *said]


@attrs.frozen(kw_only=True, field_transformer=shown)
class _Payment(_Documented):
    flw_charge_id: str | None = incidental()
    amount: Decimal
    currency: str
    merchant_fee: Decimal | None = incidental()
    net_amount: Decimal | None = incidental()


@attrs.frozen(kw_only=True, field_transformer=shown)
class PaymentSucceeded(_Payment):
    """`payment.success`: the customer has paid (guide, "Payment Event Payloads").

    Attributes:
        amount: What the customer paid, in `currency`.
        merchant_fee: What DGS-Pay keeps of it, in `currency`.
        net_amount: What the merchant wallet is credited with, in `currency`.
        flw_charge_id: The provider's own number for the charge.
    """

    event: Literal["payment.success"] = "payment.success"


@attrs.frozen(kw_only=True, field_transformer=shown)
class PaymentFailed(_Payment):
    """`payment.failed`: declined, or given up by the customer (guide, "Payment Event Payloads").

    Attributes:
        amount: What the customer would have paid, in `currency`.
    """

    event: Literal["payment.failed"] = "payment.failed"


@attrs.frozen(kw_only=True, field_transformer=shown)
class _Disbursement(_Documented):
    flw_transfer_id: int | None = incidental()
    amount: Decimal
    currency: str
    fee: Decimal | None = incidental()
    recipient_gets: Decimal | None = incidental()
    destination_type: DestinationType | None = incidental()
    recipient: Destination | None = incidental()


@attrs.frozen(kw_only=True, field_transformer=shown)
class DisbursementSucceeded(_Disbursement):
    """`disbursement.success`: the recipient has been credited (guide, "Disbursement Webhook").

    Attributes:
        amount: What the wallet was debited with, in `currency`.
        fee: What was taken from it on the recipient's side, in `currency`.
        recipient_gets: `amount` less `fee`, in `currency`.
        recipient: Who was paid.
        proof: The provider's proof of payment.
        flw_transfer_id: The provider's own number for the transfer.
    """

    event: Literal["disbursement.success"] = "disbursement.success"
    proof: str | None = incidental()


@attrs.frozen(kw_only=True, field_transformer=shown)
class DisbursementFailed(_Disbursement):
    """`disbursement.failed`: the transfer did not happen (guide, "Disbursement Webhook").

    Attributes:
        amount: What would have been debited, in `currency`.
        fail_reason: Why. Look into it before the transfer is tried again.
    """

    event: Literal["disbursement.failed"] = "disbursement.failed"
    fail_reason: str | None = incidental()


@attrs.frozen(kw_only=True, field_transformer=shown)
class ConversionSucceeded(_Documented):
    """`conversion.success`: the target balance was credited (guide, "Conversion Webhook").

    Attributes:
        from_amount: What was taken, in `from_currency`.
        to_amount: What was credited, in `to_currency`.
        rate: Units of `to_currency` for one of `from_currency`.
        rate_display: The rate in words, such as `1 USD = 0.9450 EUR`.
    """

    event: Literal["conversion.success"] = "conversion.success"
    from_currency: str
    from_amount: Decimal
    to_currency: str
    to_amount: Decimal
    rate: Decimal | None = incidental()
    rate_display: str | None = incidental()


@attrs.frozen(kw_only=True, field_transformer=shown)
class ConversionFailed(_Documented):
    """`conversion.failed`: the source balance is refunded (guide, "Conversion Webhook").

    Attributes:
        from_amount: What should have been converted, in `from_currency`.
        fail_reason: Why it was not.
        refund_amount: What went back to the wallet, in `refund_currency`.
    """

    event: Literal["conversion.failed"] = "conversion.failed"
    from_currency: str
    from_amount: Decimal
    to_currency: str | None = None
    fail_reason: str | None = incidental()
    refund_amount: Decimal | None = None
    refund_currency: str | None = None


@attrs.frozen(kw_only=True, field_transformer=shown)
class UnknownEvent(Result):
    """An event the guide does not describe. It was signed; what it means is not known.

    Attributes:
        event: Its name as it came.
        dgs_reference: The reference, where it has one.
        environment: Simulated money or real money, where the event says so.
        extra: All its other fields as they came, numbers exact.
        body_digest: The SHA-256 of the body, in hex.
    """

    event: str
    dgs_reference: str | None = None
    environment: EventEnvironment | None = None
    extra: dict[str, Any] = extra_fields()
    body_digest: str = attrs.field(repr=False)

    @property
    def standing(self) -> Standing:
        """Unknown, whatever it says: what the event means is not documented."""
        return Standing.UNKNOWN

    @property
    def dedupe_key(self) -> str:
        """The same text for every delivery of the same bytes.

        The guide does not say whether such an event comes once per reference, so its body
        counts too: handling one twice is better than dropping one.
        """
        return f"{self.event}:{self.dgs_reference or ''}:{self.body_digest}"


KnownEvent = (
    PaymentSucceeded
    | PaymentFailed
    | DisbursementSucceeded
    | DisbursementFailed
    | ConversionSucceeded
    | ConversionFailed
)
"""The events the guide describes."""

Event = KnownEvent | UnknownEvent
"""Result of `verify`; mypy and pyright check that a `match` over it leaves nothing out."""

EVENT_CLASSES: Mapping[str, type[KnownEvent]] = {
    "payment.success": PaymentSucceeded,
    "payment.failed": PaymentFailed,
    "disbursement.success": DisbursementSucceeded,
    "disbursement.failed": DisbursementFailed,
    "conversion.success": ConversionSucceeded,
    "conversion.failed": ConversionFailed,
}
"""The class of each event name of the guide."""


def read_event(body: bytes) -> Event:
    """Read a body as an event. It does not check a signature; `verify` does both.

    Raises:
        DecodeError: when it is not JSON, not an event, lacks a field the guide always sends,
            or says one thing in its name and another in its status.
    """
    fields = parse_json(body)
    if type(fields) is not dict:
        raise DecodeError("the body is not an event: a JSON object was expected")
    name = fields.get("event")
    if not isinstance(name, str) or not _is_key_part(name):
        raise DecodeError("the body is not an event: it has no event name", path="event")
    cls = EVENT_CLASSES.get(name)
    if cls is None:
        return _unknown_event(name, fields, hashlib.sha256(body).hexdigest())
    event = structure(fields, cls)
    _refuse_contradiction(event)
    return event


def _unknown_event(name: str, fields: JSONObject, digest: str) -> UnknownEvent:
    """Take what is surely meant as in other events; whatever else it holds cannot be wrong."""
    rest = {key: item for key, item in fields.items() if key != "event"}
    reference = rest.pop("dgs_reference") if _is_key_part(rest.get("dgs_reference")) else None
    environment = rest.get("environment")
    if isinstance(environment, str):
        del rest["environment"]
    return UnknownEvent(
        event=name,
        dgs_reference=reference,
        environment=EventEnvironment(environment) if isinstance(environment, str) else None,
        extra=rest,
        body_digest=digest,
    )


def _refuse_contradiction(event: KnownEvent) -> None:
    """Reject a `payment.success` that also says anything but a success: it is not paid."""
    contradiction = event.contradiction
    if contradiction is not None:
        raise DecodeError(f"the body contradicts itself: {contradiction}", path="status")
