"""Sender of signed webhooks, as DGS-Pay would post them; a module of its own to load httpx late."""

from __future__ import annotations

import httpx

from dgspay.webhooks import SIGNATURE_HEADER

_SECONDS = 10.0


class NotDeliveredError(Exception):
    """No answer came; the message names what happened to the connection."""


def post(url: str, body: bytes, signature: str) -> int:
    """Post a webhook and return the status of the answer; redirects are not followed.

    Raises:
        NotDeliveredError: no answer came.
    """
    headers = {"Content-Type": "application/json", SIGNATURE_HEADER: signature}
    try:
        with (
            httpx.Client(timeout=_SECONDS, follow_redirects=False, trust_env=False) as client,
            client.stream("POST", url, content=body, headers=headers) as response,
        ):
            return response.status_code
    except httpx.HTTPError as error:
        raise NotDeliveredError(type(error).__name__) from None
