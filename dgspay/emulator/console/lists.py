"""Lists of the console: searched, filtered by status, and shown from the newest on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from typing import Any, Final

import attrs

from dgspay.emulator.api.call import API_PREFIX
from dgspay.emulator.console.rows import (
    conversion_row,
    delivery_row,
    delivery_state,
    disbursement_row,
    payment_row,
    request_row,
    request_state,
)
from dgspay.emulator.domain.account import Account
from dgspay.emulator.domain.payment_links import link_fields, link_status
from dgspay.emulator.domain.records import Conversion, Disbursement, Link
from dgspay.emulator.domain.search_index import places_in
from dgspay.emulator.engine.engine import Engine
from dgspay.emulator.engine.request_log import LoggedRequest
from dgspay.emulator.webhooks.delivery import Delivery
from dgspay.emulator.webhooks.dispatcher import Dispatcher
from dgspay.models.json_codec import JSONObject, dump_json

FIRST_SHOWN: Final = 50
"""Rows that are shown before more are asked for."""

MOST_SHOWN: Final = 1_000
"""Rows that a page shows at most: a search, or the CSV file, leads further back."""


@attrs.frozen
class House:
    """Where the rows of a list come from.

    Attributes:
        engine: The emulator's.
        dispatcher: Its webhooks.
        account: Whose rows.
    """

    engine: Engine
    dispatcher: Dispatcher
    account: Account


@attrs.frozen
class ListQuery:
    """What is to be seen of a list.

    Attributes:
        search: Words that a row must have in it, each of them, in any case.
        status: The one status a row must have; empty for any.
        count: How many rows are shown at most.
    """

    search: str = ""
    status: str = ""
    count: int = FIRST_SHOWN

    @classmethod
    def of(cls, query: Mapping[str, str]) -> ListQuery:
        """Read it from the query parameters of a request.

        Raises:
            ValueError: when `count` is no number from 1 to `MOST_SHOWN`.
        """
        count = query.get("count", str(FIRST_SHOWN))
        if not (count.isascii() and count.isdigit() and 1 <= int(count[:9]) <= MOST_SHOWN):
            raise ValueError(f"count must be a whole number from 1 to {MOST_SHOWN:,}")
        return cls(query.get("search", ""), query.get("status", ""), int(count))


@attrs.frozen
class Listing:
    """One list.

    Attributes:
        rows: Returns all its rows, oldest first; called while nothing changes.
        status: Returns what the status chips distinguish.
        show: Returns a row as plain values.
        text: Returns what a row is found by.
        blocks: Returns the same of all rows as `SearchIndex` has it, where one is kept.
    """

    rows: Callable[[House], Sequence[Any]]
    status: Callable[[House, Any], str]
    show: Callable[[House, Any], JSONObject]
    text: Callable[[Any], str] | None = None
    blocks: Callable[[Account], Sequence[str]] | None = None


@attrs.frozen
class Found:
    """What a search has found.

    Attributes:
        rows: What is found and has the status asked for, oldest first.
        statuses: How many of each status are found, whatever status was asked for.
        total: How many rows the list has.
    """

    rows: Sequence[Any]
    statuses: Mapping[str, int]
    total: int


def find(house: House, name: str, query: ListQuery) -> Found:
    """Search a list. Only its beginning keeps others out: no charge waits for a search.

    Raises:
        LookupError: when there is no such list.
    """
    listing = LISTS.get(name)
    if listing is None:
        raise LookupError(f"no list {name!r}: there are {', '.join(LISTS)}")
    with house.engine.lock:
        rows = listing.rows(house)
        total = len(rows)
        blocks = listing.blocks(house.account) if listing.blocks else ()
    matching: Sequence[Any] = rows
    if query.search.strip():
        if listing.text is None:
            matching = [rows[place] for place in places_in(blocks, query.search)]
        else:
            words = query.search.lower().split()
            matching = [row for row in rows if _has_all(words, listing.text(row).lower())]
    states = [listing.status(house, row) for row in matching[:total]]
    if query.status:
        chosen = [
            row for row, state in zip(matching, states, strict=False) if state == query.status
        ]
    else:
        chosen = list(matching[:total])
    return Found(chosen, Counter(states), total)


def shown_list(house: House, name: str, query: ListQuery) -> JSONObject:
    """Return the newest rows of a list that a search finds, newest first, and how many there are.

    Raises:
        LookupError: when there is no such list.
    """
    found = find(house, name, query)
    show = LISTS[name].show
    with house.engine.lock:
        rows = [show(house, row) for row in islice(reversed(found.rows), query.count)]
    return {
        "name": name,
        "rows": rows,
        "found": len(found.rows),
        "total": found.total,
        "statuses": dict(found.statuses),
    }


def _has_all(words: Sequence[str], text: str) -> bool:
    return all(word in text for word in words)


def _requests(house: House) -> Sequence[LoggedRequest]:
    mine = (house.account.credentials.account_number, None)
    return [a for a in house.engine.request_log.entries if a.account_number in mine]


def request_text(logged: LoggedRequest) -> str:
    """What a request is found by: all of it, its answer included."""
    body = b"" if logged.body is None else dump_json(logged.body)
    # As the console shows it, and as it came.
    path = f"{logged.path.removeprefix(API_PREFIX)} {logged.path}"
    parts = (logged.method, path, logged.query, str(logged.status), logged.fault or "")
    texts = (*parts, *logged.headers.values())
    # A made-up answer may be any bytes.
    answer = logged.answer.decode("utf-8", "replace")
    return f"{' '.join(texts)} {body.decode()} {answer}"


def _link_text(link: Link) -> str:
    terms = link.terms
    amount = terms.get("amount") or ""
    return f"{terms['title']} {link.slug} {link.id} {amount} {terms['currency']}"


def _disbursement_text(transfer: Disbursement) -> str:
    recipient = " ".join(transfer.recipient.values())
    return (
        f"{transfer.dgs_reference} {recipient} {transfer.amount} {transfer.currency} "
        f"{transfer.narration or ''}"
    )


def _conversion_text(conversion: Conversion) -> str:
    return (
        f"{conversion.dgs_reference} {conversion.from_amount} {conversion.from_currency} "
        f"{conversion.to_amount} {conversion.to_currency}"
    )


def deliveries_of(house: House) -> Sequence[Delivery]:
    """The merchant's webhooks, oldest first."""
    number = house.account.credentials.account_number
    return [d for d in tuple(house.dispatcher.deliveries) if d.account_number == number]


def _delivery_text(delivery: Delivery) -> str:
    return f"{delivery.event} {delivery.reference} {delivery.url or ''} {delivery.body.decode()}"


LISTS: Final[Mapping[str, Listing]] = {
    "requests": Listing(
        _requests,
        lambda _, logged: request_state(logged),
        lambda _, logged: request_row(logged),
        request_text,
    ),
    "transactions": Listing(
        lambda house: house.account.payments,
        lambda _, payment: payment.status,
        lambda _, payment: payment_row(payment),
        blocks=lambda account: account.history.words.blocks(),
    ),
    "links": Listing(
        lambda house: list(house.account.links.values()),
        lambda house, link: link_status(house.account, link),
        lambda house, link: link_fields(house.account, link),
        _link_text,
    ),
    "payouts": Listing(
        lambda house: list(house.account.disbursements.values()),
        lambda _, transfer: transfer.status,
        lambda _, transfer: disbursement_row(transfer),
        _disbursement_text,
    ),
    "conversions": Listing(
        lambda house: list(house.account.conversions.values()),
        lambda _, conversion: conversion.status,
        lambda _, conversion: conversion_row(conversion),
        _conversion_text,
    ),
    "webhooks": Listing(
        deliveries_of,
        lambda _, delivery: delivery_state(delivery),
        lambda _, delivery: delivery_row(delivery),
        _delivery_text,
    ),
}
"""Each list by the name of its tab."""
