"""Lists of the console: searched, filtered by status, and shown from the newest on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
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


@attrs.frozen
class Listing:
    """One list.

    Attributes:
        find: Searches it. Only its beginning keeps others out: no charge waits for a search.
        show: Returns a row as plain values; called while nothing changes.
    """

    find: Callable[[House, ListQuery], Found]
    show: Callable[[House, Any], JSONObject]


def listing(name: str) -> Listing:
    """Return a list by its name.

    Raises:
        LookupError: when there is none of this name.
    """
    found = LISTS.get(name)
    if found is None:
        raise LookupError(f"no list {name!r}: there are {', '.join(LISTS)}")
    return found


def looking(
    rows: Callable[[House], Sequence[Any]],
    status: Callable[[House, Any], str],
    text: Callable[[Any], str],
) -> Callable[[House, ListQuery], Found]:
    """Make a search that looks at every row.

    Args:
        rows: Returns all rows, oldest first; called while nothing changes.
        status: Returns what the status chips distinguish.
        text: Returns what a row is found by.
    """

    def find(house: House, query: ListQuery) -> Found:
        with house.engine.lock:
            every = rows(house)
        words = query.search.lower().split()
        matching = [row for row in every if _has_all(words, text(row).lower())]
        states = [status(house, row) for row in matching]
        pairs = zip(matching, states, strict=True)
        chosen = [row for row, s in pairs if s == query.status] if query.status else matching
        return Found(chosen, Counter(states), len(every))

    return find


def _find_payments(house: House, query: ListQuery) -> Found:
    """Search the payments, of which there may be a hundred thousand, by their indexes."""
    history = house.account.history
    with house.engine.lock:
        total = len(history.payments)
        blocks, places = history.words.blocks(), history.places()
    if query.search.strip():
        found: Sequence[int] = places_in(blocks, query.search)
        among = frozenset(found)
        by_status: Mapping[str, Collection[int]] = {
            status: among.intersection(at) for status, at in places.items()
        }
    else:
        found, by_status = range(total), dict(places)
    if query.status:
        found = sorted(by_status.get(query.status, ()))
    statuses = {status: len(at) for status, at in by_status.items() if at}
    return Found(history.at(found), statuses, total)


def shown_list(house: House, name: str, query: ListQuery) -> JSONObject:
    """Return the newest rows of a list that a search finds, newest first, and how many there are.

    Raises:
        LookupError: when there is no such list.
    """
    wanted = listing(name)
    found = wanted.find(house, query)
    with house.engine.lock:
        rows = [wanted.show(house, row) for row in islice(reversed(found.rows), query.count)]
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


def _request_text(logged: LoggedRequest) -> str:
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
        looking(_requests, lambda _, logged: request_state(logged), _request_text),
        lambda _, logged: request_row(logged),
    ),
    "transactions": Listing(_find_payments, lambda _, payment: payment_row(payment)),
    "links": Listing(
        looking(
            lambda house: list(house.account.links.values()),
            lambda house, link: link_status(house.account, link),
            _link_text,
        ),
        lambda house, link: link_fields(house.account, link),
    ),
    "payouts": Listing(
        looking(
            lambda house: list(house.account.disbursements.values()),
            lambda _, transfer: transfer.status,
            _disbursement_text,
        ),
        lambda _, transfer: disbursement_row(transfer),
    ),
    "conversions": Listing(
        looking(
            lambda house: list(house.account.conversions.values()),
            lambda _, conversion: conversion.status,
            _conversion_text,
        ),
        lambda _, conversion: conversion_row(conversion),
    ),
    "webhooks": Listing(
        looking(deliveries_of, lambda _, delivery: delivery_state(delivery), _delivery_text),
        lambda _, delivery: delivery_row(delivery),
    ),
}
"""Each list by the name of its tab."""
