"""One attempt to deliver a webhook, over HTTP, and its result."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping
from typing import Final

import attrs
import httpx

from dgspay.secret import masked_data
from dgspay.transports.blocking_deadline import DeadlinePassedError, deadline

_READ_OF_ANSWER = 64 * 1024
_KEPT_OF_ANSWER = 500

# What programs print when they fail and still answer 200: PHP and Python do it by themselves.
_SIGNS_OF_FAILURE: Final = re.compile(
    r"Traceback \(most recent call last\)|\b(Fatal|Parse) error\b|\bWarning: |\bUncaught\b"
    r"|\b[A-Z]\w*(Error|Exception)\b|\"(error|errors|exception)\"\s*:(?!\s*(null|false|\"\"|\[\]))",
)


@attrs.frozen
class Attempt:
    """One attempt to deliver.

    Attributes:
        at: Seconds since 1970, by the emulator's clock.
        status: The HTTP status of the receiver, or None when there was no answer.
        error: What went wrong with the connection, such as `ReadTimeout`, or None.
        answer: The beginning of what the receiver answered, secrets masked.
        warning: Why a 2xx is doubtful: its body mentions an error. None when it does not.
    """

    at: float
    status: int | None
    error: str | None = None
    answer: str = ""
    warning: str | None = None


def is_success(status: int | None) -> bool:
    """Return whether a receiver has accepted a webhook."""
    return status is not None and httpx.codes.is_success(status)


def attempt_over_http(
    client: httpx.Client,
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    *,
    now: float,
    timeout: float,
) -> Attempt:
    """Send a webhook once.

    Args:
        client: One that was made to keep the deadline of its thread.
        url: Where it goes.
        body: What was signed.
        headers: What goes with it.
        now: Seconds since 1970, by the emulator's clock.
        timeout: Real seconds for all of it. When they are over after the status has come, the
            status counts.
    """
    with deadline.until(timeout):
        try:
            with client.stream(
                "POST", url, content=body, headers=dict(headers), timeout=timeout
            ) as response:
                return attempt_of(now, response.status_code, _read_some(response))
        except DeadlinePassedError:
            return Attempt(now, None, httpx.ReadTimeout.__name__)
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
            # UnicodeError: a host's name has a form that no name can have, such as `a..b`.
            return Attempt(now, None, type(error).__name__)


def attempt_of(now: float, status: int, answer: bytes) -> Attempt:
    """Return the attempt that a receiver has answered."""
    text = answer.decode("utf-8", "replace")
    sign = _SIGNS_OF_FAILURE.search(text) if is_success(status) else None
    warning = None
    if sign is not None:
        warning = f"answered {status}, but its body mentions an error: {sign.group(0).strip()}"
    return Attempt(now, status, None, masked_data(text[:_KEPT_OF_ANSWER]), warning)


def _read_some(response: httpx.Response) -> bytes:
    """Read a short answer to its end, and abandon one that never ends."""
    read = b""
    with contextlib.suppress(DeadlinePassedError, httpx.TimeoutException):
        for chunk in response.iter_raw():
            read += chunk
            if len(read) > _READ_OF_ANSWER:
                break
    return read
