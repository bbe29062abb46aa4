"""QR codes of payment links, to be read by a payer's telephone."""

from __future__ import annotations

import io

import segno

from dgspay.emulator.http import Response

_QUIET_MODULES = 4
"""White around the code, as ISO/IEC 18004 wants it."""


def qr_image(url: str) -> Response:
    """Return a URL as an SVG image, black on white in every colour scheme."""
    image = io.BytesIO()
    segno.make_qr(url, error="m").save(
        image, kind="svg", border=_QUIET_MODULES, scale=6, dark="#000", light="#fff"
    )
    headers = (
        ("content-type", "image/svg+xml"),
        ("cache-control", "no-store"),
        ("x-content-type-options", "nosniff"),
        ("content-security-policy", "default-src 'none'"),
    )
    return Response(200, image.getvalue(), headers)
