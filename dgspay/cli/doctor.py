"""`dgspay doctor`: check the set-up and advise what to do, a line for each check."""

from __future__ import annotations

import datetime as dt
import enum
import os
import socket
import ssl
from collections.abc import Iterator, Mapping
from email.utils import parsedate_to_datetime
from typing import Annotated, Any
from urllib.parse import urlsplit

import attrs
import typer

from dgspay import DGSPay, RetryPolicy, __version__, errors
from dgspay.api import balances
from dgspay.cli.exit_codes import ExitCode
from dgspay.cli.options import BaseUrlOption, EnvironmentOption, client_options, webhook_secret
from dgspay.cli.output import write_json
from dgspay.cli.terminal import console, visible
from dgspay.secret import Secret
from dgspay.settings import Settings, is_loopback

_CONNECT_SECONDS = 5.0
_CALL_SECONDS = 15.0
_TOLERATED_SKEW = 30.0
_DAYS_BEFORE_EXPIRY = 14

_PREFIXES = ("sk_live_", "sk_test_", "sk_sandbox_")

_PROXY_VARIABLES = (
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "http_proxy",
    "https_proxy",
    "all_proxy",
)


class Grade(enum.Enum):
    """Result of a check, with its colour."""

    OK = "ok", "green"
    WARN = "warn", "yellow"
    FAIL = "fail", "bold red"


@attrs.frozen
class Finding:
    """Result of a check.

    Attributes:
        check: What was looked at.
        grade: How it came out.
        what: What was found.
        advice: What to do about it.
    """

    check: str
    grade: Grade
    what: str
    advice: str = ""


def doctor(
    *,
    environment: EnvironmentOption = None,
    base_url: BaseUrlOption = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Write one JSON object, once all checks are made.")
    ] = False,
) -> None:
    """Check the set-up: settings, key, connection, TLS, clock, a call.

    Each check is a line: ok, warn or fail, and what to do. The only call it makes reads the
    balance. Exit code 1 when a check failed.
    """
    findings = []
    for finding in examine(environment, base_url):
        findings.append(finding)
        if not as_json:
            _print(finding)
    failed = any(finding.grade is Grade.FAIL for finding in findings)
    if as_json:
        write_json({"ok": not failed, "checks": [*map(_record, findings)]})
    if failed:
        raise typer.Exit(ExitCode.NO)


def examine(environment: str | None, base_url: str | None) -> Iterator[Finding]:
    """Make the checks in order; one that fails ends those that build on it."""
    yield Finding("dgspay", Grade.OK, f"version {__version__}")
    try:
        options = client_options(environment, base_url)
        settings = Settings.check(**options)
    except errors.ConfigError as error:
        yield Finding("settings", Grade.FAIL, error.message, "Set it right and run this again.")
        return
    yield Finding("settings", Grade.OK, f"{settings.environment} at {settings.base_url}")
    yield key_finding(settings)
    yield webhook_finding()
    yield from proxy_findings(os.environ)
    reached = reach(settings.base_url)
    yield from reached
    if any(finding.grade is Grade.FAIL for finding in reached):
        return
    yield from call_findings(options)


def key_finding(settings: Settings) -> Finding:
    """Check whether the prefix of the key is that of this environment."""
    # That a live key is in production and a test key is not, the settings have checked.
    kind = "live" if settings.environment == "production" else "test"
    key = settings.api_key
    if isinstance(key, Secret) and key.reveal().startswith(_PREFIXES):
        return Finding("API key", Grade.OK, f"it is a {kind} key, as {settings.environment} needs")
    return Finding(
        "API key",
        Grade.WARN,
        "it does not begin with sk_live_ or sk_test_, so it does not show where it belongs",
        f"Make sure that it is of {settings.environment}.",
    )


def webhook_finding() -> Finding:
    """Check whether webhooks could be verified."""
    if webhook_secret() is not None:
        return Finding("webhook secret", Grade.OK, "DGSPAY_WEBHOOK_SECRET is set")
    return Finding(
        "webhook secret",
        Grade.WARN,
        "DGSPAY_WEBHOOK_SECRET is not set",
        "A service that receives webhooks needs it (portal: Settings, API Settings).",
    )


def proxy_findings(environ: Mapping[str, str]) -> Iterator[Finding]:
    """Warn of proxy variables, which the client ignores unless `trust_env` is set."""
    names = [name for name in _PROXY_VARIABLES if environ.get(name)]
    if names:
        yield Finding(
            "proxy",
            Grade.WARN,
            f"{names[0]} is set and is not used",
            "If a proxy is the only way out, use DGSPay(trust_env=True).",
        )


def reach(base_url: str) -> list[Finding]:
    """Connect to the server, and shake hands where it is https."""
    parts = urlsplit(base_url)
    host = parts.hostname or ""
    secure = parts.scheme == "https"
    port = parts.port or (443 if secure else 80)
    try:
        with socket.create_connection((host, port), _CONNECT_SECONDS) as connection:
            reached = Finding("connection", Grade.OK, f"{host} answers on port {port}")
            return [reached, _tls(connection, host) if secure else _no_tls(host)]
    except socket.gaierror:
        what, advice = f"the name {host} is not known", "Check the base URL and your DNS."
    except OSError as error:
        what = f"{host}, port {port}: {error.strerror or 'no answer in time'}"
        advice = "Start it with: dgspay emulator" if is_loopback(host) else "Check your network."
    return [Finding("connection", Grade.FAIL, what, advice)]


def _tls(connection: socket.socket, host: str) -> Finding:
    try:
        with ssl.create_default_context().wrap_socket(connection, server_hostname=host) as tls:
            certificate, version = tls.getpeercert() or {}, tls.version()
    except ssl.SSLCertVerificationError as error:
        what = f"the certificate does not verify: {error.verify_message}"
        return Finding("TLS", Grade.FAIL, what, "The connection may be intercepted; send nothing.")
    except OSError as error:
        what = f"the handshake failed: {type(error).__name__}"
        return Finding("TLS", Grade.FAIL, what, "Check what stands between you and DGS-Pay.")
    return certificate_finding(version, str(certificate.get("notAfter", "")), _now())


def certificate_finding(version: str | None, not_after: str, now: dt.datetime) -> Finding:
    """Report the version of TLS, and how long the certificate is valid."""
    expires = ssl.cert_time_to_seconds(not_after)
    days = int((expires - now.timestamp()) // 86_400)
    what = f"{version}, certificate valid for {days} more days"
    if days < _DAYS_BEFORE_EXPIRY:
        return Finding("TLS", Grade.WARN, what, "It should be renewed soon, on their side.")
    return Finding("TLS", Grade.OK, what)


def _no_tls(host: str) -> Finding:
    return Finding("TLS", Grade.OK, f"not needed: {host} is this machine")


def call_findings(options: Mapping[str, Any]) -> Iterator[Finding]:
    """Read the balance once: is the call accepted, and is our clock right?"""
    try:
        with DGSPay(**options, retry=RetryPolicy(attempts=1), deadline=_CALL_SECONDS) as dgs:
            reply = dgs.reply(balances.list())
    except errors.DGSPayError as error:
        yield Finding("call", Grade.FAIL, error.message)
        return
    milliseconds = reply.elapsed * 1000
    yield Finding("call", Grade.OK, f"GET /balance was accepted after {milliseconds:.0f} ms")
    yield clock_finding(reply.headers.get("date"), _now())


def clock_finding(date: str | None, now: dt.datetime) -> Finding:
    """Compare our clock with the Date header of the server."""
    try:
        theirs = parsedate_to_datetime(date or "")
    except ValueError:
        return Finding("clock", Grade.WARN, "the server sends no readable Date header")
    skew = (now - theirs.astimezone(dt.UTC)).total_seconds()
    if abs(skew) <= _TOLERATED_SKEW:
        return Finding("clock", Grade.OK, "it agrees with the server's")
    direction = "ahead of" if skew > 0 else "behind"
    return Finding(
        "clock",
        Grade.WARN,
        f"it is {abs(skew):.0f} seconds {direction} the server's",
        "Switch on time synchronisation (NTP): expiry times and TLS depend on it.",
    )


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def _record(finding: Finding) -> dict[str, str | None]:
    word, _ = finding.grade.value
    return {
        "check": finding.check,
        "grade": word,
        "what": finding.what,
        "advice": finding.advice or None,
    }


def _print(finding: Finding) -> None:
    word, style = finding.grade.value
    out = console()
    out.print(f"{word:<5}", style=style, end="")
    out.print(f"{finding.check}: {visible(finding.what)}")
    if finding.advice:
        out.print(f"     {finding.advice}")
