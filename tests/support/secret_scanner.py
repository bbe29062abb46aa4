"""A scanner that collects what a failure leaves behind and finds secrets in it, in any encoding."""

from __future__ import annotations

import asyncio
import base64
import copy
import json
import logging
import pickle
import pprint
import re
import traceback
import types
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import Any
from urllib.parse import quote

import attrs
import rich.traceback
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from structlog.tracebacks import ExceptionDictTransformer

from dgspay.core.events import TelemetryEvent
from dgspay.otel import OpenTelemetryHook

# So short that it may turn up in an address or a date: it counts only where it stands alone.
_SHORT = 8

# Frames of the tests themselves know the secrets, and so do those of the test runner.
_OURS = re.compile(r"/tests/|/_?pytest/|/pluggy/|<frozen ")
# Frames of a call. What a webhook contains is the receiver's to keep, secrets and all.
_PACKAGE = re.compile(r"/dgspay/(?!tests/|webhooks/)|/httpx|/httpcore|/h11/|/aiohttp/")


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
class SecretScanner:
    """Collects logs, events, spans, warnings and what it is given, and finds the secrets in them.

    Attributes:
        secrets: What must not be found, by name.
        places: What it has collected: where, and the text that stood there.
    """

    secrets: Mapping[str, str]
    places: list[tuple[str, str]] = attrs.field(factory=list)
    _spans: InMemorySpanExporter = attrs.field(factory=InMemorySpanExporter)

    @property
    def hooks(self) -> list[Any]:
        """Hooks for a client: one that records its events, one that makes spans of them."""
        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(self._spans))
        return [self._event, OpenTelemetryHook(provider)]

    def _event(self, event: TelemetryEvent) -> None:
        self.record("event", repr(event))
        self.record("event", str(event._asdict()))
        self.record("event, pickled", pickle.dumps(event).decode("latin-1"))

    def record(self, place: str, text: str) -> None:
        """Add a text to what is searched."""
        self.places.append((place, text))

    @contextmanager
    def capturing(self) -> Iterator[None]:
        """Record every logger from DEBUG on, and every warning."""
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
            self.record("warning", str(warning))
        for span in self._spans.get_finished_spans():
            self.record("span", span.to_json())

    def scan(self, name: str, thing: Any) -> None:
        """Print an object in every usual way, and try to copy and to pickle it."""
        for write in (repr, str, format, "{!a}".format):
            self.record(f"{write} of {name}", write(thing))
        self.record(f"repr in a list of {name}", repr([thing]))
        for copied in (copy.copy, copy.deepcopy):
            try:
                self.record(f"{copied.__name__} of {name}", repr(copied(thing)))
            except TypeError as refused:
                self.record(f"{copied.__name__} of {name}", str(refused))
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
            try:
                stored = pickle.dumps(thing, protocol)
            except (TypeError, AttributeError, pickle.PicklingError) as refused:
                self.record(f"pickle of {name}", str(refused))
            else:
                self.record(f"pickle of {name}", stored.decode("latin-1"))

    def scan_error(self, error: BaseException) -> None:
        """Record an exception and its whole chain, with the locals of every frame."""
        self.record("traceback", "".join(traceback.format_exception(error)))
        self._scan_with_crash_reporters(error)
        for link in _chain(error):
            name = type(link).__name__
            self.scan(name, link)
            self.record(f"vars of {name}", str(vars(link)))
            self.record(f"notes of {name}", str(getattr(link, "__notes__", ())))
            self._scan_frames(name, link.__traceback__)

    def _scan_frames(self, name: str, trace: TracebackType | None) -> None:
        for frame, _ in traceback.walk_tb(trace):
            if _OURS.search(frame.f_code.co_filename):
                continue
            for variable, value in frame.f_locals.items():
                where = f"{frame.f_code.co_filename}:{frame.f_lineno} in {frame.f_code.co_name}"
                self.record(f"{name}: local {variable}, {where}", repr(value))
                if _PACKAGE.search(frame.f_code.co_filename):
                    self.record(f"{name}: pretty local {variable}, {where}", pprint.pformat(value))
                    for path, text in texts_within(value):
                        self.record(f"{name}: local {variable}{path}, {where}", text)

    def _scan_with_crash_reporters(self, error: BaseException) -> None:
        """Print the locals as rich, structlog and the standard library do, which know attrs.

        From the first frame of the package on: those above it know the secrets.
        """
        trace = error.__traceback__
        while trace is not None and not _PACKAGE.search(trace.tb_frame.f_code.co_filename):
            trace = trace.tb_next
        told = (type(error), error, trace)
        printed = rich.traceback.Traceback.extract(
            *told, show_locals=True, locals_max_string=10_000, locals_max_length=1_000
        )
        for stack in printed.stacks:
            for frame in stack.frames:
                self.record("rich", " ".join(str(node) for node in (frame.locals or {}).values()))
        transform = ExceptionDictTransformer(show_locals=True, locals_max_string=10_000)
        self.record("structlog", json.dumps(transform(told)))
        report = traceback.TracebackException(*told, capture_locals=True)
        self.record("capture_locals", "".join(report.format()))

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


# Deeper than any printer in use goes.
_DEEPEST = 6
# What is the interpreter's, and whatever the tests have hung on a client.
_NOT_WALKED = (
    *(type, types.ModuleType, types.FunctionType, types.BuiltinFunctionType, types.MethodType),
    *(logging.Logger, asyncio.AbstractEventLoop, OpenTelemetryHook),
)


def texts_within(thing: Any) -> Iterator[tuple[str, str]]:
    """Every text that can be reached from an object by the names of its parts, and by which.

    Parts are the items of containers, the fields of attrs classes and dataclasses, slots and
    `vars()`: what printers, crash reporters and serialisers walk through.
    """
    waiting: list[tuple[str, Any, int]] = [("", thing, 0)]
    seen: set[int] = set()
    while waiting:
        path, item, depth = waiting.pop()
        if isinstance(item, str | bytes | bytearray | memoryview):
            yield path, item if isinstance(item, str) else bytes(item).decode("latin-1")
        elif id(item) not in seen and depth < _DEEPEST and not isinstance(item, _NOT_WALKED):
            seen.add(id(item))
            waiting += [(f"{path}{name}", part, depth + 1) for name, part in _parts(item)]


def _parts(item: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(item, Mapping):
        for key, value in item.items():
            yield f"[key {key!r}]", key
            yield f"[{key!r}]", value
    elif isinstance(item, list | tuple | set | frozenset):
        yield from ((f"[{number}]", part) for number, part in enumerate(item))
    else:
        slots = [name for kind in type(item).__mro__ for name in getattr(kind, "__slots__", ())]
        fields = [field.name for field in getattr(type(item), "__attrs_attrs__", ())]
        for name in dict.fromkeys([*slots, *fields, *getattr(item, "__dict__", ())]):
            try:
                yield f".{name}", getattr(item, name)
            except AttributeError:
                continue


class _Handler(logging.Handler):
    """Records each log line: message, arguments, extra fields, traceback."""

    def __init__(self, scanner: SecretScanner) -> None:
        super().__init__(logging.DEBUG)
        self._scanner = scanner

    def emit(self, record: logging.LogRecord) -> None:
        """Record one line."""
        self._scanner.record(f"log of {record.name}", logging.Formatter().format(record))
        self._scanner.record(f"record of {record.name}", str(vars(record)))
        if record.exc_info and record.exc_info[1] is not None:
            self._scanner.scan_error(record.exc_info[1])


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
