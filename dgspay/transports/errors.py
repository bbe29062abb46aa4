"""What an exception of an HTTP library says about the request it ended."""

from __future__ import annotations

import ssl

from dgspay.core.messages import TransportFailure
from dgspay.interruption import links
from dgspay.transports.blocking_deadline import DeadlinePassedError
from dgspay.transports.interim import MAX_INTERIM_ANSWERS, TooManyInterimAnswersError

# The four libraries have the same classes under the same names, and any of them may not be
# installed: so an exception is known by the names of its classes.
_LIBRARIES = frozenset({"httpx", "httpcore", "httpx2", "httpcore2"})

# What these raise happens before the first byte of the request leaves.
_NOT_SENT = frozenset(
    {"ConnectError", "ConnectTimeout", "PoolTimeout", "ProxyError", "UnsupportedProtocol"}
)

_REASONS = {
    "ConnectTimeout": "the connection could not be opened in time",
    "PoolTimeout": "no connection of the pool became free in time",
    "ReadTimeout": "no answer came in time",
    "WriteTimeout": "the request could not be written in time",
    "ProxyError": "the proxy refused the connection",
    "ConnectError": "the connection could not be opened",
    "RemoteProtocolError": "the connection ended before a whole answer had come",
    "ReadError": "the connection broke before a whole answer had come",
    "WriteError": "the connection broke while the request was being written",
}


def failure_of(error: Exception) -> TransportFailure:
    """Say what happened by an exception of httpx, httpx2 or their network layers."""
    if isinstance(error, TooManyInterimAnswersError):
        return too_many_interim_answers(sent=True)
    kinds = _kinds(error)
    sent = _NOT_SENT.isdisjoint(kinds)
    if not sent and is_about_a_certificate(error):
        return unverified()
    for kind in kinds:
        if kind in _REASONS:
            return TransportFailure(_REASONS[kind] + detail(error), sent=sent)
    return TransportFailure(f"the request failed ({type(error).__name__})", sent=sent)


def unsent(error: Exception) -> TransportFailure:
    """Say what kept a connection from being opened, whatever it is: nothing can have left."""
    if isinstance(error, TransportFailure) and not error.sent:
        return error
    if isinstance(error, DeadlinePassedError):
        return deadline_passed(sent=False)
    if isinstance(error, TooManyInterimAnswersError):
        return too_many_interim_answers(sent=False)
    if is_about_a_certificate(error):
        return unverified()
    for kind in _kinds(error):
        if kind in _NOT_SENT and kind in _REASONS:
            return TransportFailure(_REASONS[kind] + detail(error), sent=False)
    why = detail(error) or f" ({type(error).__name__})"
    return TransportFailure(_REASONS["ConnectError"] + why, sent=False)


def _kinds(error: Exception) -> list[str]:
    """Name the classes of an exception that are one of the libraries' own, its own first."""
    return [
        kind.__name__ for kind in type(error).__mro__ if kind.__module__.split(".")[0] in _LIBRARIES
    ]


def is_about_a_certificate(error: Exception) -> bool:
    """Say whether there is no connection because a certificate does not verify."""
    return any(isinstance(link, ssl.SSLCertVerificationError) for link in links(error))


def unverified() -> TransportFailure:
    """Say so."""
    return TransportFailure(
        "the server's certificate does not verify (check base_url and verify=)",
        sent=False,
        permanent=True,
    )


def unusable(reason: str) -> TransportFailure:
    """Say that a transport cannot be used at all."""
    return TransportFailure(reason, sent=False, permanent=True)


def client_closed() -> TransportFailure:
    """Say that the client was closed before the call."""
    return unusable("the client is closed: call before the end of its `with`, or make a new one")


def misconfigured(reason: str) -> TransportFailure:
    """Say that what a transport was set up with shows only now that it cannot work."""
    return TransportFailure(reason, sent=False, permanent=True, misconfigured=True)


def pool_timeout() -> TransportFailure:
    """Say that the wait for a connection was too long."""
    return TransportFailure(_REASONS["PoolTimeout"], sent=False)


def too_many_interim_answers(*, sent: bool) -> TransportFailure:
    """Say that a server, or a proxy that was asked for a tunnel, does not come to the point."""
    return TransportFailure(
        f"more than {MAX_INTERIM_ANSWERS} interim answers (HTTP 1xx) came, and no answer",
        sent=sent,
    )


def deadline_passed(*, sent: bool) -> TransportFailure:
    """Say that the total time of an attempt was over."""
    if sent:
        return TransportFailure("the whole answer had not come when the deadline passed", sent=True)
    return TransportFailure("the connection was not open when the deadline passed", sent=False)


def detail(error: Exception) -> str:
    """Return the operating system's own words, which hold nothing of the request."""
    for link in links(error):
        if isinstance(link, OSError) and isinstance(link.strerror, str):
            return f" ({link.strerror})"
    return ""
