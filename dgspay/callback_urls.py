"""Callback URLs that end in a token which cannot be guessed, and the look-up of a webhook by it.

DGS-Pay sends the webhook of a payment or a payout to the `callback_url` of its request. Where that
URL ends in a token of its own, the webhook is matched with what it is about even when the answer
to the request was lost, and DGS-Pay's reference with it.
"""

from __future__ import annotations

import base64
import hmac
import re
import secrets

from dgspay.errors import ConfigError
from dgspay.models.validators import web_url
from dgspay.secret import Secret

_TOKEN_CHARACTERS = 32  # of base64: 192 bits
# No framework, proxy or client writes these otherwise; "." and ".." would be taken out.
_SEGMENT = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*", re.ASCII)


def new_token_key() -> Secret:
    """Return a key to make tokens with: 256 random bits, to be kept as long as its tokens."""
    return Secret(secrets.token_hex(32))


def token_of(key: Secret, *names: str | int) -> str:
    """Return the token of what these names stand for: the same each time, on every machine.

    It has 32 characters of A-Z, a-z, 0-9, hyphen and underscore.

    Args:
        key: Of `new_token_key`. Without it no token can be guessed, whatever names are known.
        names: What distinguishes it from all others under this key.

    Raises:
        ValueError: when a name has a line break, which is what keeps names apart.
    """
    texts = [str(name) for name in names]
    if any("\n" in text for text in texts):
        raise ValueError("a name that a token is made of must be one line")
    digest = hmac.digest(key.reveal().encode(), "\n".join(texts).encode(), "sha256")
    return base64.urlsafe_b64encode(digest).decode()[:_TOKEN_CHARACTERS]


def is_same_token(ours: str, theirs: str) -> bool:
    """Compare two tokens in a time that does not depend on where they differ."""
    return hmac.compare_digest(ours.encode(), theirs.encode("utf-8", "surrogatepass"))


def callback_base(url: str, *, field: str = "callback_url") -> str:
    """Return a URL that `callback_url` can be asked to add segments to.

    Raises:
        ConfigError: when it is no http or https URL, or has a query or a fragment.
    """
    try:
        web_url(url, field=field)
    except ValueError as error:
        raise ConfigError(str(error)) from None
    if "?" in url or "#" in url:
        raise ConfigError(f"{field} must have no query: a path with a token is added to it")
    return url.rstrip("/")


def callback_url(base: str, *segments: str | int) -> str:
    """Return the URL of one webhook: what `callback_base` gave, and segments with the token last.

    Raises:
        ValueError: when a segment would not come back as it is: it begins with a letter, a digit,
            a hyphen or an underscore, and has those and dots alone.
    """
    texts = [str(segment) for segment in segments]
    if not all(_SEGMENT.fullmatch(text) for text in texts):
        raise ValueError(
            "a segment of a callback URL has letters and digits of ASCII, hyphen, underscore and "
            "dot only, and no dot first"
        )
    return "/".join((base, *texts))


def last_segments(path: str, count: int) -> tuple[str, ...] | None:
    """Return the last segments of a webhook's path, as `callback_url` was given them.

    Args:
        path: The path of a request, or its URL; a query and slashes at its end do not count.
        count: How many segments.

    Returns:
        So many segments, the token last, or None where the path has not as many.
    """
    found = path.partition("?")[0].rstrip("/").rsplit("/", count)[-count:]
    return tuple(found) if len(found) == count and all(found) else None
