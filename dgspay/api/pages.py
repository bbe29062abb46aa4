"""Readers of a page of a list (guide, "List Response")."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from dgspay.core.operation import Operation, Repeat
from dgspay.core.pagination import Listing, Page
from dgspay.errors import DecodeError
from dgspay.models.json_codec import JSONObject
from dgspay.models.structuring import structure
from dgspay.models.validators import whole_number

T = TypeVar("T")

MAX_LIMIT = 100
"""Rows per page at most (guide, "Query Parameters")."""

_MAX_PREFETCH = 100
_MAX_COUNT_DIGITS = 15


def listing_of(
    path: str,
    read: Callable[[JSONObject], Page[T]],
    identity: Callable[[T], str | None],
    *,
    page: int,
    limit: int,
    prefetch: int,
    filters: Mapping[str, str] | None = None,
) -> Listing[T]:
    """Return a list that is fetched from `path`, its steering arguments checked.

    Raises:
        ValueError, TypeError: for a page, limit or prefetch out of bounds.
    """
    whole_number(limit, field="limit", at_most=MAX_LIMIT)

    def fetch(number: int) -> Operation[Page[T]]:
        return Operation(
            method="GET",
            path=path,
            query={"page": str(number), "limit": str(limit), **(filters or {})},
            read=read,
            repeat=Repeat.READ,
        )

    return Listing(
        fetch=fetch,
        identity=identity,
        first=whole_number(page, field="page"),
        prefetch=whole_number(prefetch, field="prefetch", at_most=_MAX_PREFETCH),
    )


def rows_of(cls: type[T]) -> Callable[[object], T]:
    """Return a reader that takes a row as one model."""
    return lambda row: structure(row, cls)


def page_of(
    read_row: Callable[[object], T], *, rows_in: tuple[str, ...] = ("data",)
) -> Callable[[JSONObject], Page[T]]:
    """Return a reader of pages, their rows under the first of `rows_in` that is there."""

    def read(envelope: JSONObject) -> Page[T]:
        key = next((name for name in rows_in if name in envelope), rows_in[0])
        meta = envelope.get("pagination")
        if not isinstance(meta, dict):
            meta = {}
        rows = envelope.get(key)
        if rows is None and key in envelope and not _count(meta.get("total")):
            rows = []  # as PHP may write an empty list
        if not isinstance(rows, list):
            raise DecodeError(f"the answer holds no list of rows in {key}", path=key)
        return Page(
            rows=tuple([_row(row, read_row, key, index) for index, row in enumerate(rows)]),
            page=_count(meta.get("page")),
            limit=_count(meta.get("limit")),
            total=_count(meta.get("total")),
            pages=_count(meta.get("pages")),
        )

    return read


def _row(row: object, read: Callable[[object], T], key: str, index: int) -> T:
    try:
        return read(row)
    except DecodeError as error:
        path = f"{key}[{index}]"
        inner = f"{path}.{error.path}" if error.path else path
        reason = error.message
    raise DecodeError(f"{reason} (in {inner})", path=inner)


def _count(value: object) -> int | None:
    """Read a count, which only steers the paging: text is taken, nonsense is not counted on."""
    if isinstance(value, str) and value.isascii() and value.isdecimal():
        value = int(value) if len(value) <= _MAX_COUNT_DIGITS else None
    if type(value) is not int or value < 0:
        return None
    return value
