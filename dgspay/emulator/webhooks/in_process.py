"""Receivers of webhooks in this process, without a socket: a function, or a whole application."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import anyio
import httpx

from dgspay.emulator.webhooks.attempt import Attempt, attempt_of
from dgspay.emulator.webhooks.delivery import Delivery

logger = logging.getLogger("dgspay.emulator")

_ORIGIN = "http://testserver"
"""As Starlette's test client has it, for a webhook that has no URL."""


InProcessReceiver = Callable[[bytes, Mapping[str, str]], int | None]
"""Takes the body and the headers of a webhook; returns the HTTP status, None for 200."""


class FunctionReceiver:
    """A function that takes webhooks without a URL; one that raises has not taken them."""

    def __init__(self, function: InProcessReceiver) -> None:
        self._function = function

    def attempt(self, delivery: Delivery, *, now: float) -> Attempt:
        """Make one attempt to deliver a webhook."""
        try:
            status = self._function(delivery.body, delivery.headers)
        except Exception as error:  # the shop's own code: a server would say 500
            # And log it: nothing else shows the test why its webhook was not accepted.
            logger.warning("the receiver in this process raised", exc_info=True)
            return Attempt(now, 500, type(error).__name__)
        return Attempt(now, 200 if status is None else int(status))


class AppReceiver:
    """Takes every webhook as the application would: at the path of its URL, whatever the host.

    Args:
        app: An ASGI application (FastAPI, Starlette, Django), a WSGI application (Flask, Django),
            or the test client of FastAPI or Starlette.
        path: Where webhooks without a URL go: the one that is set in the portal.
        may_fail: Whether the application may reject some.

    Raises:
        TypeError: it is none of these.
        ValueError: the path does not begin with a slash.
    """

    def __init__(self, app: Any, *, path: str | None, may_fail: bool) -> None:
        is_client = not callable(app)
        if is_client and not hasattr(app, "post"):
            raise TypeError(
                "deliver_to takes an ASGI or WSGI application, or a test client of one, not "
                f"{type(app).__name__}"
            )
        if path is not None and not path.startswith("/"):
            raise ValueError("path must begin with a slash, such as /webhooks/dgspay")
        self._app: Any = app
        self._is_client = is_client
        self._path = path
        self._may_fail = may_fail
        self._raised: Exception | None = None

    def attempt(self, delivery: Delivery, *, now: float) -> Attempt:
        """Make one attempt to deliver a webhook."""
        if delivery.url is None and self._path is None:
            return Attempt(now, None, "it has no callback_url, and deliver_to was given no path=")
        url = delivery.url or f"{_ORIGIN}{self._path}"
        try:
            # A thread of its own: this one may have an event loop that runs.
            with ThreadPoolExecutor(1, "dgspay-emulator-app") as alone:
                response = alone.submit(self._post, url, delivery.body, delivery.headers).result()
        except Exception as error:  # the shop's own code: a server would say 500
            logger.warning("the application in this process raised", exc_info=True)
            self._raised = error
            return Attempt(now, 500, type(error).__name__)
        return attempt_of(now, response.status_code, response.content)

    def require_accepted(self, deliveries: Sequence[Delivery]) -> None:
        """Check that it has accepted each webhook that it got; see `Webhooks.require_accepted`."""
        rejected = [each for each in deliveries if each.attempts and not each.delivered]
        if self._may_fail or not rejected:
            return
        lines = [f"  {each.event} of {each.reference}: {_said(each)}" for each in rejected]
        raise AssertionError(
            "\n".join(
                (
                    "the application did not accept these webhooks of the emulator:",
                    *lines,
                    "Mend it; or pass may_fail=True to deliver_to, where that is what is tested.",
                )
            )
        ) from self._raised

    def _post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Any:
        if self._is_client:
            # Its class is that of httpx or of httpx2, which are alike.
            return self._app.post(url, content=body, headers=dict(headers))
        if _is_asgi(self._app):
            return anyio.run(self._post_async, url, body, headers)
        with httpx.Client(transport=httpx.WSGITransport(self._app)) as client:
            return client.post(url, content=body, headers=dict(headers))

    async def _post_async(
        self, url: str, body: bytes, headers: Mapping[str, str]
    ) -> httpx.Response:
        transport = httpx.ASGITransport(self._app)
        async with httpx.AsyncClient(transport=transport) as client:
            return await client.post(url, content=body, headers=dict(headers))


def _is_asgi(app: Any) -> bool:
    return inspect.iscoroutinefunction(app) or inspect.iscoroutinefunction(type(app).__call__)


def _said(delivery: Delivery) -> str:
    last = delivery.attempts[-1]
    if last.status is None:
        return last.error or ""
    where = "" if delivery.url is None else f"POST {httpx.URL(delivery.url).path} was "
    return f"{where}answered {last.status} {last.error or last.answer}".rstrip()
