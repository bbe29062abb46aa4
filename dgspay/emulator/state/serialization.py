"""The form in which records are kept: JSON text, and back, digit for digit."""

from __future__ import annotations

import functools
import json
import sys
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, TypeVar

from dgspay.emulator.api.fields import Fields
from dgspay.emulator.domain.payment_links import read_terms, terms_as_given
from dgspay.emulator.domain.records import Event, Link, Payment
from dgspay.emulator.faults.kinds import Fault
from dgspay.models.json_codec import dump_json, parse_json

if TYPE_CHECKING:
    from cattrs import Converter

T = TypeVar("T")

# Texts that come with nearly every payment: kept once in memory, they cost next to nothing.
_REPEATED: Final = ("currency", "redirect_url", "callback_url", "network", "link_id")


def to_text(record: object) -> str:
    """Write a record."""
    return json.dumps(_converter().unstructure(record), ensure_ascii=False, separators=(",", ":"))


def from_text(text: str, kind: type[T]) -> T:
    """Read a record that `to_text` wrote."""
    record = _converter().structure(json.loads(text), kind)
    if isinstance(record, Payment):
        for name in _REPEATED:
            if (value := getattr(record, name)) is not None:
                setattr(record, name, sys.intern(value))
    return record


@functools.cache
def _converter() -> Converter:
    from cattrs import Converter  # noqa: PLC0415 - loaded by the first file or snapshot
    from cattrs.gen import make_dict_structure_fn as reading  # noqa: PLC0415
    from cattrs.gen import make_dict_unstructure_fn as writing  # noqa: PLC0415
    from cattrs.gen import override  # noqa: PLC0415

    converter = Converter()
    converter.register_unstructure_hook(Decimal, str)
    converter.register_structure_hook(Decimal, lambda text, _: Decimal(text))
    # Bodies are JSON, so nearly all of it stays legible.
    converter.register_unstructure_hook(bytes, lambda raw: raw.decode("latin-1"))
    converter.register_structure_hook(bytes, lambda text, _: text.encode("latin-1"))
    skipped = override(omit=True)
    terms = override(
        unstruct_hook=lambda terms: dump_json(terms_as_given(terms)).decode(),
        # A link's terms are read as those of a request, which they once were.
        struct_hook=lambda text, _: read_terms(Fields(parse_json(text.encode()))),
    )
    write_link = writing(Link, converter, payments=skipped, payers=skipped, terms=terms)
    read_link = reading(Link, converter, payments=skipped, payers=skipped, terms=terms)
    converter.register_unstructure_hook(Link, write_link)
    converter.register_structure_hook(Link, read_link)
    payload = override(
        unstruct_hook=lambda payload: dump_json(payload).decode(),
        struct_hook=lambda text, _: parse_json(text.encode()),
    )
    # Its secret is the account's, and is not written down.
    write_event = writing(Event, converter, payload=payload, secret=skipped)
    converter.register_unstructure_hook(Event, write_event)
    converter.register_structure_hook(
        Event, reading(Event, converter, payload=payload, secret=skipped)
    )
    for kind in _FAULTS.values():
        write_fault = _tagged(kind.__name__, writing(kind, converter))
        converter.register_unstructure_hook(kind, write_fault)
    # By its own class, because the hook of a superclass would drop what a kind adds.
    converter.register_unstructure_hook(Fault, converter.unstructure)
    converter.register_structure_hook(Fault, functools.partial(_read_fault, converter))
    return converter


def _kinds_of(kind: type[Fault]) -> Iterator[type[Fault]]:
    for narrower in kind.__subclasses__():
        yield narrower
        yield from _kinds_of(narrower)


_FAULTS: Final = {kind.__name__: kind for kind in _kinds_of(Fault)}


def _tagged(name: str, write: Callable[[Any], dict[str, Any]]) -> Callable[[Any], dict[str, Any]]:
    return lambda fault: {"kind": name, **write(fault)}


def _read_fault(converter: Converter, value: dict[str, Any], _: object) -> Fault:
    from cattrs.gen import make_dict_structure_fn  # noqa: PLC0415

    kind: Any = _FAULTS[value["kind"]]
    read = make_dict_structure_fn(kind, converter)
    fault: Fault = read(value, kind)
    return fault
