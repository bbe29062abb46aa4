"""What every script works within: one account, its times and its limits."""

from __future__ import annotations

import math
from collections.abc import Callable

import attrs

from dgspay.callback_urls import token_of
from dgspay.checkout.order import Method
from dgspay.errors import ConfigError
from dgspay.secret import Secret


def _check_seconds(_settings: object, field: attrs.Attribute[float], seconds: float) -> None:
    """Reject what is no time: a lifetime of 0 would send a second prompt at once."""
    if not 0 < seconds < math.inf:
        raise ConfigError(f"{field.name} must be more than 0 seconds, and not infinite")


def _check_pause(_settings: object, field: attrs.Attribute[float], seconds: float) -> None:
    """Reject what is no pause; 0 is one: every sweep looks up what is open."""
    if not 0 <= seconds < math.inf:
        raise ConfigError(f"{field.name} must be 0 seconds or more, and not infinite")


def _check_count(_settings: object, field: attrs.Attribute[int], count: int) -> None:
    if isinstance(count, bool) or not isinstance(count, int) or count < 1:
        raise ConfigError(f"{field.name} must be a whole number, 1 or more")


def _to_seconds(given: object) -> float:
    if isinstance(given, bool) or not isinstance(given, int | float):
        raise ConfigError(f"a time must be a number of seconds, not {type(given).__name__}")
    return float(given)


def _seconds(default: float, check: Callable[..., None] = _check_seconds) -> float:
    field: float = attrs.field(default=default, converter=_to_seconds, validator=check)
    return field


@attrs.frozen(kw_only=True)
class Limits:
    """How many attempts may be made: what testers of stolen cards meet.

    Attributes:
        attempts: For one order, in all.
        address_attempts: From one client address, within `address_seconds`.
        address_seconds: Seconds.
    """

    attempts: int = attrs.field(default=10, validator=_check_count)
    address_attempts: int = attrs.field(default=30, validator=_check_count)
    address_seconds: float = _seconds(600.0)


@attrs.frozen(kw_only=True)
class Timing:
    """The times of an order, in seconds.

    Attributes:
        mobile_money_lifetime: How long a prompt may be approved, at most. No second one is sent
            before that.
        card_lifetime: How long an issuer waits for a step of a card payment, at most.
        first_look_up: When an attempt whose webhook has not come is looked up first; the pauses
            double from then on.
        longest_pause: The longest pause between two look-ups.
        doubt: When an attempt of which nothing was learned is reported as a problem.
        handler_lease: How long a handler may take before it is run again.
        handler_tries: How often a handler is run before it is reported as failing.
        journal: How long the bodies of webhooks are kept.
    """

    mobile_money_lifetime: float = _seconds(300.0)
    card_lifetime: float = _seconds(900.0)
    first_look_up: float = _seconds(30.0, check=_check_pause)
    longest_pause: float = _seconds(3600.0)
    doubt: float = _seconds(3600.0)
    handler_lease: float = _seconds(300.0)
    handler_tries: int = attrs.field(default=20, validator=_check_count)
    journal: float = _seconds(400 * 24 * 3600.0)

    def lifetime(self, method: Method) -> float:
        """Return how long an attempt of a method may take."""
        is_card = method is Method.CARD
        return self.card_lifetime if is_card else self.mobile_money_lifetime


_MOST_TOKENS = 4096


@attrs.frozen(kw_only=True)
class Scope:
    """What every script works within: one merchant account, and one process's ways.

    Attributes:
        key: The account's number in the store.
        token_key: What the tokens of its pages and callback URLs are made with.
        salt: What distinguishes the idempotency keys of this store from those of another one.
        timing: How long what takes.
        limits: How many attempts may be made.
        lease: The name under which this process runs handlers.
        handles: The kinds of handlers that it runs; those of other kinds are left to others.
        tokens: Tokens that were made before, for an order is loaded again and again.
    """

    key: int
    token_key: Secret
    salt: str = ""
    timing: Timing = attrs.field(factory=Timing)
    limits: Limits = attrs.field(factory=Limits)
    lease: str = ""
    handles: tuple[str, ...] = ()
    tokens: dict[tuple[str, str], str] = attrs.field(factory=dict, eq=False, repr=False)

    def page_token(self, order_id: str) -> str:
        """Return what a page shows to act for an order."""
        token = self.tokens.get((order_id, "page"))
        if token is None:
            token = self._made(order_id, "page", "page", *order_id.splitlines())
        return token

    def return_token(self, order_id: str) -> str:
        """Return the token in the address of the page that a payer comes back to."""
        return token_of(self.token_key, "return", *order_id.splitlines())

    def callback_token(self, order_id: str, subject: str) -> str:
        """Return the token in the callback URL of an attempt (`a1`) or a refund (`r1`)."""
        token = self.tokens.get((order_id, subject))
        if token is None:
            token = self._made(order_id, subject, "callback", *order_id.splitlines(), subject)
        return token

    def _made(self, order_id: str, subject: str, *names: str) -> str:
        if len(self.tokens) >= _MOST_TOKENS:
            self.tokens.clear()
        token = self.tokens[order_id, subject] = token_of(self.token_key, *names)
        return token
