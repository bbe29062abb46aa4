"""Renders the emulator's pages: every value is escaped, every page has a strict policy."""

from __future__ import annotations

import functools
from decimal import Decimal
from http import HTTPStatus
from importlib import resources
from typing import Any
from urllib.parse import urlsplit

import jinja2

from dgspay.emulator.http import Response
from dgspay.money import to_json_number

STATIC_PATH = "/_emulator/static"


@functools.cache
def _pages() -> jinja2.Environment:
    folder = resources.files("dgspay.emulator.web") / "templates"
    pages = jinja2.Environment(
        # Not by a path: the package may be imported from a zip.
        loader=jinja2.FunctionLoader(lambda name: (folder / name).read_text("utf-8")),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    pages.filters["amount"] = amount_text
    pages.globals["static"] = STATIC_PATH
    return pages


def page(
    template: str, *, status: int = HTTPStatus.OK, image: str | None = None, **values: Any
) -> Response:
    """Render a page. Texts of links and payments are words in it, never markup.

    Args:
        template: Its file's name without the ending.
        status: The HTTP status.
        image: A URL whose origin the page may load an image from.
        values: What the template shows.
    """
    html = _pages().get_template(f"{template}.html").render(**values)
    return Response(
        int(status),
        html.encode(),
        (
            ("content-type", "text/html; charset=utf-8"),
            ("content-security-policy", policy(image)),
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("cache-control", "no-store"),
        ),
    )


def policy(image: str | None = None) -> str:
    """Return the Content-Security-Policy of a page: its own files, and one image's origin."""
    origins = "'self'"
    if image is not None:
        parts = urlsplit(image)
        # Only what a host name may hold: a `;` in it would begin another directive.
        if all(char.isalnum() or char in ".-:[]_" for char in parts.netloc):
            origins += f" {parts.scheme}://{parts.netloc}"
    return (
        f"default-src 'none'; script-src 'self'; style-src 'self'; img-src {origins}; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    )


def amount_text(amount: Decimal) -> str:
    """Write an amount for people: `50,000` or `94.50`."""
    whole, point, fraction = to_json_number(amount).partition(".")
    return f"{int(whole):,}{point}{fraction.ljust(2, '0') if point else ''}"
