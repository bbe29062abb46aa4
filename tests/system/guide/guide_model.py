"""What an answer of DGS-Pay means, written from the guide's text and from nothing of dgspay's.

The guide's sentences, and what follows from each:

- "Every API response includes a status field (success, pending, or failed)." Without one, or with
  another word, an answer to a call is none that can be relied on.
- "status: success: the request was accepted and a response was produced. Does not mean the payment
  succeeded." So it counts for nothing. "status: pending", "status: failed": "payment level".
- "Complete only when transaction_status equals successful AND the response contains no
  next_action_type field."
- "error_code: only present when the API itself could not process your request." Its codes are 00,
  90, 91, 92, 93, 99, and VALIDATION_ERROR in an example.
- "99: Unexpected internal error": whether anything was done is not said.
- "93: An idempotency key conflict was detected": under a key drawn at random, by this very request.
- A failed payment has `status: failed` or `transaction_status: failed`, and its dgs_reference.
- A row of the list has `status` success, pending or failed, which is the payment's.
- `disbursement.failed` has a fail_reason; a declined charge an issuer_response_type `declined`.

And two rules of prudence: what is said twice must be said alike, or it is not known; and a reason
or a code alone, without a status that says so, shows no failure.
"""

from __future__ import annotations

from typing import Any

PAID, FAILED, REFUSED, NOT_KNOWN = "paid", "failed", "refused", "not known"

_OWN_CODES = ("90", "91", "92", "VALIDATION_ERROR")
_WORDS_FOR_THE_PAYMENT = [
    *("transaction_status", "conversion_status", "payment_status", "charge_status"),
    *("transfer_status", "disbursement_status"),
]
_OBJECTS = [
    *("data", "transaction", "payment", "charge", "transfer", "disbursement", "conversion"),
]
_NAMES = [
    *("id", "dgs_reference", "flw_reference", "transaction_id", "reference"),
    *("dgs_conversion_ref", "flw_charge_id", "flw_transfer_id"),
]

Claims = list[str]
"""Each "paid" as the guide spells it, "paid?" in another spelling, "failed", "open" or "odd"."""


def _claim(word: Any) -> str:
    if word in ("successful", "success") and isinstance(word, str):
        return "paid"
    plain = word.strip().lower() if isinstance(word, str) else None
    kinds = {
        "successful": "paid?",
        "success": "paid?",
        "failed": "failed",
        "pending": "open",
        "processing": "open",
        "queued": "open",
    }
    return kinds.get(plain or "", "odd")


def _filled(value: Any) -> bool:
    if isinstance(value, str):
        return value.strip() != ""
    return bool(value)


def _code(answer: dict[str, Any]) -> str | None:
    code = answer.get("error_code")
    if code is None or isinstance(code, bool):
        return None
    if isinstance(code, str | int):
        text = str(code).strip()
        return None if set(text) <= {"0", " "} else text
    return "unreadable" if code else None


def _objects_in(value: Any) -> list[dict[str, Any]]:
    if isinstance(value, dict):
        return [value]
    return [one for item in value for one in _objects_in(item)] if isinstance(value, list) else []


def _claims(part: dict[str, Any], *, is_payment: bool) -> Claims:
    found = [_claim(part[name]) for name in _WORDS_FOR_THE_PAYMENT if part.get(name) is not None]
    status = part.get("status")
    if status is not None:
        claim = _claim(status)
        if is_payment or not claim.startswith("paid"):
            found.append(claim)
    if any(_filled(part.get(name)) for name in part if name.startswith("next_action")):
        found.append("open")
    if _code(part) is not None or _filled(part.get("fail_reason")):
        found.append("reason")
    issuer = part.get("issuer_response_type")
    if isinstance(issuer, str) and issuer.strip().lower() == "declined":
        found.append("reason")
    for name in _OBJECTS:
        for inner in _objects_in(part.get(name)):
            found += _claims(inner, is_payment=True)
    return found


def _references(part: dict[str, Any]) -> set[str]:
    name = part.get("dgs_reference")
    found = (
        {str(name).strip().casefold()} if isinstance(name, str | int) and _filled(name) else set()
    )
    for record in _OBJECTS:
        for inner in _objects_in(part.get(record)):
            found |= _references(inner)
    return found


def _together(claims: Claims, about: dict[str, Any]) -> str:
    said = frozenset(claims)
    if len(_references(about)) > 1:
        return NOT_KNOWN
    if said == {"paid"}:
        return PAID
    return FAILED if "failed" in said and said <= {"failed", "reason"} else NOT_KNOWN


def _says_it_goes_on(answer: dict[str, Any], level: int = 0) -> bool:
    """Whether a refusal mentions a payment that is under way, done, or in a strange state."""
    for name in _WORDS_FOR_THE_PAYMENT:
        word = answer.get(name)
        if isinstance(word, str) and word.strip() and word.strip().lower() != "failed":
            return True
    if any(_filled(answer.get(name)) for name in answer if name.startswith("next_action")):
        return True
    if level and _claim(answer.get("status")) in ("paid", "paid?", "open"):
        return True
    return any(
        _says_it_goes_on(inner, level + 1)
        for name in _OBJECTS
        for inner in _objects_in(answer.get(name))
    )


def _has_taken(answer: dict[str, Any]) -> bool:
    return _claim(answer.get("status")) in ("paid", "paid?", "open")


def _refusal(
    answer: dict[str, Any] | None, http: int, code: str | None, *, own_key: bool
) -> str | None:
    """What a refusal of a call that moves money means; None where it is no refusal."""
    if answer is None:
        return REFUSED if http == 429 else NOT_KNOWN
    if code is None and http < 400:
        return None
    is_plain = code in _OWN_CODES or code == "93"
    goes_on = _says_it_goes_on(answer) or (not (is_plain and http != 429) and _has_taken(answer))
    is_refusal = http == 429 or is_plain
    if code == "93" and own_key:
        # It is about this very request.
        is_refusal = False
    if goes_on or (not is_refusal and not _is_declined(answer, code)):
        return NOT_KNOWN
    return REFUSED if is_refusal else None


def _is_declined(answer: dict[str, Any], code: str | None) -> bool:
    """Whether an answer that HTTP calls a failure says by itself that the payment failed."""
    words = [_claim(answer.get(name)) for name in ("status", "transaction_status")]
    return code is None and words == ["failed", "failed"]


def _read_as(answer: dict[str, Any], name: str, *texts: str) -> bool:
    """Whether what must be text is text, and the payment has its name."""
    if not isinstance(answer.get("status"), str) or not _filled(answer.get(name)):
        return False
    return all(answer.get(text) is None or isinstance(answer[text], str) for text in (name, *texts))


def charge(answer: dict[str, Any] | None, http: int, *, own_key: bool = True) -> str:
    """What the answer to POST /charges or /authorize means."""
    if 300 <= http < 400:
        return NOT_KNOWN
    code = None if answer is None else _code(answer)
    refusal = _refusal(answer, http, code, own_key=own_key)
    if refusal is not None or answer is None:
        return refusal or NOT_KNOWN
    texts = ("transaction_status", "next_action_type")
    if not _read_as(answer, "dgs_reference", *texts):
        return NOT_KNOWN
    return _together(_claims(answer, is_payment=False), answer)


def transfer(answer: dict[str, Any] | None, http: int, *, own_key: bool = True) -> str:
    """What the answer to POST /disburse means: it "only confirms the transfer is queued"."""
    if 300 <= http < 400:
        return NOT_KNOWN
    code = None if answer is None else _code(answer)
    refusal = _refusal(answer, http, code, own_key=own_key)
    if refusal is not None or answer is None:
        return refusal or NOT_KNOWN
    # Nothing but the three words of the guide says how the call was taken.
    is_taken = answer.get("status") in ("success", "pending")
    if not is_taken and _claim(answer.get("status")) != "failed":
        return NOT_KNOWN
    if not _read_as(answer, "dgs_reference", "transaction_status", "fail_reason"):
        return NOT_KNOWN
    together = _together(_claims(answer, is_payment=False), answer)
    return FAILED if together == FAILED else NOT_KNOWN


def looked_up(answer: dict[str, Any] | None, http: int, asked: str) -> str:
    """What the answer to GET /transactions/{id} means."""
    if answer is None or 300 <= http < 400 or http == 429 or _code(answer) is not None:
        return NOT_KNOWN
    is_no = http >= 400 and not _is_declined(answer, None)
    if is_no or (_claim(answer.get("status")) == "failed" and not _shows_a_payment(answer)):
        return NOT_KNOWN
    record = _record(answer)
    if record is None or not _is_about(record, answer, asked) or not _has_own_status(record):
        return NOT_KNOWN
    # Beside a transaction_status, the status on top is not the payment's.
    is_payment = record is answer and not _filled(answer.get("transaction_status"))
    return _together(_claims(answer, is_payment=is_payment), answer)


def _record(answer: dict[str, Any]) -> dict[str, Any] | None:
    for name in ("data", "transaction"):
        if isinstance(inner := answer.get(name), dict):
            return inner
    row = {"id", "amount", "currency", "status", "payment_method_type", "created_at"}
    return answer if _filled(answer.get("transaction_status")) or row <= set(answer) else None


def _shows_a_payment(answer: dict[str, Any]) -> bool:
    for name in ("data", "transaction"):
        inner = answer.get(name)
        if isinstance(inner, dict) and ("status" in inner or "transaction_status" in inner):
            return True
    signs = ("transaction_status", "conversion_status", "dgs_reference", "dgs_conversion_ref", "id")
    return any(_filled(answer.get(sign)) for sign in signs)


def _has_own_status(record: dict[str, Any]) -> bool:
    own = record.get("transaction_status")
    return isinstance(own if _filled(own) else record.get("status"), str)


def _is_about(record: dict[str, Any], answer: dict[str, Any], asked: str) -> bool:
    def names(part: dict[str, Any]) -> dict[str, str]:
        return {
            name: str(part[name]).casefold()
            for name in _NAMES
            if isinstance(part.get(name), str | int)
            and not isinstance(part[name], bool)
            and str(part[name]).strip()
        }

    inner, outer = names(record), names(answer)
    reference = inner.get("dgs_reference")
    if reference and outer.get("dgs_reference", reference) != reference:
        return False
    if asked.casefold() in inner.values():
        return True
    return reference is None and asked.casefold() in outer.values()


def listed(row: dict[str, Any]) -> str:
    """What a row of GET /transactions means."""
    if not _has_own_status(row):
        return NOT_KNOWN
    return _together(_claims(row, is_payment=True), row)


def event(body: dict[str, Any]) -> str:
    """What a webhook means: its name says how it ended, and nothing may say otherwise."""
    name = body.get("event")
    if not _filled(body.get("dgs_reference")) or not isinstance(body["dgs_reference"], str):
        return NOT_KNOWN
    if body.get("status") is not None and not isinstance(body["status"], str):
        return NOT_KNOWN
    ends = {"success": "paid", "failed": "failed"}
    kind, _, end = str(name).partition(".")
    if kind not in ("payment", "disbursement") or end not in ends:
        return NOT_KNOWN
    # The name is the guide's own word, so that a status in another spelling only agrees with it.
    word = body.get("status")
    status = "success" if _claim(word) == "paid?" else word
    return _together([ends[end], *_claims({**body, "status": status}, is_payment=True)], body)
