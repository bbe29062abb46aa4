"""Settings of a client: credentials, environment, origin and time limits, all checked at once."""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Collection, Mapping
from datetime import tzinfo
from types import UnionType
from typing import TYPE_CHECKING, Any, Literal, NoReturn, TypeGuard
from urllib.parse import urlsplit

import attrs

from dgspay.core.messages import Timeout
from dgspay.core.request_builder import RequestBuilder
from dgspay.core.retry import RetryPolicy
from dgspay.errors import ConfigError
from dgspay.forks import undivided
from dgspay.models.validators import is_loopback as is_loopback  # noqa: PLC0414 - part of what is here
from dgspay.secret import Secret

if TYPE_CHECKING:
    from dgspay.api_keys import KeyCallable, KeySource

Environment = Literal["sandbox", "production", "emulator"]

EMULATOR_PORT = 8250
"""Default port of `dgspay emulator`: 8, and Rwanda's country code."""

BASE_URLS: dict[str, str] = {
    "sandbox": "https://test.pay.digitalservicescenter.rw/generation/v2",
    "production": "https://pay.digitalservicescenter.rw/generation/v2",
    "emulator": f"http://127.0.0.1:{EMULATOR_PORT}/generation/v2",
}

DEFAULT_IDEMPOTENCY_HEADER = "Idempotency-Key"

_CREDENTIAL = re.compile(r"[\x21-\x7e]{1,512}", re.ASCII)
_MERCHANT = re.compile(r"\S(?:.{0,98}\S)?")
_HEADER_NAME = re.compile(r"[A-Za-z0-9-]{1,64}", re.ASCII)
# The headers a request has anyway, which an idempotency key must not replace.
_OWN_HEADERS = frozenset(
    {
        "x-dgs-api-key",
        "x-dgs-account-number",
        "content-type",
        "content-length",
        "transfer-encoding",
        "connection",
        "host",
        "accept",
        "accept-encoding",
        "user-agent",
    }
)
_KEY_LIKE = re.compile(r"[^A-Za-z0-9]*[a-z]k[_-]", re.ASCII | re.IGNORECASE)
_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_AUTHORITY = re.compile(
    rf"(?:\[[0-9A-Fa-f:.]+\]|{_LABEL}(?:\.{_LABEL})*\.?)(?::[0-9]{{1,5}})?", re.ASCII
)
_BASE_PATH = re.compile(r"(/[A-Za-z0-9._~-]+)*", re.ASCII)
_LIVE_KEY = "sk_live_"
_TEST_KEYS = ("sk_test_", "sk_sandbox_")


@attrs.frozen(kw_only=True)
class Settings:
    """Checked settings of a client. Build it with `Settings.check`; its repr is safe to log."""

    api_key: Secret | KeySource
    account_number: str
    environment: Environment
    base_url: str
    timeout: Timeout
    deadline: float
    retry: RetryPolicy
    idempotency_header: str
    api_timezone: tzinfo | None
    allow_rwf_fractions: bool
    trust_env: bool
    merchant: str | None

    @classmethod
    def check(
        cls,
        *,
        api_key: Secret | KeyCallable | None,
        account_number: Secret | None,
        environment: str = "sandbox",
        base_url: str | None = None,
        timeout: Timeout | None = None,
        deadline: float = 100.0,
        retry: RetryPolicy | None = None,
        idempotency_header: str = DEFAULT_IDEMPOTENCY_HEADER,
        api_timezone: tzinfo | None = None,
        allow_rwf_fractions: bool = False,
        trust_env: bool = False,
        merchant: str | None = None,
    ) -> Settings:
        """Check everything a client is given.

        Raises:
            ConfigError: naming what is wrong and how to set it right, never showing a secret.
        """
        if not _is_environment(environment):
            raise ConfigError(f"environment must be one of {', '.join(BASE_URLS)}")
        key = _check_key_or_callable(api_key, environment)
        timeout = Timeout() if timeout is None else timeout
        retry = RetryPolicy() if retry is None else retry
        _check_limits(timeout=timeout, deadline=deadline, retry=retry)
        _check_kind(api_timezone, tzinfo | None, "api_timezone", "a tzinfo such as a ZoneInfo")
        _check_kind(idempotency_header, str, "idempotency_header", "a str")
        # "false", as it stands in a file of settings, would be true.
        _check_kind(allow_rwf_fractions, bool, "allow_rwf_fractions", "True or False")
        _check_kind(trust_env, bool, "trust_env", "True or False")
        if not _HEADER_NAME.fullmatch(idempotency_header):
            raise ConfigError("idempotency_header must be the name of an HTTP header")
        if idempotency_header.lower() in _OWN_HEADERS:
            raise ConfigError("idempotency_header names a header that carries something else")
        url = check_base_url(BASE_URLS[environment] if base_url is None else base_url)
        _check_host(url, environment)
        return cls(
            api_key=key,
            account_number=_check_account_number(account_number, key),
            environment=environment,
            base_url=url,
            timeout=timeout,
            deadline=float(deadline),
            retry=retry,
            idempotency_header=idempotency_header,
            api_timezone=api_timezone,
            allow_rwf_fractions=allow_rwf_fractions,
            trust_env=trust_env,
            merchant=_check_merchant(merchant),
        )

    def with_changes(
        self,
        *,
        api_key: Secret | KeySource | KeyCallable | None,
        account_number: Secret | None,
        timeout: Timeout,
        deadline: float,
        retry: RetryPolicy,
        merchant: str | None,
    ) -> Settings:
        """Return settings in which these differ, as strictly checked.

        Raises:
            ConfigError: as of `check`.
        """
        _check_limits(timeout=timeout, deadline=deadline, retry=retry)
        if api_key is None or isinstance(api_key, Secret) or callable(api_key):
            api_key = _check_key_or_callable(api_key, self.environment)
        return attrs.evolve(
            self,
            api_key=api_key,
            account_number=_check_account_number(account_number, api_key),
            timeout=timeout,
            deadline=float(deadline),
            retry=retry,
            merchant=_check_merchant(merchant),
        )

    def __copy__(self) -> Settings:
        return self

    def __deepcopy__(self, memo: object) -> Settings:
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            "settings cannot be pickled: they hold the API key, and a pickle would show it. Read "
            "them anew in the other process, with from_env() for example"
        )

    @property
    def request_builder(self) -> RequestBuilder:
        """The builder of requests. It has an empty key where that comes from a callable."""
        return RequestBuilder(
            base_url=self.base_url,
            api_key=self.api_key if isinstance(self.api_key, Secret) else Secret(""),
            account_number=self.account_number,
            idempotency_header=self.idempotency_header,
            production=self.environment == "production",
            api_timezone=self.api_timezone,
            allow_rwf_fractions=self.allow_rwf_fractions,
        )


def from_env(
    environ: Mapping[str, str] | None = None, *, given: Collection[str] = ()
) -> dict[str, Any]:
    """Read `DGSPAY_API_KEY`, `_ACCOUNT_NUMBER`, `_ENVIRONMENT` and `_BASE_URL`.

    What is in `given` may be missing there.

    Raises:
        ConfigError: naming all the variables that are missing, and where to find them.
    """
    variables = os.environ if environ is None else environ
    required = ("DGSPAY_API_KEY", "DGSPAY_ACCOUNT_NUMBER")
    missing = [
        name
        for name in required
        if not variables.get(name) and name.removeprefix("DGSPAY_").lower() not in given
    ]
    if missing:
        # A traceback that shows local variables must not show the key that is there.
        del variables, environ
        # One sentence for each, so that a search for either finds it.
        named = ", and ".join(f"{name} is not set" for name in missing)
        raise ConfigError(
            f"{named}. You find them in the merchant portal under Settings, API Settings"
        )
    return {
        "api_key": Secret(variables.get("DGSPAY_API_KEY", "")),
        # Sealed as well, until it is known to be no key.
        "account_number": Secret(variables.get("DGSPAY_ACCOUNT_NUMBER", "")),
        "environment": variables.get("DGSPAY_ENVIRONMENT") or "sandbox",
        "base_url": variables.get("DGSPAY_BASE_URL") or None,
    }


def held(credential: object) -> Any:
    """Return a credential as a Secret, a callable as it is, and anything else as None."""
    if callable(credential):
        return credential
    if isinstance(credential, str):
        return Secret(str.__str__(credential))  # a member of a text enum, say, as its plain text
    return credential if isinstance(credential, Secret) else None


def check_base_url(url: str) -> str:
    """Return an origin and prefix that the API key may be sent to.

    Raises:
        ConfigError: unless it is https, or http on loopback, without userinfo, query or
            fragment, with a port that exists.
    """
    if not isinstance(url, str) or not url.isprintable() or "\\" in url or " " in url:
        raise ConfigError("base_url must be a URL without spaces or control characters")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
        if host and ":" in host:
            ipaddress.IPv6Address(host)
    except ValueError:
        raise ConfigError("base_url is not a URL, or its port does not exist") from None
    if parts.scheme not in ("http", "https") or not host:
        raise ConfigError("base_url must be an absolute https URL")
    if parts.scheme == "http" and not is_loopback(host):
        raise ConfigError(
            "base_url must be https: over http the API key can be read in transit. "
            "Only loopback addresses may use http"
        )
    if "@" in parts.netloc or "?" in url or "#" in url:
        raise ConfigError("base_url must have no user, password, query or fragment")
    if not _AUTHORITY.fullmatch(parts.netloc):
        raise ConfigError(
            "base_url has a host that cannot exist (an internationalised name is written in its "
            "ASCII form, xn--...)"
        )
    if port == 0 or (port is None and parts.netloc.endswith(":")):
        raise ConfigError("base_url has a port that does not exist")
    path = parts.path.rstrip("/")
    if not _BASE_PATH.fullmatch(path) or "/.." in path or "/./" in f"{path}/":
        raise ConfigError("base_url has a path that cannot be a prefix of the API")
    return f"{parts.scheme}://{parts.netloc}{path}"


def is_key_like(text: str) -> bool:
    """Return whether a text looks like an API key, whatever was copied along in front of it."""
    return _KEY_LIKE.match(text) is not None


def _check_kind(value: object, kind: type | UnionType, name: str, wanted: str) -> None:
    if not isinstance(value, kind):
        raise ConfigError(f"{name} must be {wanted}, not {type(value).__name__}")


def _check_limits(*, timeout: object, deadline: object, retry: object) -> None:
    if isinstance(deadline, bool) or not isinstance(deadline, int | float) or not deadline > 0:
        raise ConfigError("deadline must be a number of seconds above 0")
    _check_kind(timeout, Timeout, "timeout", "a Timeout(connect=..., read=...)")
    _check_kind(retry, RetryPolicy, "retry", "a RetryPolicy(attempts=...)")


def _check_host(url: str, environment: Environment) -> None:
    """Reject the host of one environment under the name of another."""
    host = (urlsplit(url).hostname or "").removesuffix(".")  # with it, it is the same host
    for name in ("sandbox", "production"):
        if host == urlsplit(BASE_URLS[name]).hostname and name != environment:
            raise ConfigError(f"base_url is that of {name} and environment is {environment}")
    if environment == "emulator" and not is_loopback(host):
        raise ConfigError("base_url must be on loopback when environment is emulator")


def _is_environment(name: str) -> TypeGuard[Environment]:
    return isinstance(name, str) and name in BASE_URLS


def _check_key_or_callable(
    api_key: Secret | KeyCallable | None, environment: str
) -> Secret | KeySource:
    if callable(api_key):
        with undivided:
            from dgspay.api_keys import KeySource  # noqa: PLC0415 - most keys are a text

        return KeySource(api_key, lambda key: _check_key(key, environment))
    return _check_key(api_key, environment)


def _check_merchant(label: str | None) -> str | None:
    """Return the label of a merchant, which logs and spans show."""
    if label is None:
        return None
    _check_kind(label, str, "merchant", "a str")
    if is_key_like(label):
        raise ConfigError("merchant is an API key: it is a label, which logs show")
    if not _MERCHANT.fullmatch(label) or not label.isprintable():
        raise ConfigError("merchant must be a label of 1 to 100 printable characters")
    return label


def _check_key(api_key: Secret | None, environment: str) -> Secret:
    if not isinstance(api_key, Secret) or not api_key.reveal():
        raise ConfigError(
            "api_key is missing or is not a str: it is in the merchant portal under Settings, "
            "API Settings"
        )
    if not _CREDENTIAL.fullmatch(api_key.reveal()):
        raise ConfigError(
            "api_key has a character no key has (a space, a line break or a typographic quote "
            "are easily copied along): copy it again"
        )
    if api_key.reveal().startswith(_LIVE_KEY) and environment != "production":
        raise ConfigError(
            f"api_key is a live key and environment is {environment}: real keys are for "
            "environment='production' only"
        )
    if api_key.reveal().startswith(_TEST_KEYS) and environment == "production":
        raise ConfigError(
            "api_key is a test key and environment is production: give a live key, or "
            "environment='sandbox'"
        )
    return api_key


def _check_account_number(account_number: Secret | None, api_key: Secret | KeySource) -> str:
    """Return what is no secret and is shown from now on; a key in its place must not be."""
    if account_number is None or not account_number.reveal():
        raise ConfigError(
            "account_number is missing or is not a str: it is in the merchant portal under "
            "Settings, API Settings"
        )
    if account_number == api_key or is_key_like(account_number.reveal()):
        raise ConfigError(
            "account_number is an API key: the two have been swapped, or the key was given twice"
        )
    if not _CREDENTIAL.fullmatch(account_number.reveal()):
        raise ConfigError("account_number has a character no account number has")
    return account_number.reveal()
