"""Protection of the pages from other web sites that a browser on this machine has open."""

from __future__ import annotations

import functools
import ipaddress
from collections.abc import Mapping
from urllib.parse import urlsplit


def is_foreign(headers: Mapping[str, str], *, public: bool) -> bool:
    """Return whether a browser sends this request for a page that is not the emulator's.

    A page of another site may post to loopback without being able to read the answer, and a
    name its owner points at loopback makes it look like the same site. So the origin must be
    the host that was asked, and the host must be an address or `localhost`.

    Args:
        headers: The request's, names in lower case.
        public: Whether the emulator listens to others, who know it by a name.
    """
    host = headers.get("host", "")
    if is_foreign_name(headers, public=public):
        return True
    if headers.get("sec-fetch-site", "none") not in ("same-origin", "none"):
        return True
    origin = headers.get("origin")
    return origin is not None and urlsplit(origin).netloc != host


def is_foreign_name(headers: Mapping[str, str], *, public: bool) -> bool:
    """Return whether the Host header is a name that a third party may have pointed here."""
    return not public and not _is_local(headers.get("host", ""))


@functools.lru_cache(maxsize=32)
def _is_local(host: str) -> bool:
    try:
        name = urlsplit(f"//{host}").hostname or ""
        if name == "localhost" or name.endswith(".localhost"):
            return True
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
