"""What the API says of a charge, and what the customer has to do next."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import attrs

from dgspay.models.enums import PaymentMethod, PaymentStatus
from dgspay.models.extras import extra_fields
from dgspay.models.standing import Standing, all_said, standing_of, statements


@attrs.frozen(kw_only=True)
class PinRequired:
    """The card's PIN is needed: `charges.authorize_pin`."""

    display_text: str | None = None


@attrs.frozen(kw_only=True)
class OtpRequired:
    """The one-time password sent to the customer is needed: `charges.authorize_otp`."""

    display_text: str | None = None


@attrs.frozen(kw_only=True)
class AddressRequired:
    """The billing address is needed: `charges.authorize_avs`."""

    display_text: str | None = None


@attrs.frozen(kw_only=True)
class RedirectRequired:
    """The customer must be sent to `url`, which is always http or https."""

    url: str
    display_text: str | None = None


@attrs.frozen(kw_only=True)
class UnknownAction:
    """Something this version does not know; `type` is the vendor's word as it came."""

    type: str
    url: str | None = None
    display_text: str | None = None


NextAction = PinRequired | OtpRequired | AddressRequired | RedirectRequired | UnknownAction

_ACTIONS: dict[str, type[PinRequired | OtpRequired | AddressRequired]] = {
    "requires_pin": PinRequired,
    "requires_otp": OtpRequired,
    "requires_additional_fields": AddressRequired,
}


@attrs.frozen(kw_only=True)
class Charge:
    """A payment that was started (guide, "Response Format" and "Payment Authorization").

    Attributes:
        status: How the API took the call: `success`, `pending` or `failed`. That it is
            `success` does not mean that anything was paid.
        dgs_reference: The payment's reference.
        transaction_status: How the payment stands.
        amount: In `currency`.
        extra: Fields this version does not know.
    """

    status: str
    dgs_reference: str
    message: str | None = None
    transaction_id: str | None = None
    amount: Decimal | None = None
    currency: str | None = None
    transaction_status: PaymentStatus | None = None
    payment_method_type: PaymentMethod | None = None
    next_action_type: str | None = None
    next_action_redirect_url: str | None = None
    display_text: str | None = None
    mobile_money_network: str | None = None
    mobile_money_phone: str | None = None
    mobile_money_country_code: str | None = None
    issuer_response_type: str | None = None
    issuer_response_code: str | None = None
    processor_response: str | None = None
    extra: Mapping[str, Any] = extra_fields()

    @property
    def standing(self) -> Standing:
        """How it stands by everything the answer says; see `dgspay.models.standing`."""
        said = all_said(
            self.extra,
            status=self.status,
            transaction_status=self.transaction_status,
            next_action_type=self.next_action_type,
            next_action_redirect_url=self.next_action_redirect_url,
            issuer_response_type=self.issuer_response_type,
        )
        return standing_of(statements(said))

    @property
    def is_complete(self) -> bool:
        """Whether it is paid: successful, and nothing left to do (guide, "Completion Criteria").

        An answer that contradicts itself is neither complete nor declined.
        """
        return self.standing is Standing.PAID

    @property
    def is_declined(self) -> bool:
        """Whether the provider or the customer said no, and nothing says otherwise."""
        return self.standing is Standing.FAILED

    @property
    def next_action(self) -> NextAction | None:
        """What the customer has to do next, made for `match`; None when there is nothing."""
        if not self.next_action_type:
            return None
        action = _ACTIONS.get(self.next_action_type)
        if action is not None:
            return action(display_text=self.display_text)
        url = self.next_action_redirect_url
        # The URL goes into a Location header or a link: another scheme could run as a script.
        if self.next_action_type == "redirect_url" and url and _is_web_url(url):
            return RedirectRequired(url=url, display_text=self.display_text)
        return UnknownAction(type=self.next_action_type, url=url, display_text=self.display_text)


def _is_web_url(url: str) -> bool:
    return url.lower().startswith(("https://", "http://"))
