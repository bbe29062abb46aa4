"""Times of the API, which have no zone: they get the client's."""

from __future__ import annotations

from datetime import datetime, tzinfo
from typing import Any, TypeVar

import attrs

T = TypeVar("T")


def in_zone(result: T, zone: tzinfo) -> T:
    """Return a result, models and tuples in it included, with the zone at its zoneless times."""
    given: Any = result
    moved = given
    if isinstance(given, datetime):
        moved = given.replace(tzinfo=zone) if given.tzinfo is None else given
    elif type(given) is tuple:
        moved = tuple([in_zone(item, zone) for item in given])
    elif attrs.has(type(given)):
        moved = _model_in_zone(given, zone)
    return moved  # type: ignore[no-any-return]


def _model_in_zone(model: Any, zone: tzinfo) -> Any:
    changes = {}
    for field in attrs.fields(type(model)):
        value = getattr(model, field.name)
        if (moved := in_zone(value, zone)) is not value:
            changes[field.name] = moved
    return attrs.evolve(model, **changes) if changes else model
