"""Charges: payments that were started."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import attrs

from dgspay.forks import undivided
from dgspay.models.enums import CallStatus, PaymentMethod, PaymentStatus
from dgspay.models.extra_fields import extra_fields, incidental, link_for_payers, shown
from dgspay.models.results import Result
from dgspay.models.standing import Standing, all_said, standing_of, statements

if TYPE_CHECKING:
    from dgspay.models.next_actions import NextAction


@attrs.frozen(kw_only=True, field_transformer=shown)
class Charge(Result):
    """A payment that was started (guide, "Response Format" and "Payment Authorization").

    Attributes:
        status: How the API took the call. That it is `success` (`CallStatus.ACCEPTED`) does not
            mean that anything was paid: `is_paid` says whether it was.
        dgs_reference: The payment's reference.
        transaction_status: How the payment stands.
        amount: In `currency`.
        extra: Fields this version does not know.
    """

    status: CallStatus
    dgs_reference: str
    message: str | None = incidental()
    transaction_id: str | None = None
    amount: Decimal | None = None
    currency: str | None = None
    transaction_status: PaymentStatus | None = None
    payment_method_type: PaymentMethod | None = incidental()
    next_action_type: str | None = None
    next_action_redirect_url: str | None = link_for_payers()
    display_text: str | None = incidental()
    mobile_money_network: str | None = incidental()
    mobile_money_phone: str | None = incidental()
    mobile_money_country_code: str | None = incidental()
    issuer_response_type: str | None = incidental()
    issuer_response_code: str | None = incidental()
    processor_response: str | None = incidental()
    extra: Mapping[str, Any] = extra_fields()

    @property
    def standing(self) -> Standing:
        """The standing by everything the answer says; see `dgspay.models.standing`."""
        said = all_said(
            self.extra,
            status=self.status,
            dgs_reference=self.dgs_reference,
            transaction_status=self.transaction_status,
            next_action_type=self.next_action_type,
            next_action_redirect_url=self.next_action_redirect_url,
            issuer_response_type=self.issuer_response_type,
        )
        return standing_of(statements(said))

    @property
    def is_paid(self) -> bool:
        """Return whether it is paid: successful, no next action (guide, "Completion Criteria").

        An answer that contradicts itself is neither paid nor declined.
        """
        return self.standing is Standing.PAID

    @property
    def is_complete(self) -> bool:
        """The guide's word for `is_paid`."""
        return self.is_paid

    @property
    def is_declined(self) -> bool:
        """Return whether the provider or the customer said no, and nothing says otherwise."""
        return self.standing is Standing.FAILED

    @property
    def next_action(self) -> NextAction | None:
        """Next step of the customer, made for `match`; None when there is none."""
        if not self.next_action_type:
            return None
        with undivided:
            # Most charges are looked at without it.
            from dgspay.models.next_actions import next_action_of  # noqa: PLC0415

        return next_action_of(
            self.next_action_type, self.next_action_redirect_url, self.display_text
        )
