r"""Every error dgspay raises, and what each one means for the money.

::

    DGSPayError
    ├── ConfigError                  (and ValueError) set up wrongly; nothing was sent
    ├── CredentialError              the callable given as `api_key` failed; nothing was sent
    ├── SignatureError               a webhook is not what DGS-Pay sent; do not act on it
    │   └── WrongEnvironmentError        it was signed, but for the other environment
    ├── TransportError               the connection failed
    ├── APIError                     DGS-Pay answered no
    │   ├── InvalidRequestError          90: a field is wrong
    │   │   └── InsufficientFundsError       the wallet does not hold enough
    │   ├── AuthenticationError          91: wrong key, or the server's IP is not whitelisted
    │   ├── NotFoundError                92: no such resource in this account
    │   ├── IdempotencyError             93: your idempotency key was used before
    │   ├── RateLimitError               HTTP 429: too many requests
    │   └── ServerError                  99 or HTTP 5xx, on a read
    ├── DecodeError                  the answer cannot be read
    ├── WaitTimeoutError             the payment was still not settled when the time was up
    └── OutcomeUnknownError          money may or may not have moved: look before you act
        ├── UndecodableOutcomeError      (and DecodeError) because the answer cannot be read
        ├── ContradictoryOutcomeError    (and APIError) because the answer contradicts itself
        └── UnlistedCodeError            (and APIError) because the guide does not have the code

Catch `OutcomeUnknownError` around anything that moves money: whenever a call other than a
read ends without our knowing what DGS-Pay did, that is what is raised. Every error carries
`outcome`, `operation`, `attempts` and `idempotency_key`.

On what moves money only DGS-Pay's own no is a no: code 90, 91, 92, 93 on your own key,
VALIDATION_ERROR, or HTTP 429. A 4xx without a code may come from a proxy, after the money has
moved.

`outcome_of` says the same of any exception that ends a call, such as the `TimeoutError` of an
`asyncio.timeout` around it.

A payment that was declined is not an error: it is a result, and `is_declined` is true.
"""

from __future__ import annotations

import contextlib
import enum
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, TypedDict, Unpack

__all__ = [
    "APIError",
    "AuthenticationError",
    "ConfigError",
    "ContradictoryOutcomeError",
    "CredentialError",
    "DGSPayError",
    "DecodeError",
    "IdempotencyError",
    "InsufficientFundsError",
    "InvalidRequestError",
    "NotFoundError",
    "Outcome",
    "OutcomeUnknownError",
    "RateLimitError",
    "ServerError",
    "SignatureError",
    "TransportError",
    "UndecodableOutcomeError",
    "UnlistedCodeError",
    "WaitTimeoutError",
    "WrongEnvironmentError",
    "outcome_of",
]


class Outcome(enum.Enum):
    """The knowledge whether DGS-Pay acted on a call."""

    COMPLETED = "completed"
    """The answer arrived and was understood."""
    NOT_SENT = "not_sent"
    """DGS-Pay cannot have acted: the request never left."""
    REJECTED = "rejected"
    """DGS-Pay answered no: it did not act."""
    UNKNOWN = "unknown"
    """The request may have arrived and no usable answer came back."""


class ErrorContext(TypedDict, total=False):
    """The facts of a call that every error carries, as arguments; see `DGSPayError`."""

    outcome: Outcome | None
    operation: str | None
    attempts: int
    idempotency_key: str | None


class AnswerContext(ErrorContext, total=False):
    """The facts of an answer beside those of its call; see `APIError`."""

    status: int | None
    error_code: str | None
    body: Mapping[str, Any] | None
    excerpt: str | None
    retry_after: float | None


class UnknownContext(AnswerContext, total=False):
    """What an answer leaves open, and what it says all the same; see `OutcomeUnknownError`."""

    likely_accepted: bool
    dgs_reference: str | None


class DGSPayError(Exception):
    """The root of every error dgspay raises about a call, its set-up or its answer.

    Attributes:
        message: What happened, what it means for the money, and what to do next.
        outcome: Whether DGS-Pay can have acted.
        operation: The call as a route template such as `POST /charges`, never with ids in it.
        attempts: How many times the request was tried.
        idempotency_key: The key that went with the request, for support and for a safe repeat.
    """

    outcome: Outcome = Outcome.NOT_SENT

    def __init__(
        self,
        message: str,
        *,
        outcome: Outcome | None = None,
        operation: str | None = None,
        attempts: int = 0,
        idempotency_key: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        if outcome is not None:
            self.outcome = outcome
        self.operation = operation
        self.attempts = attempts
        self.idempotency_key = idempotency_key

    def __str__(self) -> str:
        """The message, with the call it is about in front."""
        return f"{self.operation}: {self.message}" if self.operation else self.message

    def __reduce__(self) -> tuple[Callable[..., DGSPayError], tuple[object, ...]]:
        """Pickle by attributes, so that an error survives the way between processes."""
        return _rebuild, (type(self), self.message, dict(self.__dict__))


def _rebuild(cls: type[DGSPayError], message: str, attributes: Mapping[str, object]) -> DGSPayError:
    error = cls.__new__(cls, message)
    error.args = (message,)
    error.__dict__.update(attributes)
    return error


class ConfigError(DGSPayError, ValueError):
    """The client, a key or a secret is set up wrongly. Nothing was sent."""


class CredentialError(DGSPayError):
    """The callable given as `api_key` failed or was too slow. Nothing was sent."""


class SignatureError(DGSPayError):
    """A webhook's signature does not match its body. Do not act on the event."""

    outcome = Outcome.REJECTED


class WrongEnvironmentError(SignatureError):
    """The webhook is validly signed but belongs to the other environment (test or production).

    Do not act on the event: test and production share a webhook secret, or a URL.
    """


class TransportError(DGSPayError):
    """The connection to DGS-Pay failed.

    With `outcome` NOT_SENT nothing can have happened. With UNKNOWN the call was a read, so
    there is no money to worry about.

    Attributes:
        permanent: Whether trying again cannot help, such as after a certificate that does not
            verify.
    """

    def __init__(
        self, message: str, *, permanent: bool = False, **context: Unpack[ErrorContext]
    ) -> None:
        super().__init__(message, **context)
        self.permanent = permanent


class _AnsweredError(DGSPayError):
    """Base of the errors that come with an answer of the server."""

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        error_code: str | None = None,
        body: Mapping[str, Any] | None = None,
        excerpt: str | None = None,
        retry_after: float | None = None,
        **context: Unpack[ErrorContext],
    ) -> None:
        super().__init__(message, **context)
        self.status = status
        self.error_code = error_code
        self.body = body
        self.excerpt = excerpt
        self.retry_after = retry_after


class APIError(_AnsweredError):
    """DGS-Pay answered no. On a read, that may be an HTTP status without a code.

    Attributes:
        status: The HTTP status.
        error_code: The vendor's code (guide, "Error Codes"), kept as it came when unknown.
        body: The parsed answer with secrets masked, or None when it was not JSON.
        excerpt: The beginning of an answer that was not JSON, with secrets masked.
        retry_after: Seconds DGS-Pay asked us to wait, where it did.
    """

    outcome = Outcome.REJECTED


class InvalidRequestError(APIError):
    """Code 90 or VALIDATION_ERROR: a field is missing or wrong. DGS-Pay did not act."""


class InsufficientFundsError(InvalidRequestError):
    """The merchant wallet does not hold enough (guide, "Currency Conversion").

    Attributes:
        available_balance: What the wallet holds, in `currency`.
        required: What the call would have needed, in `currency`.
        currency: ISO 4217 code.
    """

    def __init__(
        self,
        message: str,
        *,
        available_balance: Decimal | None = None,
        required: Decimal | None = None,
        currency: str | None = None,
        **context: Unpack[AnswerContext],
    ) -> None:
        super().__init__(message, **context)
        self.available_balance = available_balance
        self.required = required
        self.currency = currency


class AuthenticationError(APIError):
    """Code 91: the API key is missing or wrong, or this server's IP is not whitelisted."""


class NotFoundError(APIError):
    """Code 92: the resource does not exist or belongs to another account."""


class IdempotencyError(APIError):
    """Code 93: your own idempotency key was used before, or is in use here at this moment.

    Under a key that the client drew, 93 is about this very call: `OutcomeUnknownError`.
    """


class RateLimitError(APIError):
    """HTTP 429: too many requests. DGS-Pay did not act; `retry_after` says how long to wait."""


class ServerError(APIError):
    """Code 99, or an HTTP 5xx, on a read: a failure inside DGS-Pay.

    On what moves money it is `OutcomeUnknownError`: DGS-Pay calls a 99 safe to retry, and not
    that nothing was done.
    """


class DecodeError(DGSPayError):
    """An answer or a webhook body cannot be read as what the guide describes.

    Attributes:
        status: The HTTP status, where there was one.
        excerpt: The beginning of what came, with secrets masked.
        path: Where in the JSON the fault lies, such as `data[3].amount`.
    """

    outcome = Outcome.UNKNOWN

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        excerpt: str | None = None,
        path: str | None = None,
        **context: Unpack[ErrorContext],
    ) -> None:
        super().__init__(message, **context)
        self.status = status
        self.excerpt = excerpt
        self.path = path


class WaitTimeoutError(DGSPayError):
    """`charges.wait` ran out of time. The payment may still succeed or fail later.

    Attributes:
        last: The transaction as it was last seen, or None when no look-up got through.
    """

    outcome = Outcome.UNKNOWN

    def __init__(self, message: str, *, last: Any = None, **context: Unpack[ErrorContext]) -> None:
        super().__init__(message, **context)
        self.last = last


class OutcomeUnknownError(_AnsweredError):
    """The request may have reached DGS-Pay and no usable answer came back.

    Do not simply repeat the call: the payment may have gone through. Wait for its webhook,
    look it up with `transactions.list` or `transactions.retrieve`, or, if DGS-Pay has
    confirmed to you that it honours idempotency keys, use
    `RetryPolicy(trust_idempotency=True)`.

    Attributes:
        status: The HTTP status, where one came.
        error_code: The code in the answer, where it had one.
        body: The parsed answer with secrets masked, or None when it was not JSON.
        excerpt: The beginning of what came, with secrets masked.
        retry_after: Seconds DGS-Pay asked us to wait, where it did.
        likely_accepted: True when DGS-Pay said that the key of this very call is already in
            use, so it most probably arrived.
        dgs_reference: What to look it up by, where the unusable answer named it.
    """

    outcome = Outcome.UNKNOWN

    def __init__(
        self,
        message: str,
        *,
        likely_accepted: bool = False,
        dgs_reference: str | None = None,
        **context: Unpack[AnswerContext],
    ) -> None:
        super().__init__(message, **context)
        self.likely_accepted = likely_accepted
        self.dgs_reference = dgs_reference


class UndecodableOutcomeError(OutcomeUnknownError, DecodeError):
    """DGS-Pay answered a call that moves money, but the answer cannot be read."""

    def __init__(
        self,
        message: str,
        *,
        path: str | None = None,
        **context: Unpack[UnknownContext],
    ) -> None:
        super().__init__(message, **context)
        self.path = path


class ContradictoryOutcomeError(OutcomeUnknownError, APIError):
    """The answer says no and yes at once, on a call that moves money."""


class UnlistedCodeError(OutcomeUnknownError, APIError):
    """The answer to a call that moves money has an error code that the guide does not list.

    It is a no, but what it means for the money is not documented, and a gateway has codes of its
    own. `error_code` is kept as it came.
    """


_NOTED = "_dgspay_outcome"


def note_outcome(error: BaseException, outcome: Outcome) -> None:
    """Note what is known of the call that an exception ended, where it does not say so itself."""
    if not isinstance(error, DGSPayError):
        with contextlib.suppress(AttributeError):  # a class may have slots
            setattr(error, _NOTED, outcome)


def outcome_of(error: BaseException) -> Outcome:
    """Return what is known about whether DGS-Pay acted on the call that an exception ended.

    It is for whatever comes out of a call, cancellations included: of the `TimeoutError` that
    `asyncio.timeout` or `anyio.fail_after` makes, and of a `KeyboardInterrupt`, the outcome is
    UNKNOWN once the request may have left, and of a rejected argument NOT_SENT. Where nothing is
    known, as of an exception that has nothing to do with a call, it is UNKNOWN: look before you
    act. Of an exception raised `from` another the outcome is the other's; a group has that on
    which all of its members agree.
    """
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        if isinstance(link, DGSPayError):
            return link.outcome
        noted = getattr(link, _NOTED, None)
        if isinstance(noted, Outcome):
            return noted
        if isinstance(link, BaseExceptionGroup):
            outcomes = {outcome_of(member) for member in link.exceptions}
            return outcomes.pop() if len(outcomes) == 1 else Outcome.UNKNOWN
        link = link.__cause__
    return Outcome.UNKNOWN
