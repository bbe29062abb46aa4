"""Responses of a receiver to DGS-Pay: 200 ends an event's deliveries, all else repeats them."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from dgspay.errors import DecodeError, SignatureError, WrongEnvironmentError
from dgspay.models.json_codec import dump_json

RETRY_AFTER = 30
"""Seconds after which an event that is being handled may be delivered again."""


@attrs.frozen
class WebhookResponse:
    """An HTTP answer for any framework.

    Attributes:
        status: The HTTP status.
        body: JSON that says what became of the event.
        headers: The headers to send.
    """

    status: int
    body: bytes
    headers: Mapping[str, str]

    @classmethod
    def of(cls, status: int, word: str, **headers: str) -> WebhookResponse:
        """An answer whose body is `{"status": word}`, as in the guide's examples."""
        content = {"Content-Type": "application/json"}
        content |= {name.replace("_", "-"): text for name, text in headers.items()}
        return cls(status, dump_json({"status": word}), content)


RECEIVED = WebhookResponse.of(200, "received")
DUPLICATE = WebhookResponse.of(200, "duplicate")
UNSIGNED = WebhookResponse.of(401, "unauthorized")
WRONG_ENVIRONMENT = WebhookResponse.of(403, "wrong_environment")
METHOD_NOT_ALLOWED = WebhookResponse.of(405, "method_not_allowed", Allow="POST")
IN_PROGRESS = WebhookResponse.of(409, "in_progress", Retry_After=str(RETRY_AFTER))
TOO_LARGE = WebhookResponse.of(413, "too_large")
UNREADABLE = WebhookResponse.of(422, "unreadable")
FAILED = WebhookResponse.of(500, "failed")
UNAVAILABLE = WebhookResponse.of(503, "unavailable", Retry_After=str(RETRY_AFTER))


def response_to(error: SignatureError | DecodeError) -> WebhookResponse:
    """Return the answer to a delivery that `verify` did not accept."""
    match error:
        case WrongEnvironmentError():
            return WRONG_ENVIRONMENT
        case SignatureError():
            return UNSIGNED
        case DecodeError():
            return UNREADABLE
