"""An authenticated call for the areas of the API, and the form of its route."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import cached_property
from typing import Any, Final
from urllib.parse import parse_qsl, unquote

import attrs

from dgspay.emulator.api.fields import Fields, Form
from dgspay.emulator.domain.account import Account
from dgspay.emulator.domain.records import ExecutedCall
from dgspay.emulator.http import Response, invalid

API_PREFIX = "/generation/v2"

NO_HEADERS: Final[Mapping[str, str]] = {}


class Call:
    """A call to answer.

    Args:
        account: The merchant that calls.
        operation: The route template, such as `POST /disburse`.
        values: The variable segments of the path, decoded.
        query: The raw query string.
        body: The parsed JSON body; None when there was none.
        idempotency_key: The key that came with it, if one did.
        headers: Its headers, names in lower case.
    """

    def __init__(
        self,
        account: Account,
        operation: str,
        *,
        values: Mapping[str, str],
        query: str,
        body: Any,
        idempotency_key: str | None,
        headers: Mapping[str, str] = NO_HEADERS,
    ) -> None:
        self.account = account
        self.operation = operation
        self.values = values
        self.idempotency_key = idempotency_key
        self.headers = headers
        self.acted = False
        self._query = query
        self.body = body

    @cached_property
    def fields(self) -> Fields:
        """The body's fields; a body that is no JSON object is rejected."""
        if not isinstance(self.body, dict):
            raise invalid("the body must be a JSON object")
        return Fields(self.body)

    def with_body(self, body: Mapping[str, Any]) -> Call:
        """Return the call that this one amounts to, of the same account and with another body."""
        return Call(
            self.account,
            self.operation,
            values=self.values,
            query=self._query,
            body=body,
            idempotency_key=self.idempotency_key,
            headers=self.headers,
        )

    @cached_property
    def query(self) -> Mapping[str, str]:
        """The query parameters; of one that occurs twice the last counts."""
        return dict(parse_qsl(self._query, keep_blank_values=True))

    def record(
        self,
        reference: str,
        amount: Decimal | None = None,
        currency: str | None = None,
        recipient: str | None = None,
    ) -> None:
        """Record that the call was carried out; its answer is then kept for replays."""
        self.acted = True
        self.account.do(
            ExecutedCall(
                self.operation,
                reference,
                self.account.clock.time(),
                amount,
                currency,
                recipient,
                self.idempotency_key,
            )
        )


Handler = Callable[[Call], Mapping[str, Any] | Response]


def _name_of(route: Route) -> str:
    return f"{route.method} {route.template.removeprefix(API_PREFIX)}"


@attrs.frozen
class Route:
    """A method and a path template, and the function that answers.

    Attributes:
        forms: The forms its body may have; none for a route without a body.
        public: Whether a browser may come without credentials.
    """

    method: str
    template: str
    handler: Handler
    forms: tuple[Form, ...] = ()
    public: bool = False
    # Made once and not for every call: each executed call keeps it.
    operation: str = attrs.field(init=False, default=attrs.Factory(_name_of, takes_self=True))
    """The route as faults and executed calls name it, such as `GET /transactions/{id}`."""

    def match(self, segments: tuple[str, ...]) -> Mapping[str, str] | None:
        """Return the variable segments, decoded, when a path has this form."""
        wanted = tuple(self.template.split("/"))
        if len(wanted) != len(segments):
            return None
        values: dict[str, str] = {}
        for want, segment in zip(wanted, segments, strict=True):
            if want.startswith("{"):
                values[want[1:-1]] = unquote(segment)
            elif want != segment:
                return None
        return values
