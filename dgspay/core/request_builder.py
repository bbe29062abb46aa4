"""Requests built from operations: origin, headers, path, query and exact body bytes."""

from __future__ import annotations

import functools
import platform
import re
from collections.abc import Mapping
from datetime import datetime, tzinfo
from urllib.parse import quote, urlencode

import attrs

from dgspay._version import __version__
from dgspay.core.messages import Request, RequestHeaders
from dgspay.core.operation import Operation
from dgspay.errors import ConfigError
from dgspay.models.json_codec import dump_json
from dgspay.money import Money
from dgspay.secret import Secret, watch_closely

MAX_SEGMENT = 256
_MAX_KEY = 255
_KEY = re.compile(r"[\x21-\x7e]+", re.ASCII)
_TEMPLATE = re.compile(r"/[a-z0-9/{}_-]*", re.ASCII)


def _fixed_headers(builder: RequestBuilder) -> RequestHeaders:
    return RequestHeaders(
        {
            "X-DGS-API-Key": builder.api_key,
            "X-DGS-ACCOUNT-NUMBER": builder.account_number,
            "Content-Type": "application/json",
            "Accept": "application/json",
            # A compressed answer could unpack to any size, and gains nothing at this length.
            "Accept-Encoding": "identity",
            "User-Agent": f"dgspay/{__version__} Python/{platform.python_version()}",
        }
    )


@attrs.frozen(kw_only=True)
class RequestBuilder:
    """Builder of the requests of one client, from what they have in common.

    Attributes:
        base_url: Scheme, host and prefix; requests never leave it.
        api_key: Sent as `X-DGS-API-Key`.
        account_number: Sent as `X-DGS-ACCOUNT-NUMBER`.
        idempotency_header: The name of the header that carries the key.
        production: Whether real money moves; scenarios are rejected then.
        api_timezone: The zone of the API's zoneless times, where the user knows it.
        allow_rwf_fractions: Whether amounts in RWF may have a fraction.
    """

    base_url: str
    api_key: Secret
    account_number: str
    idempotency_header: str
    production: bool
    api_timezone: tzinfo | None
    allow_rwf_fractions: bool
    _fixed_headers: RequestHeaders = attrs.field(
        default=attrs.Factory(_fixed_headers, takes_self=True),
        init=False,
        repr=False,
        eq=False,
    )

    def __attrs_post_init__(self) -> None:
        """Search every response for the key."""
        watch_closely(self.api_key)

    def request(self, operation: Operation[object], key: str | None) -> Request:
        """Build the request of an operation with the given idempotency key.

        Raises:
            ValueError: for a path value or a body field that must not be sent.
            ConfigError: for a scenario against production.
        """
        url = self.base_url + expand_path(operation.path, operation.path_values)
        if operation.query:
            url += "?" + urlencode(operation.query, quote_via=quote)
        sealed = operation.body
        body = None if sealed is None else dump_json(self._checked(sealed.reveal()))
        return Request(operation.method, url, self._headers(key), body)

    def _checked(self, body: Mapping[str, object]) -> dict[str, object]:
        if self.production and "scenario_key" in body:
            raise ConfigError(
                "scenario is for the sandbox: real money moves in production. Nothing was sent."
            )
        return {
            field: value if type(value) is str else self._checked_value(field, value)
            for field, value in body.items()
        }

    def _checked_value(self, field: str, value: object) -> object:
        if isinstance(value, Money):
            if value.has_forbidden_fraction and not self.allow_rwf_fractions:
                raise ValueError(
                    f"{field} has a fraction, and {value.currency} has no minor unit "
                    "(allow_rwf_fractions=True sends it as it is)"
                )
            return value.amount
        if isinstance(value, datetime) and value.tzinfo is not None:
            if self.api_timezone is None:
                raise ValueError(
                    f"{field} has a time zone, and the API's times have none: give a naive "
                    "datetime, or set the API's zone with the client's api_timezone="
                )
            try:
                return value.astimezone(self.api_timezone).replace(tzinfo=None)
            except OverflowError:
                raise ValueError(f"{field} is out of range") from None
        return value

    def _headers(self, key: str | None) -> RequestHeaders:
        headers = RequestHeaders(self._fixed_headers)
        if key is not None:
            headers[self.idempotency_header] = key
        return headers


def check_idempotency_key(key: str) -> str:
    """Return the key if it can be a header value.

    Raises:
        TypeError: when it is not text.
        ValueError: when it is empty, over 255 characters, or not visible ASCII.
    """
    if not isinstance(key, str):
        raise TypeError(f"idempotency_key must be a str, not {type(key).__name__}")
    if not 0 < len(key) <= _MAX_KEY:
        raise ValueError(f"idempotency_key must have 1 to {_MAX_KEY} characters")
    if not _KEY.fullmatch(key):
        raise ValueError("idempotency_key must be visible ASCII without spaces")
    # The plain text: formatted, a member of a text enum would be its name.
    return str.__str__(key)


def expand_path(template: str, values: Mapping[str, str]) -> str:
    """Fill a path template, each value as exactly one percent-encoded segment.

    Raises:
        ValueError: for a template that is not a path under the API's prefix, or a value that
            is empty, too long, has control characters or tries to leave its segment.
    """
    path = _checked_template(template)
    for name, value in values.items():
        path = path.replace(f"{{{name}}}", quote(check_segment(value, field=name), safe=""))
    return path


@functools.lru_cache(maxsize=64)
def _checked_template(template: str) -> str:
    """Check a template, once: there are only as many as the API has routes."""
    if not _TEMPLATE.fullmatch(template) or "//" in template:
        raise ValueError("the path must be a template under the API's prefix, never a URL")
    return template


def check_segment(value: str, *, field: str) -> str:
    """Return an id or reference if it can be one path segment; see `expand_path`."""
    if not isinstance(value, str):
        raise TypeError(f"{field} must be a str, not {type(value).__name__}")
    if not value.strip() or len(value) > MAX_SEGMENT:
        raise ValueError(f"{field} must have 1 to {MAX_SEGMENT} characters and not be blank")
    if not value.isprintable():
        raise ValueError(f"{field} has characters that cannot be printed")
    if "://" in value:
        raise ValueError(f"{field} is a URL; an id or a reference was expected")
    if "." in value and not {".", ".."}.isdisjoint(value.replace("\\", "/").split("/")):
        raise ValueError(f"{field} must not contain '.' or '..' as a path step")
    # The plain text: formatted, a member of a text enum would be its name.
    return str.__str__(value)
