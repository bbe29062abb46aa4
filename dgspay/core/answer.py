"""What an answer means: pure functions of status, headers and body, and nothing else.

The body decides; the HTTP status decides only where no usable body came. That is, in order:

1. a redirect is no answer;
2. 429 and an `error_code` of the guide are refusals. A code the guide does not list is one,
   too, unless it came with a 5xx: a gateway has codes of its own, and knows nothing of the call;
3. HTTP 4xx without a code is a refusal by status, 5xx says nothing of what was done, and either
   may carry a declined payment, which is a result;
4. `status: failed` without a code is a declined payment where there is one, else a refusal;
5. a refusal whose body tells of a payment that goes on, or stands in a way the guide does not
   know, contradicts itself: not known;
6. everything else must be readable as the result, or the outcome is not known.
"""

from __future__ import annotations

import enum
import functools
import math
import re
from collections.abc import Callable, Mapping, Sequence
from email.utils import parsedate_to_datetime
from typing import Any, Protocol

import attrs

from dgspay.core.operation import Operation, Response, TransportFailure
from dgspay.errors import DecodeError
from dgspay.models.codec import JSONObject, parse_json
from dgspay.secret import Secret, masked_text

EXCERPT_CHARACTERS = 200
# At the end of what was cut off: the rest of a word, or of a number in groups.
_CUT_OFF = re.compile(r"[0-9\s-]*\S*\Z")
MAX_RETRY_AFTER = 86_400.0


class Verdict(enum.Enum):
    """What one attempt came to, as far as repeating it is concerned."""

    OK = "ok"
    NOT_SENT = "not sent"
    NOT_SENT_FOR_GOOD = "not sent, and trying again cannot help"
    UNKNOWN = "no usable answer"
    UNREADABLE = "an answer whose content is not what it should be"
    RATE_LIMITED = "429"
    SAFE_TO_RETRY = "99"
    KEY_CONFLICT = "93"
    REJECTED = "rejected"


# Not frozen: setting what is frozen takes an eighth of the time in which an answer is assessed.
@attrs.define(kw_only=True)
class Finding:
    """What one attempt came to. It is never changed.

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


# The codes of the guide ("Error Codes", and the conversion example).
_VERDICT_BY_CODE = {
    "90": Verdict.REJECTED,
    "VALIDATION_ERROR": Verdict.REJECTED,
    "91": Verdict.REJECTED,
    "92": Verdict.REJECTED,
    "93": Verdict.KEY_CONFLICT,
    "99": Verdict.SAFE_TO_RETRY,
}

# What stands for a code that is neither text nor a number.
_ODD_CODE = "unreadable"

# `status` of an answer that was taken. A tuple, for what is looked for in it may be a list.
_TAKEN = ("success", "pending")
# The guide's words for what is under way or done, and where they stand beside `status`.
_GOES_ON = frozenset({"pending", "successful", "success", "processing", "queued"})
_PROGRESS = ("transaction_status", "conversion_status")
# Where a payment that was looked up may stand as a whole.
_RECORDS = ("data", "transaction")

# 408: the server gave up on us. 409 without a code says no more than "something is there".
# 499: a proxy says that we hung up. Neither tells whether the call was carried out.
_SAYS_NOTHING = frozenset({408, 409, 425, 499})


def assess_failure(failure: TransportFailure) -> Finding:
    """Say what an attempt without an answer came to."""
    if failure.sent:
        verdict = Verdict.UNKNOWN
    elif failure.permanent:
        verdict = Verdict.NOT_SENT_FOR_GOOD
    else:
        verdict = Verdict.NOT_SENT
    return Finding(verdict=verdict, reason=failure.reason, misconfigured=failure.misconfigured)


class _Found(Protocol):
    """Makes a Finding that already holds what came with the answer."""

    def __call__(self, verdict: Verdict, reason: str, **more: Any) -> Finding: ...


def assess(
    response: Response, operation: Operation[Any], *, now: float, secrets: Sequence[Secret] = ()
) -> Finding:
    """Say what an answer means for this operation.

    Args:
        response: The answer.
        operation: The call it answers.
        now: Unix time, for a Retry-After given as a date.
        secrets: What a server must not be quoted with, should it send it back.
    """
    status = response.status
    retry_after = parse_retry_after(response.headers, now=now)
    envelope, fault = _parse_envelope(response)
    excerpt = _excerpt(response.body, secrets) if envelope is None else None
    code = None if envelope is None else _error_code(envelope)
    # Most answers are good, and nobody quotes them.
    said = functools.partial(_said, envelope, secrets)

    def found(verdict: Verdict, reason: str, **more: Any) -> Finding:
        return Finding(
            verdict=verdict,
            reason=reason,
            status=status,
            error_code=code,
            body=envelope,
            excerpt=excerpt,
            retry_after=retry_after,
            **more,
        )

    if 300 <= status < 400:
        return found(
            Verdict.UNKNOWN, f"the server redirected (HTTP {status}), which is never followed"
        )
    if envelope is not None and _contradicts(envelope, code, status, operation):
        no, yes = _no(code, status), _yes(envelope)
        reason = f"the answer says no with {no}{said()} and yes with {yes}"
        return found(Verdict.UNKNOWN, reason, contradicts=True)
    if status == 429:
        return found(Verdict.RATE_LIMITED, "DGS-Pay refused: too many requests (HTTP 429)")
    if code is not None:
        return _assess_code(found, code, status, said)
    if status >= 400:
        return _assess_http_error(found, envelope, operation, status, said)
    if envelope is None:
        reason = f"the answer (HTTP {status}) is unusable"
        return found(Verdict.UNKNOWN, f"{reason}: {fault.message if fault else 'no'}", fault=fault)
    return _assess_success(found, envelope, operation, said)


def _assess_code(found: _Found, code: str, status: int, said: Callable[[], str]) -> Finding:
    if code not in _VERDICT_BY_CODE and status >= 500:
        return found(Verdict.UNKNOWN, f"the server answered HTTP {status}, code {code}{said()}")
    verdict = _VERDICT_BY_CODE.get(code, Verdict.REJECTED)
    return found(verdict, f"DGS-Pay refused with code {code}{said()}")


def _assess_success(
    found: _Found, envelope: JSONObject, operation: Operation[Any], said: Callable[[], str]
) -> Finding:
    if envelope.get("status") == "failed" and not _is_declined_payment(envelope, operation):
        return found(Verdict.REJECTED, f"DGS-Pay refused{said()}")
    if not _is_taken(envelope, operation):
        return found(Verdict.UNKNOWN, f"the answer has a status the guide does not know{said()}")
    return _read_result(found, envelope, operation)


def _contradicts(
    envelope: JSONObject, code: str | None, status: int, operation: Operation[Any]
) -> bool:
    """Whether a refusal tells of a payment that goes on all the same.

    A code of the guide's is "only present when the API itself could not process your request",
    so a mere `status: success` beside it is sloppy. Beside 99, which would be repeated, or
    beside a code the guide does not list, it is not to be relied on.
    """
    is_refused = code is not None or status >= 400
    # Of a charge, `status: failed` alone is a result.
    if not is_refused and (operation.failure_is_result or envelope.get("status") != "failed"):
        return False
    if operation.is_read:
        return False
    if any(_may_go_on(envelope.get(field)) for field in _PROGRESS):
        return True
    is_plain_no = code in _VERDICT_BY_CODE and code != "99" and status != 429
    return not is_plain_no and _word(envelope.get("status")) in _GOES_ON


def _may_go_on(word: Any) -> bool:
    """Whether it is a word for how a payment stands, and not the one that says it is over.

    One the guide does not know never counts as paid, and as not paid no more than that.
    """
    return _word(word) not in ("", "failed")


def _word(value: Any) -> str:
    return value.strip().casefold() if isinstance(value, str) else ""


def _no(code: str | None, status: int) -> str:
    if code:
        return f"code {code}"
    return f"HTTP {status}" if status >= 400 else "'failed'"


def _yes(envelope: JSONObject) -> str:
    # Only words that are known are quoted, so there is nothing to mask.
    for field in (*_PROGRESS, "status"):
        if (word := _word(envelope.get(field))) in _GOES_ON:
            return repr(word)
    return "a payment whose status the guide does not know"


def _is_taken(envelope: JSONObject, operation: Operation[Any]) -> bool:
    """Whether `status` says that the call was taken, where it is the only word on that.

    A charge has its `transaction_status`, which decides for itself.
    """
    if operation.failure_is_result or operation.is_read or "status" not in envelope:
        return True
    return not isinstance(envelope["status"], str) or envelope["status"] in _TAKEN


def _assess_http_error(
    found: _Found,
    envelope: JSONObject | None,
    operation: Operation[Any],
    status: int,
    said: Callable[[], str],
) -> Finding:
    if (
        envelope is not None
        and envelope.get("transaction_status") == "failed"
        and _is_declined_payment(envelope, operation)
    ):
        return _read_result(found, envelope, operation)
    reason = f"the server answered HTTP {status}{said()}"
    if status >= 500 or status in _SAYS_NOTHING:
        return found(Verdict.UNKNOWN, reason)
    return found(Verdict.REJECTED, reason)


def _read_result(found: _Found, envelope: JSONObject, operation: Operation[Any]) -> Finding:
    try:
        value = operation.read(envelope)
    except DecodeError as error:
        return found(Verdict.UNREADABLE, error.message, fault=error)
    return found(Verdict.OK, "", value=value)


def _is_declined_payment(envelope: JSONObject, operation: Operation[Any]) -> bool:
    """`status: failed` with a payment in it is a result (guide, "Status vs Error Code")."""
    if not operation.failure_is_result or envelope.get("status") != "failed":
        return False
    if operation.is_read and any(_has_status(envelope.get(name)) for name in _RECORDS):
        return True
    return "transaction_status" in envelope or "dgs_reference" in envelope or "id" in envelope


def _has_status(record: Any) -> bool:
    return isinstance(record, dict) and ("status" in record or "transaction_status" in record)


def _parse_envelope(response: Response) -> tuple[JSONObject | None, DecodeError | None]:
    if not response.body:
        return None, DecodeError("the body is empty")
    try:
        value = parse_json(response.body)
    except DecodeError as error:
        return None, error
    if not isinstance(value, dict):
        return None, DecodeError("the body is JSON, but not an object")
    return value, None


def _error_code(envelope: JSONObject) -> str | None:
    code = envelope.get("error_code")
    # None first: a good answer has no code, and to hold it against a union takes its time.
    if code is None or isinstance(code, bool):
        return None
    if not isinstance(code, str | int):
        # An array or an object with something in it: nobody says that of what went well.
        return _ODD_CODE if code else None
    # A number is the same code, and zeros of any count say that all is well.
    text = str(code).strip()
    return text[:64] if text.strip("0 ") else None


def _said(envelope: JSONObject | None, secrets: Sequence[Secret]) -> str:
    """Quote the server's own message, masked and short."""
    message = None if envelope is None else envelope.get("message")
    if not isinstance(message, str) or not message:
        return ""
    return f' ("{_printable(message, secrets)}")'


def _excerpt(body: bytes, secrets: Sequence[Secret]) -> str | None:
    # Cut after masking, or the cut could hide that a run of digits is a card number.
    window = 4 * EXCERPT_CHARACTERS
    beginning = body[:window].decode("utf-8", "replace")
    text = _printable(beginning, secrets)
    if len(body) > window and len(text) <= EXCERPT_CHARACTERS:
        # So much was white space that the end shows, where half a secret may stand unmasked.
        text = _printable(_CUT_OFF.sub("", beginning), secrets)
    return text or None


def _printable(text: str, secrets: Sequence[Secret]) -> str:
    text = masked_text(" ".join(text.split()), secrets)
    text = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)
    return text if len(text) <= EXCERPT_CHARACTERS else text[:EXCERPT_CHARACTERS] + "..."


def parse_retry_after(headers: Mapping[str, str], *, now: float) -> float | None:
    """Return the seconds a Retry-After header asks for, between 0 and one day, or None.

    Both forms of RFC 9110 are read, seconds and date. A date is held against the server's own
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
    try:
        return parsedate_to_datetime(text).timestamp()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
