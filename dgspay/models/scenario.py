"""Sandbox scenarios: named values that become the `scenario_key` of the guide."""

from __future__ import annotations

from typing import Literal, Self, get_args

import attrs

CardAuthorization = Literal["pin", "pin_3ds", "3ds", "avs"]
Issuer = Literal[
    "approved",
    "insufficient_funds",
    "incorrect_pin",
    "expired_card",
    "invalid_cvv",
    "do_not_honor",
    "system_error",
]
MobileMoneyScenario = Literal["auth_pin", "auth_redirect"]
TransferScenario = Literal["successful", "insufficient_balance", "invalid_currency"]

CARD_AUTHORIZATIONS = tuple(f"auth_{word}" for word in get_args(CardAuthorization))
ISSUERS: tuple[str, ...] = get_args(Issuer)
MOBILE_MONEY_SCENARIOS: tuple[str, ...] = get_args(MobileMoneyScenario)
TRANSFER_SCENARIOS: tuple[str, ...] = get_args(TransferScenario)

# What each kind of call may simulate (guide, "Simulating Scenarios with scenario_key").
_ALLOWED: dict[str, dict[str, tuple[str, ...]]] = {
    "card": {"scenario": CARD_AUTHORIZATIONS, "issuer": ISSUERS},
    "mobile_money": {"scenario": MOBILE_MONEY_SCENARIOS},
    "transfer": {"scenario": TRANSFER_SCENARIOS},
}

ScenarioKind = Literal["card", "mobile_money", "transfer"]


@attrs.frozen
class Scenario:
    """An outcome to force in the sandbox (guide, "Simulating Scenarios with scenario_key").

    Build one with `Scenario.card`, `Scenario.mobile_money` or `Scenario.transfer`, or pass
    the plain string of the guide wherever a scenario is taken.
    """

    kind: ScenarioKind
    scenario: str | None = None
    issuer: str | None = None

    def __attrs_post_init__(self) -> None:
        """Reject a word the guide does not list."""
        _check(self.kind, "scenario", self.scenario)
        _check(self.kind, "issuer", self.issuer)
        if self.scenario is None and self.issuer is None:
            raise ValueError("scenario is empty: name at least one part of it")

    @classmethod
    def card(cls, *, auth: CardAuthorization | None = None, issuer: Issuer | None = None) -> Self:
        """A card charge that asks for `auth` and is then answered by the card's `issuer`."""
        return cls("card", scenario=None if auth is None else f"auth_{auth}", issuer=issuer)

    @classmethod
    def mobile_money(cls, scenario: MobileMoneyScenario) -> Self:
        """`auth_pin`: approved by itself. `auth_redirect`: the redirect flow."""
        return cls("mobile_money", scenario=scenario)

    @classmethod
    def transfer(cls, scenario: TransferScenario) -> Self:
        """The outcome of a disbursement."""
        return cls("transfer", scenario=scenario)

    @classmethod
    def parse(cls, key: str, kind: ScenarioKind) -> Self:
        """Read a plain `scenario_key`, its parts in either order.

        Raises:
            TypeError: when it is not text.
            ValueError: when a part is malformed, stands twice or is not in the guide.
        """
        if not isinstance(key, str):
            raise TypeError(f"scenario must be a Scenario or a str, not {type(key).__name__}")
        parts: dict[str, str] = {}
        for part in key.split("&"):
            name, colon, word = part.partition(":")
            if not colon or name not in ("scenario", "issuer") or name in parts:
                raise ValueError(
                    "scenario must look like 'scenario:auth_pin&issuer:approved', "
                    "each part at most once"
                )
            parts[name] = word
        return cls(kind, **parts)

    @property
    def key(self) -> str:
        """The text that goes on the wire, such as `scenario:auth_pin&issuer:approved`."""
        parts = (("scenario", self.scenario), ("issuer", self.issuer))
        return "&".join(f"{name}:{word}" for name, word in parts if word is not None)


def _check(kind: ScenarioKind, name: str, word: str | None) -> None:
    if word is None:
        return
    allowed = _ALLOWED[kind].get(name)
    if allowed is None:
        raise ValueError(f"scenario: a {kind} call has no {name!r} part")
    if word not in allowed:
        raise ValueError(f"scenario: {name} must be one of {', '.join(allowed)}")
