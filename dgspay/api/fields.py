"""Fields that several calls put into their bodies in the same way."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TypeVar

from dgspay.core.request_builder import check_idempotency_key
from dgspay.errors import DecodeError
from dgspay.forks import undivided
from dgspay.models.json_codec import JSONObject
from dgspay.models.standing import is_said
from dgspay.models.structuring import structure

if TYPE_CHECKING:
    from dgspay.models.scenario import Scenario, ScenarioKind

T = TypeVar("T")


def present(fields: Mapping[str, T | None]) -> dict[str, T]:
    """Leave out what was not given: the API takes an absent field, not a null."""
    return {name: value for name, value in fields.items() if value is not None}


def checked_kind(value: T, kind: type[T], *, field: str) -> T:
    """Return a value of one of our own classes.

    Raises:
        TypeError: when it is anything else, a mapping of its fields included.
    """
    if not isinstance(value, kind):
        hint = f": make one with {kind.__name__}(**...)" if isinstance(value, Mapping) else ""
        raise TypeError(f"{field} must be a {kind.__name__}, not {type(value).__name__}{hint}")
    return value


def scenario_key(scenario: Scenario | str | None, kind: ScenarioKind) -> str | None:
    """Return the checked `scenario_key` of a call of this kind.

    Raises:
        TypeError: when it is neither a Scenario nor text.
        ValueError: when the guide does not list it for this kind of call.
    """
    if scenario is None:
        return None
    with undivided:
        from dgspay.models.scenario import Scenario  # noqa: PLC0415 - real calls have none

    if not isinstance(scenario, Scenario):
        # The caller's own text is sent, so that its order of parts is what goes out.
        Scenario.parse(scenario, kind)
        return scenario
    if scenario.kind != kind:
        raise ValueError(f"scenario is for a {scenario.kind} call, this is a {kind} call")
    return scenario.key


def optional_key(key: str | None) -> str | None:
    """Return None, or an idempotency key that can be sent."""
    return None if key is None else check_idempotency_key(key)


def reads(cls: type[T]) -> Callable[[JSONObject], T]:
    """Return a reader that takes the whole answer as one model."""

    def read(envelope: JSONObject) -> T:
        return structure(envelope, cls)

    return read


def require_reference(reference: str | None, field: str) -> None:
    """Reject an answer about a payment that has no name: no webhook or look-up could find it.

    Raises:
        DecodeError: when the reference is missing or blank.
    """
    if not is_said(reference):
        raise DecodeError(f"the answer names no payment: {field} is missing or blank", path=field)
