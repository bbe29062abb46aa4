"""JSON for people: indented, amounts digit for digit."""

from __future__ import annotations

from dgspay.errors import DecodeError
from dgspay.models.json_codec import dump_json, parse_json


def pretty(body: bytes) -> str:
    """Indent JSON; what is none is shown as it is."""
    try:
        return indented(parse_json(body))
    except DecodeError:
        return body.decode("utf-8", "replace")


def indented(value: object, depth: int = 0) -> str:
    """Write a parsed value over several lines, the inner ones further to the right."""
    pad = "  " * (depth + 1)
    if isinstance(value, dict) and value:
        rows = [
            f"{pad}{dump_json(name).decode()}: {indented(item, depth + 1)}"
            for name, item in value.items()
        ]
    elif isinstance(value, list) and value:
        rows = [f"{pad}{indented(item, depth + 1)}" for item in value]
    else:
        return dump_json(value).decode()
    first, last = ("{", "}") if isinstance(value, dict) else ("[", "]")
    return f"{first}\n" + ",\n".join(rows) + f"\n{'  ' * depth}{last}"
