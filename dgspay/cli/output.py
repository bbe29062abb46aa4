"""Models as JSON and CSV: exact, streamed row by row, and safe to open."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import attrs

from dgspay.cli.exit_codes import fail
from dgspay.cli.terminal import speaks_unicode, visible
from dgspay.csv_safety import safe_cell
from dgspay.models.json_codec import dump_json
from dgspay.money import to_json_number
from dgspay.secret import masked_data


def as_record(model: Any) -> dict[str, Any]:
    """Return a model as plain values under its own field names, all of them, nested too.

    Fields the SDK does not know are under `extra`, with anything that looks secret masked.
    """
    return {field.name: _plain(getattr(model, field.name)) for field in attrs.fields(type(model))}


def _plain(value: Any) -> Any:
    if attrs.has(type(value)):
        return as_record(value)
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if isinstance(value, datetime) and value.tzinfo is not None:
        # Events carry their zone; the API's own times have none, and are written as it writes them.
        return value.isoformat()
    return masked_data(dict(value)) if isinstance(value, Mapping) else value


def write_json(record: Mapping[str, Any]) -> None:
    """Write one JSON object and a line break."""
    print(json_text(record))


def write_json_rows(models: Iterable[Any]) -> None:
    """Write a JSON array, one row a line, as the rows come.

    When a page fails on the way the array stays open, so that it cannot pass for complete.
    """
    sys.stdout.write("[")
    separator = "\n"
    for model in models:
        sys.stdout.write(separator + json_text(as_record(model)))
        separator = ",\n"
    sys.stdout.write("\n]\n")


def json_text(record: Mapping[str, Any]) -> str:
    r"""Write JSON with exact amounts; `\u009b` for what could steer a terminal, or be misread."""
    text = dump_json(record).decode()
    # In another encoding it would be read wrongly: JSON is UTF-8, and ASCII is that too.
    shows_all = speaks_unicode()
    if text.isprintable() and (shows_all or text.isascii()):
        return text
    # Outside of strings there is nothing but ASCII, so an escape is right wherever this is.
    return "".join(
        char if char.isprintable() and (shows_all or char.isascii()) else _json_escape(char)
        for char in text
    )


def _json_escape(char: str) -> str:
    units = char.encode("utf-16-be").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))


def one_form(*, as_json: bool, as_csv: bool) -> None:
    """Reject --json together with --csv."""
    if as_json and as_csv:
        fail("--json and --csv exclude each other.")


def write_csv(models: Iterable[Any], columns: Sequence[str]) -> None:
    """Write a header and one row for each model, as they come; in UTF-8 whatever the locale."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8")
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(columns)
    for model in models:
        writer.writerow([csv_cell(getattr(model, column)) for column in columns])


def csv_cell(value: object) -> str:
    """Return a value as a cell that no spreadsheet takes for a formula.

    Amounts are written digit for digit and stay numbers. Text is guarded by `safe_cell`, and
    its control characters are made visible.
    """
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case Decimal():
            return to_json_number(value)
        case int():
            return str(value)
        case datetime():
            return value.isoformat(sep=" ")
        case _:
            return safe_cell(visible(str(value)))
