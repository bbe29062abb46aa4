"""Transactions: the history of the account, and single look-ups."""

from __future__ import annotations

import functools

import attrs

from dgspay.api.fields import present
from dgspay.api.pages import MAX_LIMIT, listing_of, page_of
from dgspay.core.operation import Operation, Repeat
from dgspay.core.pagination import Listing
from dgspay.core.request_builder import check_segment
from dgspay.errors import DecodeError
from dgspay.models.enums import PaymentStatus, PaymentStatusWord
from dgspay.models.json_codec import JSONObject
from dgspay.models.standing import contradiction_in, is_said, statements
from dgspay.models.structuring import structure
from dgspay.models.transactions import Transaction

# The list's own words for a status (guide, "Query Parameters"), not those of charges.
_FILTERS = {
    PaymentStatus.PENDING: "pending",
    PaymentStatus.SUCCESSFUL: "success",
    PaymentStatus.FAILED: "failed",
}

# What the guide shows of every record, and of no other answer.
_RECORD = frozenset({"id", "amount", "currency", "status", "payment_method_type", "created_at"})

# By which of its names one may ask is not documented: any will do.
_NAMES = (
    "id",
    "dgs_reference",
    "flw_reference",
    "transaction_id",
    "reference",
    "dgs_conversion_ref",
    "flw_charge_id",
    "flw_transfer_id",
)


def _read_row(row: object) -> Transaction:
    if not isinstance(row, dict) or "transaction_status" not in row:
        return structure(row, Transaction)
    contradiction = contradiction_in(statements(row, is_record=True))
    return _transaction(row, contradiction)


_read_page = page_of(_read_row)


def list(  # noqa: A001 - the public name
    *,
    status: PaymentStatus | PaymentStatusWord | None = None,
    payment_link_id: str | None = None,
    dgs_reference: str | None = None,
    flw_reference: str | None = None,
    page: int = 1,
    limit: int = MAX_LIMIT,
    prefetch: int = 1,
) -> Listing[Transaction]:
    """List transactions, newest first (guide, "Transactions").

    A row that leaves the list while it is paged through, as one does that is no longer
    `pending`, moves those behind it forward, and one of them may be left out. Where none may
    be, list without that filter, or list again.

    Args:
        status: `pending`, `success` or `failed`.
        payment_link_id: Only those of a payment link.
        dgs_reference: Only the one with this reference.
        flw_reference: Only the one with this Flutterwave reference.
        page: Page to begin with, from 1.
        limit: Rows per page, at most 100.
        prefetch: Pages to fetch at once. Memory grows with it, the waiting shrinks with it.

    Raises:
        ValueError, TypeError: a filter is wrong; nothing was sent.
    """
    filters = present(
        {
            "status": None if status is None else _status_word(status),
            "payment_link_id": _optional(payment_link_id, "payment_link_id"),
            "dgs_reference": _optional(dgs_reference, "dgs_reference"),
            "flw_reference": _optional(flw_reference, "flw_reference"),
        }
    )
    return listing_of(
        "/transactions",
        _read_page,
        _identity,
        page=page,
        limit=limit,
        prefetch=prefetch,
        filters=filters,
    )


def retrieve(id_or_reference: str) -> Operation[Transaction]:
    """Look one transaction up by its id or its dgs-reference (guide, "Transactions").

    Raises:
        NotFoundError: it does not exist, or belongs to another account.
        DecodeError: the answer is about another transaction, or does not say about which.
    """
    asked = check_segment(id_or_reference, field="id_or_reference")
    return Operation(
        method="GET",
        path="/transactions/{id}",
        path_values={"id": asked},
        read=functools.partial(_read_transaction, asked),
        repeat=Repeat.READ,
        failure_is_result=True,
    )


def _identity(transaction: Transaction) -> str | None:
    # Without an id, a failed and a successful try at one reference are still two rows.
    if transaction.id is None and transaction.dgs_reference is not None:
        return f"{transaction.dgs_reference} {transaction.status}"
    return transaction.id


def _read_transaction(asked: str, envelope: JSONObject) -> Transaction:
    record = _record_in(envelope)
    _require_about(asked, record, envelope)
    # Beside a `transaction_status`, a `status` on top says no more than that the call was taken.
    is_record = record is envelope and not is_said(record.get("transaction_status"))
    return _transaction(record, contradiction_in(statements(envelope, is_record=is_record)))


def _transaction(record: JSONObject, contradiction: str | None) -> Transaction:
    found = structure(_with_own_status(record), Transaction)
    return found if contradiction is None else attrs.evolve(found, contradiction=contradiction)


def _require_about(asked: str, record: JSONObject, envelope: JSONObject) -> None:
    """Reject an answer that does not show the name it was asked for under.

    Goods would be shipped, or a salary paid again, by the result of another payment.
    """
    inner, outer = _names_in(record), _names_in(envelope)
    if not inner and not outer:
        raise DecodeError("the answer does not say which transaction it is about")
    ours = asked.casefold()
    both = inner.get("dgs_reference"), outer.get("dgs_reference")
    is_named = ours in inner.values()
    # A record without a reference may have it above itself.
    is_named = is_named or (both[0] is None and ours in outer.values())
    if not is_named or (None not in both and both[0] != both[1]):
        raise DecodeError("the answer is about another transaction")


def _names_in(record: JSONObject) -> dict[str, str]:
    named = {field: record.get(field) for field in _NAMES}
    return {
        field: str(name).casefold()
        for field, name in named.items()
        if isinstance(name, str | int) and not isinstance(name, bool) and is_said(str(name))
    }


def _record_in(envelope: JSONObject) -> JSONObject:
    """Find the record in the answer, whose shape the guide does not show.

    `status` means two things: that the call was taken, and how the payment stands. Only where
    it certainly is the payment's may it be read as such, or a pending payment would count as
    paid.
    """
    for name in ("data", "transaction"):
        record = envelope.get(name)
        if isinstance(record, dict):
            return record
    if is_said(envelope.get("transaction_status")) or envelope.keys() >= _RECORD:
        return envelope
    raise DecodeError("the answer holds no transaction")


def _with_own_status(record: JSONObject) -> JSONObject:
    if not is_said(record.get("transaction_status")):
        return record
    rest = {name: value for name, value in record.items() if name != "transaction_status"}
    return {**rest, "status": record["transaction_status"]}


def _status_word(status: PaymentStatus | PaymentStatusWord) -> str:
    if not isinstance(status, str):
        raise TypeError(f"status must be a str, not {type(status).__name__}")
    word = _FILTERS.get(PaymentStatus(status))
    if word is None:
        raise ValueError(f"status must be one of {', '.join(_FILTERS.values())}")
    return word


def _optional(value: str | None, field: str) -> str | None:
    return None if value is None else check_segment(value, field=field)
