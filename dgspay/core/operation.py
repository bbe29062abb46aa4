"""Operations: one call of the API as a value, and the reply to it."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator, Mapping
from typing import Generic, TypeVar

import attrs

from dgspay.core.messages import Response
from dgspay.models.json_codec import JSONObject
from dgspay.secret import Sealed, Secret, masked, masked_text, take_name

T_co = TypeVar("T_co", covariant=True)


class Repeat(enum.Enum):
    """Safety of repeating a call, from harmless to never."""

    READ = "read"
    """It changes nothing: repeat it freely."""
    CHARGE = "charge"
    """It takes money in or changes a link: repeat it only where nothing can have happened."""
    PAYOUT = "payout"
    """It pays or converts money: as CHARGE, and an answer that contradicts itself is no result."""
    NEVER_AFTER_UNKNOWN = "never after unknown"
    """It spends a PIN or an OTP: never repeat it after an unknown outcome, trusted or not."""


def _sealed_body(body: Mapping[str, object] | None) -> Sealed[Mapping[str, object]] | None:
    # People do paste card numbers into a narration, and a traceback shows operations.
    return body if body is None else Sealed(body)


def _masked_repr(body: Sealed[Mapping[str, object]] | None) -> str:
    return "None" if body is None else repr(masked(dict(body.reveal())))


@attrs.frozen(kw_only=True)
class Operation(Generic[T_co]):
    """One call of the API, ready to be sent by any client.

    Attributes:
        method: HTTP method.
        path: Path template under the API's prefix, such as `/transactions/{id}`.
        read: Builds the result from the parsed answer; raises DecodeError.
        repeat: How the call may be repeated.
        path_values: What goes into the template's braces, each as one encoded segment.
        query: Query parameters.
        body: The JSON body, sealed; amounts as Money, secrets as Secret.
        idempotency_key: The caller's own key; None lets the client make one.
        failure_is_result: Whether `status: failed` with a reference describes a payment that was
            declined, and not the call.
    """

    method: str
    path: str
    read: Callable[[JSONObject], T_co]
    repeat: Repeat
    path_values: Mapping[str, str] = attrs.field(factory=dict)
    query: Mapping[str, str] = attrs.field(factory=dict)
    body: Sealed[Mapping[str, object]] | None = attrs.field(
        default=None, converter=_sealed_body, repr=_masked_repr
    )
    idempotency_key: str | None = None
    failure_is_result: bool = False

    @property
    def name(self) -> str:
        """The route template, such as `GET /transactions/{id}`: never an id."""
        return f"{self.method} {self.path}"

    @property
    def is_read(self) -> bool:
        """Return whether the call changes nothing."""
        return self.repeat is Repeat.READ

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """Secret values in the body, to be masked wherever they are echoed."""
        if self.body is None:
            return ()
        return tuple([held for held in self.body.reveal().values() if type(held) is Secret])


class ServerHeaders(Mapping[str, str]):
    """The headers of an answer, names in lower case, with whatever may be secret masked."""

    __slots__ = ("_raw",)

    def __init__(self, answer: Response, secrets: tuple[Secret, ...]) -> None:
        # Masked on access: the headers of most responses are never read.
        _set_raw(self, (answer, secrets))

    def _shown(self) -> dict[str, str]:
        answer, secrets = _raw_of(self)
        return {
            masked_text(name, secrets): masked_text(value, secrets)
            for name, value in answer.reveal_headers().items()
        }

    def __getitem__(self, name: str) -> str:
        return self._shown()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._shown())

    def __len__(self) -> int:
        return len(self._shown())

    def __repr__(self) -> str:
        return repr(self._shown())

    def __reduce__(self) -> tuple[type[dict[str, str]], tuple[dict[str, str]]]:
        return dict, (self._shown(),)


_set_raw, _raw_of = take_name(ServerHeaders, "_raw")


@attrs.frozen(kw_only=True)
class Reply(Generic[T_co]):
    """A result together with how it came.

    Attributes:
        value: The result.
        status: HTTP status of the answer.
        headers: Its headers, names in lower case.
        attempts: How many times the request was tried.
        elapsed: Seconds from the first attempt to the result, waiting included.
        idempotency_key: The key that was sent with it; None for a read.
    """

    value: T_co
    status: int
    headers: Mapping[str, str]
    attempts: int
    elapsed: float
    idempotency_key: str | None = None
