"""Requests, responses and effects of the emulator's engine: plain values, no sockets."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

import attrs

from dgspay.models.json_codec import dump_json

JSON_HEADERS: Final = (("content-type", "application/json"),)

# The vendor documents `error_code` only; these HTTP statuses are the emulator's choice.
STATUS_OF_CODE: Final[Mapping[str, int]] = {
    "90": HTTPStatus.BAD_REQUEST,
    "91": HTTPStatus.UNAUTHORIZED,
    "92": HTTPStatus.NOT_FOUND,
    "93": HTTPStatus.CONFLICT,
    "99": HTTPStatus.INTERNAL_SERVER_ERROR,
    "VALIDATION_ERROR": HTTPStatus.BAD_REQUEST,
}


@attrs.frozen
class Request:
    """A request as it arrived; header names in lower case, the path still encoded."""

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = attrs.field(factory=dict, repr=False)
    body: bytes = attrs.field(default=b"", repr=False)


@attrs.frozen
class Response:
    """A response to a request."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = JSON_HEADERS

    @classmethod
    def of(cls, fields: Mapping[str, Any], status: int = HTTPStatus.OK) -> Response:
        """Answer with JSON, amounts digit for digit."""
        return cls(int(status), dump_json(fields))


@attrs.frozen
class Wait:
    """A pause of so many real seconds."""

    seconds: float


@attrs.frozen
class Drop:
    """Close the connection without an answer."""


@attrs.frozen
class Trickle:
    """Send an answer byte by byte, with so many real seconds between them."""

    answer: Response
    seconds_per_byte: float


@attrs.frozen
class Cut:
    """Send the first bytes of an answer, then close the connection."""

    answer: Response
    length: int


Effect = Wait | Response | Drop | Trickle | Cut
Exchange = Generator[Effect, None, None]
"""One request's effects in order, an answer or the end of the line last.

The driver carries them out and then closes it.
"""


class RefusedError(Exception):
    """A rejection with a code of the guide ("Error Codes"); nothing was done."""

    def __init__(self, code: str, message: str, **fields: Any) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.fields = fields

    def answer(self) -> Response:
        """Return the rejection in the guide's form."""
        return Response.of(
            {
                "status": "failed",
                "message": self.message,
                "error_code": self.code,
                **self.fields,
            },
            STATUS_OF_CODE.get(self.code, HTTPStatus.BAD_REQUEST),
        )


class WrongMethodError(RefusedError):
    """The path exists, but not for this method."""

    def __init__(self, allowed: Sequence[str]) -> None:
        super().__init__("90", f"the method must be one of: {', '.join(allowed)}")
        self._allowed = allowed

    def answer(self) -> Response:
        """Return the rejection in the form of HTTP, which a proxy expects."""
        headers = (*JSON_HEADERS, ("allow", ", ".join(self._allowed)))
        return attrs.evolve(
            super().answer(), status=int(HTTPStatus.METHOD_NOT_ALLOWED), headers=headers
        )


def invalid(message: str) -> RefusedError:
    """A field is missing or wrong (90)."""
    return RefusedError("90", message)


def not_found(what: str) -> RefusedError:
    """The resource does not exist in this account (92)."""
    return RefusedError("92", f"{what} not found")
