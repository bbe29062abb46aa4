"""How connections are opened: to which origin, under which certificates, through which proxy."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

from dgspay.core.messages import TransportFailure
from dgspay.errors import ConfigError
from dgspay.forks import renew_in_child, undivided
from dgspay.transports import certificates
from dgspay.transports.certificates import Verify, checked_verify
from dgspay.transports.checks import checked_flag, checked_proxy
from dgspay.transports.errors import misconfigured, unusable
from dgspay.transports.httpx.library import Library, is_installed
from dgspay.transports.network_layer import (
    AsyncBackend,
    AsyncConnection,
    Backend,
    Connection,
    NetworkLayer,
)
from dgspay.transports.proxies import KEEP_ALIVE, environment_proxy

_PORTS = {"http": 80, "https": 443}
_PROXIES = ("http", "https", "socks5", "socks5h")


class Origin(NamedTuple):
    """A server, as a URL names it.

    Attributes:
        scheme: `http` or `https`.
        host: Without the brackets of an IPv6 address.
        port: Named or the scheme's own.
        host_header: What the request's `Host` says.
    """

    scheme: str
    host: str
    port: int
    host_header: bytes

    @classmethod
    def of(cls, scheme: str, netloc: str) -> Origin:
        """Read the first part of a URL.

        Raises:
            TransportFailure: when no request can be sent there.
        """
        try:
            parts = urlsplit(f"{scheme}://{netloc}")
            host, port, header = parts.hostname, parts.port, netloc.encode("ascii")
        except ValueError:
            raise _unreachable() from None
        default = _PORTS.get(scheme)
        if default is None or not host or "@" in netloc:
            raise _unreachable()
        if port == default:
            header = header.rpartition(b":")[0]
        return cls(scheme, host, default if port is None else port, header)


def _unreachable() -> TransportFailure:
    return unusable("the URL of the request cannot be reached over http or https")


class Connector:
    """Makes connections of a library's network layer, one at a time.

    httpcore's own pool costs time for every connection it holds at every request, and a request
    cancelled at the wrong moment takes its slot away for good (encode/httpcore#1093). So a
    pool of httpcore's is only asked to make connections here, and never holds any.

    Args:
        library: Whose connections.
        verify: Certificates to trust; False trusts everybody; see `certificates.Verify`.
        trust_env: Whether proxy variables and `SSL_CERT_FILE` are obeyed.
        proxy: URL of a proxy.

    Raises:
        ConfigError: one of them is wrong.
    """

    def __init__(
        self,
        library: Library,
        *,
        verify: Verify,
        trust_env: bool,
        proxy: str | None,
    ) -> None:
        self.library = library
        self._verify = checked_verify(verify)
        self._trust_env = checked_flag(trust_env, name="trust_env")
        self._proxy = None if proxy is None else checked_proxy(proxy, kinds=_PROXIES)
        self._context: ssl.SSLContext | None = None
        if self._proxy is not None and (lack := _lack_of(self._proxy)) is not None:
            raise ConfigError(lack)
        renew_in_child(self)

    def renew_in_child(self) -> None:
        """Use no context of the parent's: another thread may have been in the midst of it."""
        self._context = None

    def check_url(self, url: str) -> None:
        """See that the environment names nothing by which no connection to a URL can be made.

        Raises:
            TransportFailure: naming it.
        """
        if not self._trust_env:
            return
        scheme, _, rest = url.partition("://")
        origin = Origin.of(scheme, rest.partition("/")[0])
        if scheme == "https":
            certificates.check_environment(self._verify)
        proxy = None if self._proxy is not None else self._proxy_of_environment(origin)
        if proxy is not None and (lack := _lack_of(proxy)) is not None:
            raise misconfigured(lack)

    def open_async(self, origin: Origin, backend: AsyncBackend) -> AsyncConnection:
        """Return a connection that is opened by its first request.

        Where `must_read_certificates` says so, let `read_certificates` do that in a thread first.
        """
        with undivided:
            connection: AsyncConnection = self._open(origin, backend, "Async")
            return connection

    def open(self, origin: Origin, backend: Backend) -> Connection:
        """Return the same for blocking code."""
        with undivided:
            connection: Connection = self._open(origin, backend, "")
            return connection

    def _open(self, origin: Origin, backend: object, kind: str) -> Any:
        core = self.library.core
        options: dict[str, object] = {
            "ssl_context": self.read_certificates() if origin.scheme == "https" else None,
            "keepalive_expiry": KEEP_ALIVE,
            "network_backend": backend,
        }
        proxy = self._proxy or self._proxy_of_environment(origin)
        if proxy is None:
            maker = getattr(core, f"{kind}ConnectionPool")(**options)
        else:
            maker = self._through(proxy, core, kind, options)
        there = core.Origin(origin.scheme.encode(), origin.host.encode("ascii"), origin.port)
        return maker.create_connection(there)

    def _through(
        self, proxy: str, core: NetworkLayer, kind: str, options: dict[str, object]
    ) -> Any:
        parts = urlsplit(proxy)
        if parts.username is not None:
            name, password = unquote(parts.username), unquote(parts.password or "")
            options["proxy_auth"] = (name.encode(), password.encode())
        if parts.scheme == "https":
            options["proxy_ssl_context"] = self.read_certificates()
        pool = f"{kind}HTTPProxy"
        if parts.scheme.startswith("socks"):
            pool = f"{kind}SOCKSProxy"
            if (lack := _lack_of(proxy)) is not None:
                raise misconfigured(lack)
        port = parts.port or _PORTS.get(parts.scheme, 1080)
        host = str(parts.hostname)
        where = core.URL(scheme=parts.scheme, host=host, port=port, target="/")
        return getattr(core, pool)(proxy_url=where, **options)

    def read_certificates(self) -> ssl.SSLContext:
        """Return the context, made once: it takes longer than many requests."""
        if isinstance(self._verify, ssl.SSLContext):
            return self._verify
        with undivided:
            if self._context is None:
                self._context = certificates.read(self._make_context, trust_env=self._trust_env)
            return self._context

    def must_read_certificates(self, origin: Origin) -> bool:
        """Whether a connection to a server needs certificates that are not read yet."""
        if self._context is not None or isinstance(self._verify, ssl.SSLContext):
            return False
        proxy = self._proxy or self._proxy_of_environment(origin) or ""
        return origin.scheme == "https" or proxy.startswith("https:")

    def _make_context(self) -> ssl.SSLContext:
        if isinstance(self._verify, Path):
            return certificates.context_of(self._verify)
        context: ssl.SSLContext = self.library.client.create_ssl_context(
            verify=self._verify, trust_env=self._trust_env
        )
        return context

    def _proxy_of_environment(self, origin: Origin) -> str | None:
        if not self._trust_env:
            return None
        return environment_proxy(origin.scheme, origin.host, origin.port, kinds=_PROXIES)


def _lack_of(proxy: str) -> str | None:
    """Say what is not installed that this proxy needs. It is looked for at each connection, too."""
    if proxy.startswith("socks") and not is_installed("socksio"):
        return (
            "proxy is a SOCKS proxy, and the library for it is not installed "
            "(pip install 'httpx[socks]')"
        )
    return None
