"""Assessment of a response: pure functions of its status, headers and body.

The body decides; the HTTP status decides only where no usable body came. That is, in order:

1. a redirect is not a response to the call, nor is a status below 200 or above 599;
2. code 93 says that the key is in use, whatever came with it;
3. 429 and the codes 90, 91, 92 and VALIDATION_ERROR are refusals of DGS-Pay's own, and 99 is a
   failure that it calls safe to retry;
4. any other code, HTTP 4xx without a code, and a bare `status: failed` (no code, no
   `transaction_status`, no reference) say no, but a proxy may have said it, or DGS-Pay after the
   money had moved: reads take that for a refusal, on what moves money it is not known;
5. HTTP 5xx without a code of the guide says nothing of what was done;
6. `status: failed` with a payment in it is a declined payment, which is a result;
7. a refusal whose body reports a payment that goes on, or stands in a way the guide does not
   know, contradicts itself: not known;
8. everything else must be readable as the result, or the outcome is not known.
"""

from __future__ import annotations

import enum
import functools
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import attrs

from dgspay.core.excerpts import excerpt_of, one_line
from dgspay.core.messages import Response, TransportFailure
from dgspay.core.operation import Operation, Repeat
from dgspay.errors import DecodeError
from dgspay.forks import undivided
from dgspay.models.json_codec import JSONObject, parse_json
from dgspay.models.standing import (
    PAYMENT_STATUSES,
    Standing,
    Statement,
    contradiction_in,
    is_error_code,
    is_said,
    normalized,
    statements,
)
from dgspay.secret import Secret, may_hold, without_echoes

MAX_RETRY_AFTER = 86_400.0


class Verdict(enum.Enum):
    """The kind of result of one attempt, which decides whether it may be repeated."""

    OK = "ok"
    NOT_SENT = "not sent"
    NOT_SENT_FOR_GOOD = "not sent, and trying again cannot help"
    UNKNOWN = "no usable answer"
    UNREADABLE = "an answer whose content is not what it should be"
    RATE_LIMITED = "429"
    SAFE_TO_RETRY = "99"
    KEY_CONFLICT = "93"
    REJECTED = "rejected"
    REJECTED_BY_STATUS = "a 4xx without a code, which a proxy may have made"
    UNCONFIRMED = "a no, but not one of the guide's"


# Not frozen: setting what is frozen takes an eighth of the time in which an answer is assessed.
@attrs.define(kw_only=True)
class Assessment:
    """The result of one attempt. It is never changed.

    Attributes:
        verdict: The kind of it.
        reason: What happened, as a clause: "the connection was refused".
        status: HTTP status, where an answer came.
        error_code: The vendor's code, or None.
        body: The parsed answer, or None.
        excerpt: The beginning of an answer that is not JSON, masked.
        retry_after: Seconds to wait, where the server said so.
        value: The result, with OK.
        fault: The DecodeError that says what cannot be read.
        contradicts: Whether the answer says no and yes at once.
        misconfigured: Whether no answer came because the transport is set up wrongly.
    """

    verdict: Verdict
    reason: str = ""
    status: int | None = None
    error_code: str | None = None
    body: JSONObject | None = attrs.field(default=None, repr=False)
    excerpt: str | None = attrs.field(default=None, repr=False)
    retry_after: float | None = None
    value: Any = attrs.field(default=None, repr=False)
    fault: DecodeError | None = attrs.field(default=None, repr=False)
    contradicts: bool = False
    misconfigured: bool = False


KEY_CONFLICT = "93"
"""The code that says that the idempotency key is in use (guide, "Error Codes")."""

# The codes of the guide ("Error Codes", and the conversion example).
_VERDICT_BY_CODE = {
    "90": Verdict.REJECTED,
    "VALIDATION_ERROR": Verdict.REJECTED,
    "91": Verdict.REJECTED,
    "92": Verdict.REJECTED,
    KEY_CONFLICT: Verdict.KEY_CONFLICT,
    "99": Verdict.SAFE_TO_RETRY,
}

# What stands for a code that is neither text nor a number.
_ODD_CODE = "unreadable"

# `status` of an answer that was taken. A tuple, for what is looked for in it may be a list.
_TAKEN = ("success", "pending")
# The guide's words for what is under way or done.
_GOES_ON = frozenset({"pending", "successful", "success", "processing", "queued"})
# An OTP may by chance be equal to one of these, which must be read as it came.
_DECISIVE = frozenset(
    {
        "amount",
        "available_balance",
        "currency",
        "dgs_conversion_ref",
        "dgs_reference",
        "error_code",
        "fee",
        "flw_reference",
        "from_amount",
        "from_currency",
        "id",
        "issuer_response_type",
        "merchant_fee",
        "net_amount",
        "next_action",
        "next_action_redirect_url",
        "next_action_type",
        "rate",
        "recipient_gets",
        "required",
        "status",
        "to_amount",
        "to_currency",
        "transaction_id",
        *PAYMENT_STATUSES,
    }
)
# Where a payment that was looked up may stand as a whole.
_RECORDS = ("data", "transaction")
# What shows that `status: failed` is about a payment.
_PAYMENT_SIGNS = (
    "transaction_status",
    "conversion_status",
    "dgs_reference",
    "dgs_conversion_ref",
    "id",
)

# 408: the server gave up on us. 409 without a code says no more than "something is there".
# 499: a proxy says that we hung up. Neither says whether the call was carried out.
_SAYS_NOTHING = frozenset({408, 409, 425, 499})


def assess_failure(failure: TransportFailure) -> Assessment:
    """Assess an attempt that got no response."""
    if failure.sent:
        verdict = Verdict.UNKNOWN
    elif failure.permanent:
        verdict = Verdict.NOT_SENT_FOR_GOOD
    else:
        verdict = Verdict.NOT_SENT
    return Assessment(verdict=verdict, reason=failure.reason, misconfigured=failure.misconfigured)


class _Conclude(Protocol):
    """Builds an Assessment that already holds what came with the response."""

    def __call__(
        self,
        verdict: Verdict,
        reason: str,
        *,
        value: object = None,
        fault: DecodeError | None = None,
        contradicts: bool = False,
    ) -> Assessment: ...


def assess(
    response: Response, operation: Operation[object], *, now: float, secrets: Sequence[Secret] = ()
) -> Assessment:
    """Assess a response to this operation.

    Args:
        response: The answer.
        operation: The call it answers.
        now: Unix time, for a Retry-After given as a date.
        secrets: What a server must not be quoted with, should it send it back.
    """
    status = response.status
    if not _is_final(status):
        return Assessment(verdict=Verdict.UNKNOWN, reason=_no_answer(status))
    retry_after = parse_retry_after(response.reveal_headers(), now=now)
    envelope, fault = _parse_envelope(response, secrets)
    excerpt = excerpt_of(response.reveal_body(), secrets) if envelope is None else None
    code = None if envelope is None else _error_code(envelope, secrets)
    # Built only when needed: most responses are good, and their message is not quoted.
    quoted = functools.partial(_quoted_message, envelope, secrets)

    def conclude(
        verdict: Verdict,
        reason: str,
        *,
        value: object = None,
        fault: DecodeError | None = None,
        contradicts: bool = False,
    ) -> Assessment:
        return Assessment(
            verdict=verdict,
            reason=reason,
            status=status,
            error_code=code,
            body=envelope,
            excerpt=excerpt,
            retry_after=retry_after,
            value=value,
            fault=fault,
            contradicts=contradicts,
        )

    if 300 <= status < 400:
        return conclude(
            Verdict.UNKNOWN, f"the server redirected (HTTP {status}), which is never followed"
        )
    if envelope is not None:
        contradiction = _contradiction(envelope, code, status, operation, quoted)
        if contradiction is not None:
            return conclude(Verdict.UNKNOWN, contradiction, contradicts=True)
    # That the key is in use outweighs a limit on requests: something under it has got there.
    if status == 429 and code != KEY_CONFLICT:
        return conclude(Verdict.RATE_LIMITED, "DGS-Pay refused: too many requests (HTTP 429)")
    if code is not None:
        return _assess_code(conclude, code, status, quoted)
    if status >= 400:
        return _assess_http_error(conclude, envelope, operation, status, quoted)
    if envelope is None:
        reason = f"the answer (HTTP {status}) is unusable"
        return conclude(
            Verdict.UNKNOWN, f"{reason}: {fault.message if fault else 'no'}", fault=fault
        )
    return _assess_success(conclude, envelope, operation, quoted)


def _is_final(status: object) -> bool:
    """Return whether a status is a final response's; a custom transport may return any."""
    return isinstance(status, int) and 200 <= status < 600


def _no_answer(status: object) -> str:
    if isinstance(status, int) and 0 <= status < 1000:
        return f"HTTP {status:d} is not the status of a final response"
    return "the response has no valid HTTP status"


def _assess_code(
    conclude: _Conclude, code: str, status: int, quoted: Callable[[], str]
) -> Assessment:
    verdict = _VERDICT_BY_CODE.get(code)
    if verdict is Verdict.SAFE_TO_RETRY:
        return conclude(verdict, f"DGS-Pay reported an internal error, code {code}{quoted()}")
    if verdict is not None:
        return conclude(verdict, f"DGS-Pay refused with code {code}{quoted()}")
    if status >= 500:
        # A gateway has codes of its own, and knows nothing of the call.
        return conclude(
            Verdict.UNKNOWN, f"the server answered HTTP {status}, code {code}{quoted()}"
        )
    reason = f"the answer has the code {code}{quoted()}, which the guide does not list"
    return conclude(Verdict.UNCONFIRMED, reason)


def _assess_success(
    conclude: _Conclude,
    envelope: JSONObject,
    operation: Operation[object],
    quoted: Callable[[], str],
) -> Assessment:
    if _says_failed(envelope) and not _is_declined_payment(envelope, operation):
        reason = f'the answer says "failed"{quoted()}, with no code and no payment in it'
        return conclude(Verdict.UNCONFIRMED, reason)
    if not _is_taken(envelope, operation):
        return conclude(
            Verdict.UNKNOWN, f"the answer has a status the guide does not know{quoted()}"
        )
    return _read_result(conclude, envelope, operation)


def _contradiction(
    envelope: JSONObject,
    code: str | None,
    status: int,
    operation: Operation[object],
    quoted: Callable[[], str],
) -> str | None:
    """Describe a refusal whose body reports a payment that goes on all the same, or return None.

    A code of the guide's is "only present when the API itself could not process your request",
    so a mere `status: success` beside it is sloppy. Beside 99, which would be repeated, or
    beside a code the guide does not list, it is not to be relied on.
    """
    if operation.is_read or (code is None and status < 400 and _decides_for_itself(operation)):
        return None
    no = None
    if code is not None:
        no = f"code {code}"
    elif status >= 400:
        no = f"HTTP {status}"
    elif _says_failed(envelope):
        no = "'failed'"
    if no is None:
        text = contradiction_in(statements(envelope)) if operation.failure_is_result else None
        return None if text is None else f"the answer contradicts itself{quoted()}: {text}"
    is_plain_no = code in _VERDICT_BY_CODE and code != "99" and status != 429
    going = [one for one in statements(envelope) if _goes_on(one)]
    word = normalized(envelope.get("status"))
    if not going and (is_plain_no or word not in _GOES_ON):
        return None
    return f"the answer says no with {no}{quoted()} and yes with {_yes(going, word)}"


def _decides_for_itself(operation: Operation[object]) -> bool:
    """Return whether the result shows the payment's status, even a contradictory one."""
    return operation.failure_is_result and operation.repeat is not Repeat.PAYOUT


def _goes_on(statement: Statement) -> bool:
    """Return whether this is a payment status other than "failed".

    A word the guide does not know never counts as paid, and as not paid no more than that.
    """
    if statement.field in PAYMENT_STATUSES:
        return statement.word not in ("", "failed")
    # What is not a status of the payment may be any word, and on top of the answer it says only
    # how the call was taken.
    is_known = statement.means in (Standing.PAID, Standing.PENDING)
    return is_known and not statement.is_envelope


def _yes(going: Sequence[Statement], status: str) -> str:
    # Only words that are known are quoted, so there is nothing to mask.
    for statement in going:
        if statement.means is not Standing.UNKNOWN:
            return repr(statement.word) if statement.word else "a next action"
    return repr(status) if status in _GOES_ON else "a payment whose status the guide does not know"


def _is_taken(envelope: JSONObject, operation: Operation[object]) -> bool:
    """Return whether `status` says that the call was taken, where it is the only word on that.

    A charge has its `transaction_status`, which decides for itself.
    """
    if _decides_for_itself(operation) or operation.is_read or "status" not in envelope:
        return True
    if _is_declined_payment(envelope, operation):
        return True
    return not isinstance(envelope["status"], str) or envelope["status"] in _TAKEN


def _assess_http_error(
    conclude: _Conclude,
    envelope: JSONObject | None,
    operation: Operation[object],
    status: int,
    quoted: Callable[[], str],
) -> Assessment:
    if (
        envelope is not None
        and normalized(envelope.get("transaction_status")) == "failed"
        and _is_declined_payment(envelope, operation)
    ):
        return _read_result(conclude, envelope, operation)
    reason = f"the server answered HTTP {status}{quoted()}"
    if status >= 500 or status in _SAYS_NOTHING:
        return conclude(Verdict.UNKNOWN, reason)
    return conclude(Verdict.REJECTED_BY_STATUS, reason)


def _read_result(
    conclude: _Conclude, envelope: JSONObject, operation: Operation[object]
) -> Assessment:
    try:
        value = operation.read(envelope)
    except DecodeError as error:
        return conclude(Verdict.UNREADABLE, error.message, fault=error)
    return conclude(Verdict.OK, "", value=value)


def _is_declined_payment(envelope: JSONObject, operation: Operation[object]) -> bool:
    """`status: failed` with a payment in it is a result (guide, "Status vs Error Code")."""
    if not operation.failure_is_result or not _says_failed(envelope):
        return False
    if operation.is_read and any(_has_status(envelope.get(name)) for name in _RECORDS):
        return True
    return any(is_said(envelope.get(field)) for field in _PAYMENT_SIGNS)


def _says_failed(envelope: JSONObject) -> bool:
    return normalized(envelope.get("status")) == "failed"


def _has_status(record: object) -> bool:
    return isinstance(record, dict) and ("status" in record or "transaction_status" in record)


def _parse_envelope(
    response: Response, secrets: Sequence[Secret]
) -> tuple[JSONObject | None, DecodeError | None]:
    body = response.reveal_body()
    if not body:
        return None, DecodeError("the body is empty")
    try:
        value = parse_json(body)
    except DecodeError as error:
        return None, error
    if not isinstance(value, dict):
        return None, DecodeError("the body is JSON, but not an object")
    # What was sent must not come back in a result either, whose every text may be shown.
    if secrets and may_hold(body, secrets):
        value = without_echoes(value, secrets, decisive=_DECISIVE)
    return value, None


def _error_code(envelope: JSONObject, secrets: Sequence[Secret]) -> str | None:
    code = envelope.get("error_code")
    # None first: a good answer has no code, and comparing with a union is slow.
    if code is None or not is_error_code(code):
        return None
    # A number is the same code as its text. An array or an object with something in it is one,
    # too: what went well has none.
    return one_line(str(code), secrets)[:64] if isinstance(code, str | int) else _ODD_CODE


def _quoted_message(envelope: JSONObject | None, secrets: Sequence[Secret]) -> str:
    """Quote the server's own message, masked and short."""
    message = None if envelope is None else envelope.get("message")
    if not isinstance(message, str) or not message:
        return ""
    return f' ("{one_line(message, secrets)}")'


def parse_retry_after(headers: Mapping[str, str], *, now: float) -> float | None:
    """Return the seconds a Retry-After header asks for, between 0 and one day, or None.

    Both forms of RFC 9110 are read, seconds and date. A date is compared with the server's own
    `Date` where there is one, so that a wrong clock on either side does no harm.
    """
    text = headers.get("retry-after", "").strip()
    if not text or len(text) > 64:
        return None
    try:
        seconds = float(text) if text.isascii() else math.nan
    except ValueError:
        moment = _http_date(text)
        if moment is None:
            return None
        reference = _http_date(headers.get("date", ""))
        seconds = moment - (now if reference is None else reference)
    if math.isnan(seconds):
        return None
    return min(max(seconds, 0.0), MAX_RETRY_AFTER)


def _http_date(text: str) -> float | None:
    with undivided:
        from email.utils import parsedate_to_datetime  # noqa: PLC0415 - few answers have a date

    try:
        return parsedate_to_datetime(text).timestamp()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
