"""Looks at all that a failure leaves behind, and finds secrets in it, however written."""

from __future__ import annotations

import base64
import copy
import logging
import pickle
import re
import traceback
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import Any
from urllib.parse import quote

import attrs
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from dgspay.core.events import Event
from dgspay.otel import OpenTelemetryHook

# So short that it may turn up in an address or a date: it counts only where it stands alone.
_SHORT = 8

# Frames of the tests themselves know the secrets, and so does whoever runs them.
_OURS = re.compile(r"/tests/|/_?pytest/|/pluggy/|<frozen ")


def forms_of(secret: str) -> Mapping[str, bool]:
    """A secret as text, in hex, percent-encoded and in base64; whether each must stand alone."""
    text, short = secret.encode(), len(secret) < _SHORT
    plain = {secret, repr(secret)[1:-1], quote(secret, safe=""), text.hex(), text.hex().upper()}
    forms = dict.fromkeys(plain, short)
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        if short:
            forms[encode(text).decode().rstrip("=")] = False
            continue
        # Within other base64 it may begin at any of three places; its edges are other bytes'.
        for shift in range(3):
            whole = encode(b"\0" * shift + text).decode()
            forms[whole[-(-shift * 4 // 3) : len(whole) // 4 * 4 - 4]] = False
    return forms


def stands_in(form: str, text: str, *, alone: bool) -> bool:
    """Whether a form of a secret stands in a text."""
    if form not in text:
        return False
    # Within a word or a number it is none: how long a call took may have any digits.
    whole = rf"(?<![0-9A-Za-z])(?<![0-9]\.){re.escape(form)}(?![0-9A-Za-z]|\.[0-9])"
    return not alone or bool(re.search(whole, text))


@attrs.define
class Witness:
    """Hears logs, hooks, spans and warnings while it listens, and looks at what it is shown.

    Attributes:
        places: What it has seen: where, and the text that stood there.
    """

    secrets: Mapping[str, str]
    places: list[tuple[str, str]] = attrs.field(factory=list)
    _spans: InMemorySpanExporter = attrs.field(factory=InMemorySpanExporter)

    @property
    def hooks(self) -> list[Any]:
        """Hooks for a client: one that shows it events, one that makes spans of them."""
        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(self._spans))
        return [self._event, OpenTelemetryHook(provider)]

    def _event(self, event: Event) -> None:
        self.see("event", repr(event))
        self.see("event", str(attrs.asdict(event)))
        self.see("event, pickled", pickle.dumps(event).decode("latin-1"))

    def see(self, place: str, text: str) -> None:
        """Remember a text."""
        self.places.append((place, text))

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Hear every logger from DEBUG on, and every warning."""
        root, handler = logging.getLogger(), _Handler(self)
        levels = {
            name: logging.getLogger(name).level
            for name in ("", "dgspay", "httpx", "httpcore", "httpx2", "httpcore2", "aiohttp")
        }
        for name in levels:
            logging.getLogger(name).setLevel(logging.DEBUG)
        root.addHandler(handler)
        try:
            with warnings.catch_warnings(record=True) as warned:
                warnings.simplefilter("always")
                yield
        finally:
            root.removeHandler(handler)
            for name, level in levels.items():
                logging.getLogger(name).setLevel(level)
        for warning in warned:
            self.see("warning", str(warning))
        for span in self._spans.get_finished_spans():
            self.see("span", span.to_json())

    def look_at(self, name: str, thing: Any) -> None:
        """Print an object in every usual way, and try to copy and to pickle it."""
        for write in (repr, str, format, "{!a}".format):
            self.see(f"{write} of {name}", write(thing))
        self.see(f"repr in a list of {name}", repr([thing]))
        for copied in (copy.copy, copy.deepcopy):
            try:
                self.see(f"{copied.__name__} of {name}", repr(copied(thing)))
            except TypeError as refused:
                self.see(f"{copied.__name__} of {name}", str(refused))
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
            try:
                stored = pickle.dumps(thing, protocol)
            except (TypeError, AttributeError, pickle.PicklingError) as refused:
                self.see(f"pickle of {name}", str(refused))
            else:
                self.see(f"pickle of {name}", stored.decode("latin-1"))

    def look_at_error(self, error: BaseException) -> None:
        """Look at an exception and all that hang on it, with the locals of every frame."""
        self.see("traceback", "".join(traceback.format_exception(error)))
        for link in _chain(error):
            name = type(link).__name__
            self.look_at(name, link)
            self.see(f"vars of {name}", str(vars(link)))
            self.see(f"notes of {name}", str(getattr(link, "__notes__", ())))
            self._look_at_frames(name, link.__traceback__)

    def _look_at_frames(self, name: str, trace: TracebackType | None) -> None:
        for frame, _ in traceback.walk_tb(trace):
            if _OURS.search(frame.f_code.co_filename):
                continue
            for variable, value in frame.f_locals.items():
                where = f"{frame.f_code.co_filename}:{frame.f_lineno} in {frame.f_code.co_name}"
                self.see(f"{name}: local {variable}, {where}", repr(value))

    @property
    def leaks(self) -> list[str]:
        """Where a secret stands, one line for each."""
        everything = "\n".join(text for _, text in self.places)
        return [
            f"{name}: {place}"
            for name, secret in self.secrets.items()
            for form, alone in forms_of(secret).items()
            if form in everything
            for place, text in dict.fromkeys(self.places)
            if stands_in(form, text, alone=alone)
        ]


class _Handler(logging.Handler):
    """Shows a witness each record: message, arguments, extra fields, traceback."""

    def __init__(self, witness: Witness) -> None:
        super().__init__(logging.DEBUG)
        self._witness = witness

    def emit(self, record: logging.LogRecord) -> None:
        """Show one record."""
        self._witness.see(f"log of {record.name}", logging.Formatter().format(record))
        self._witness.see(f"record of {record.name}", str(vars(record)))
        if record.exc_info and record.exc_info[1] is not None:
            self._witness.look_at_error(record.exc_info[1])


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Every exception that can be reached from one, shown by default or not."""
    waiting: list[BaseException | None] = [error]
    seen: set[int] = set()
    while waiting:
        link = waiting.pop()
        if link is None or id(link) in seen:
            continue
        seen.add(id(link))
        yield link
        waiting += [link.__cause__, link.__context__]
        if isinstance(link, BaseExceptionGroup):
            waiting += link.exceptions
