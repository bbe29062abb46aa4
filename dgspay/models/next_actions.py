"""Next actions: what the customer has to do before a charge goes on, made for `match`."""

from __future__ import annotations

import attrs

from dgspay.models.extra_fields import shown
from dgspay.models.results import Result
from dgspay.models.validators import is_link_for_payers


@attrs.frozen(kw_only=True, field_transformer=shown)
class PinRequired(Result):
    """The card's PIN is needed: `charges.authorize_pin`."""

    display_text: str | None = None


@attrs.frozen(kw_only=True, field_transformer=shown)
class OtpRequired(Result):
    """The one-time password sent to the customer is needed: `charges.authorize_otp`."""

    display_text: str | None = None


@attrs.frozen(kw_only=True, field_transformer=shown)
class AddressRequired(Result):
    """The billing address is needed: `charges.authorize_avs`."""

    display_text: str | None = None


@attrs.frozen(kw_only=True, field_transformer=shown)
class RedirectRequired(Result):
    """The customer must be sent to `url`, which is always https, or http on this machine."""

    url: str
    display_text: str | None = None


@attrs.frozen(kw_only=True, field_transformer=shown)
class UnknownAction(Result):
    """An action this version does not know; `type` is the vendor's word as it came.

    A redirect to a URL that no payer may be sent to (`javascript:`, http, a user name before the
    host) is one, too: `url` is None then, and what came is in the charge's `extra`.
    """

    type: str
    url: str | None = None
    display_text: str | None = None


NextAction = PinRequired | OtpRequired | AddressRequired | RedirectRequired | UnknownAction

_ACTIONS: dict[str, type[PinRequired | OtpRequired | AddressRequired]] = {
    "requires_pin": PinRequired,
    "requires_otp": OtpRequired,
    "requires_additional_fields": AddressRequired,
}


def next_action_of(kind: str, url: str | None, display_text: str | None) -> NextAction:
    """Return the action that an answer asks for.

    Args:
        kind: The vendor's word, `next_action_type`.
        url: Its `next_action_redirect_url`.
        display_text: What to show the customer.
    """
    action = _ACTIONS.get(kind)
    if action is not None:
        return action(display_text=display_text)
    # It goes into a Location header or a link: another scheme could run as a script.
    if url is not None and not is_link_for_payers(url):
        url = None
    if kind == "redirect_url" and url is not None:
        return RedirectRequired(url=url, display_text=display_text)
    return UnknownAction(type=kind, url=url, display_text=display_text)
