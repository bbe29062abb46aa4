"""Exceptions built from assessments: what happened, the money, what to do next."""

from __future__ import annotations

import enum
from decimal import Decimal
from typing import NamedTuple

import attrs

from dgspay import errors
from dgspay.core.assessment import KEY_CONFLICT, Assessment, Verdict
from dgspay.core.excerpts import kept_of
from dgspay.core.operation import Operation
from dgspay.core.request_builder import MAX_SEGMENT
from dgspay.errors import AnswerContext, DGSPayError, ErrorContext, Outcome, UnknownContext
from dgspay.models.json_codec import JSONObject
from dgspay.models.structuring import structure
from dgspay.secret import Secret, masked_text

_BY_CODE: dict[str, type[errors.APIError]] = {
    "90": errors.InvalidRequestError,
    "VALIDATION_ERROR": errors.InvalidRequestError,
    "91": errors.AuthenticationError,
    "92": errors.NotFoundError,
    "93": errors.IdempotencyError,
    "99": errors.ServerError,
}

_BY_STATUS: dict[int, type[errors.APIError]] = {
    400: errors.InvalidRequestError,
    401: errors.AuthenticationError,
    403: errors.AuthenticationError,
    404: errors.NotFoundError,
    410: errors.NotFoundError,
    422: errors.InvalidRequestError,
}

_NEXT: dict[type[errors.APIError], str] = {
    errors.InvalidRequestError: "Correct the request and call again.",
    errors.InsufficientFundsError: "Top the wallet up or ask for less, then call again.",
    errors.AuthenticationError: (
        "Check that the API key and the account number belong to this environment, and, in "
        "production, that this server's IP address is on the whitelist (Settings, API Settings)."
    ),
    errors.NotFoundError: (
        "Check the id or reference, and that it belongs to this account and environment."
    ),
    errors.IdempotencyError: (
        "Look that one up before anything else, and use a new key only for a new payment."
    ),
    errors.RateLimitError: "Wait, then call again.",
    errors.ServerError: "Try again after a short delay; contact DGS-Pay's support if it stays.",
    errors.APIError: "Read DGS-Pay's message, and contact its support if it does not help.",
}

_LOOK_FIRST = (
    "Do not simply repeat the call: wait for its webhook or look the transaction up, and keep "
    "the idempotency key{key}."
)


class Stopped(enum.Enum):
    """The reason for no further attempt, where one would have been allowed."""

    NO = ""
    ATTEMPTS = "All attempts are used up."
    DEADLINE = "Not tried again: the deadline leaves no room for it."
    BUDGET = "Not tried again: the retry budget is used up, which means an outage is going on."


class CallContext(NamedTuple):
    """The facts of a call that its exception reports.

    Attributes:
        operation: The call.
        attempts: How many attempts there were.
        key: The idempotency key, the same for all attempts.
        earlier_unknown: Whether an earlier attempt may have been carried out.
        earlier_reached: Whether an earlier attempt may have reached DGS-Pay with this key.
        earlier_accepted: Whether DGS-Pay has said that this very call already uses this key.
        earlier_answer: The refusal an earlier attempt with this key got, if it got one.
        stopped: Why there was no further attempt.
        secrets: What must not be shown, should the server have sent it back.
    """

    operation: Operation[object]
    attempts: int
    key: str | None
    earlier_unknown: bool
    earlier_reached: bool
    earlier_accepted: bool
    earlier_answer: Assessment | None
    stopped: Stopped
    secrets: tuple[Secret, ...]

    @property
    def may_be_in(self) -> bool:
        """Return whether code 93 can only be about this call: nothing else can have its key."""
        return self.earlier_reached or self.operation.idempotency_key is None


# A no that is taken at its word where nothing can be paid twice, and nowhere else.
_NO_TO_A_READ = (Verdict.SAFE_TO_RETRY, Verdict.REJECTED_BY_STATUS, Verdict.UNCONFIRMED)


def outcome_of(assessment: Assessment, call: CallContext) -> Outcome:
    """Return what is known about the call as a whole after its last attempt."""
    writes = not call.operation.is_read
    if assessment.verdict is Verdict.OK:
        return Outcome.COMPLETED
    if writes and (call.earlier_unknown or _is_likely_accepted(assessment, call)):
        return Outcome.UNKNOWN
    if assessment.verdict in (Verdict.UNKNOWN, Verdict.UNREADABLE):
        return Outcome.UNKNOWN
    if writes and assessment.verdict in _NO_TO_A_READ:
        return Outcome.UNKNOWN
    if assessment.verdict in (Verdict.NOT_SENT, Verdict.NOT_SENT_FOR_GOOD):
        return Outcome.NOT_SENT
    return Outcome.REJECTED


def error_for(assessment: Assessment, call: CallContext) -> DGSPayError:
    """Build the exception for a call whose last attempt had this assessment."""
    assessment = _with_earlier_answer(assessment, call)
    outcome = outcome_of(assessment, call)
    context: ErrorContext = {
        "outcome": outcome,
        "operation": call.operation.name,
        "attempts": call.attempts,
        "idempotency_key": call.key,
    }
    if outcome is Outcome.UNKNOWN and not call.operation.is_read:
        return _unknown(assessment, call, context)
    if assessment.verdict is Verdict.UNREADABLE or assessment.fault is not None:
        return _unreadable(assessment, call, context)
    if assessment.status is None:
        return _failed_transport(assessment, call, context)
    return _answered(assessment, call, context)


def _with_earlier_answer(assessment: Assessment, call: CallContext) -> Assessment:
    """Include the response to an earlier attempt where the last one was not sent.

    "Nothing was sent" would be wrong: DGS-Pay received the request and refused it.
    """
    unsent = assessment.verdict in (Verdict.NOT_SENT, Verdict.NOT_SENT_FOR_GOOD)
    if not unsent or call.earlier_answer is None or call.operation.is_read:
        return assessment
    reason = f"{call.earlier_answer.reason}, and then {assessment.reason}"
    return attrs.evolve(call.earlier_answer, reason=reason)


def _is_likely_accepted(assessment: Assessment, call: CallContext) -> bool:
    # Any later response, even a refusal, is not about the attempt that was accepted.
    if call.earlier_accepted:
        return True
    return assessment.error_code == KEY_CONFLICT and call.may_be_in


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def _join(*sentences: str) -> str:
    return " ".join(sentence for sentence in sentences if sentence)


def _unknown(assessment: Assessment, call: CallContext, context: ErrorContext) -> DGSPayError:
    likely = _is_likely_accepted(assessment, call)
    if likely:
        money = (
            "This very call already uses its key, so it was most probably accepted: money has "
            "probably moved."
        )
    else:
        money = "It is not known whether DGS-Pay carried it out: money may have moved."
    earlier = "An earlier attempt got no usable answer." if call.earlier_unknown else ""
    next_step = _LOOK_FIRST.format(key=_shown_key(call))
    message = _join(_sentence(assessment.reason), earlier, money, next_step, call.stopped.value)
    answered: UnknownContext = {
        **_with_answer(assessment, call, context),
        "likely_accepted": likely,
        "dgs_reference": _reference_in(assessment, call),
    }
    if assessment.verdict is Verdict.UNREADABLE or assessment.fault is not None:
        path = None if assessment.fault is None else assessment.fault.path
        return errors.UndecodableOutcomeError(message, path=path, **answered)
    if assessment.contradicts:
        return errors.ContradictoryOutcomeError(message, **answered)
    if assessment.verdict is Verdict.UNCONFIRMED and assessment.error_code is not None:
        return errors.UnlistedCodeError(message, **answered)
    return errors.OutcomeUnknownError(message, **answered)


def _shown_key(call: CallContext) -> str:
    """Return the idempotency key to show, unless it looks like a secret that was taken for one."""
    if call.key is None or masked_text(call.key, call.secrets) != call.key:
        return ""
    return f" {call.key!r}"


def _reference_in(assessment: Assessment, call: CallContext) -> str | None:
    """Return the DGS-Pay reference in a response that could not be used otherwise.

    Only where no earlier attempt may have got another one: how that ended would be taken for how
    the call ended.
    """
    is_usable = assessment.verdict in (Verdict.UNKNOWN, Verdict.UNREADABLE, *_NO_TO_A_READ)
    if not is_usable or assessment.body is None or call.earlier_unknown or call.earlier_accepted:
        return None
    reference = assessment.body.get("dgs_reference")
    if not isinstance(reference, str) or len(reference) > MAX_SEGMENT:
        return None
    if masked_text(reference, call.secrets) != reference:
        return None
    return reference


def _unreadable(assessment: Assessment, call: CallContext, context: ErrorContext) -> DGSPayError:
    message = _join(
        _sentence(assessment.reason),
        "The call only reads, so nothing changed.",
        "If it stays, DGS-Pay has changed its answers: update dgspay or report it.",
        call.stopped.value,
    )
    path = None if assessment.fault is None else assessment.fault.path
    return errors.DecodeError(
        message, status=assessment.status, excerpt=assessment.excerpt, path=path, **context
    )


def _failed_transport(
    assessment: Assessment, call: CallContext, context: ErrorContext
) -> errors.TransportError | errors.ConfigError:
    if assessment.verdict is Verdict.UNKNOWN:
        money, advice = "The call only reads, so nothing changed.", "Try again later."
    elif assessment.verdict is Verdict.NOT_SENT_FOR_GOOD:
        money = "Nothing was sent, so no money moved."
        advice = "Trying again cannot help: set the cause right first."
    else:
        money = "Nothing was sent, so no money moved."
        advice = "It is safe to try again once the connection works."
    message = _join(_sentence(assessment.reason), money, advice, call.stopped.value)
    if assessment.misconfigured:
        return errors.ConfigError(message, **context)
    return errors.TransportError(
        message,
        permanent=assessment.verdict is Verdict.NOT_SENT_FOR_GOOD,
        **context,
    )


def _answered(assessment: Assessment, call: CallContext, context: ErrorContext) -> errors.APIError:
    kind = _kind(assessment)
    shortfall = _shortfall(assessment.body) if kind is errors.InvalidRequestError else None
    if shortfall is not None:
        kind = errors.InsufficientFundsError
    if call.operation.is_read:
        money = "The call only reads, so nothing changed."
    elif kind is errors.IdempotencyError:
        money = (
            "This request was not carried out, but the one made earlier under this key"
            f"{_shown_key(call)} may have been: money may have moved then."
        )
    else:
        money = "It was not carried out: no money moved."
    message = _join(_sentence(assessment.reason), money, _NEXT[kind], call.stopped.value)
    answered = _with_answer(assessment, call, context)
    if shortfall is None:
        return kind(message, **answered)
    return errors.InsufficientFundsError(
        message,
        available_balance=shortfall.available_balance,
        required=shortfall.required,
        currency=shortfall.currency,
        **answered,
    )


def _with_answer(assessment: Assessment, call: CallContext, context: ErrorContext) -> AnswerContext:
    """Add what an error keeps of the answer, without secrets."""
    return {
        **context,
        "status": assessment.status,
        "error_code": assessment.error_code,
        "body": kept_of(assessment.body, call.secrets),
        "excerpt": assessment.excerpt,
        "retry_after": assessment.retry_after,
    }


def _kind(assessment: Assessment) -> type[errors.APIError]:
    status = assessment.status or 0
    if assessment.verdict is Verdict.RATE_LIMITED:
        return errors.RateLimitError
    if assessment.error_code in _BY_CODE:
        return _BY_CODE[assessment.error_code]
    if status >= 500 or 300 <= status < 400:
        return errors.ServerError
    if assessment.error_code is None and status in _BY_STATUS:
        return _BY_STATUS[status]
    return errors.APIError


class _Shortfall(NamedTuple):
    available_balance: Decimal
    required: Decimal
    currency: str | None


def _shortfall(body: JSONObject | None) -> _Shortfall | None:
    """Read the balance fields of a refusal (guide, "Currency Conversion"), where it has them."""
    if body is None or "available_balance" not in body or "required" not in body:
        return None
    try:
        return _Shortfall(
            available_balance=structure(body["available_balance"], Decimal),
            required=structure(body["required"], Decimal),
            currency=None if body.get("currency") is None else structure(body["currency"], str),
        )
    except errors.DecodeError:
        return None
