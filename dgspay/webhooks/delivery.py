"""The delivery in which an event came: which attempt it is about, by the token in its path."""

from __future__ import annotations

import datetime as dt
from typing import Self, final

import attrs

from dgspay.callback_urls import last_segments


@final
@attrs.frozen(kw_only=True)
class Delivery:
    """The delivery in which an event came to a `WebhookReceiver`.

    A payment whose `callback_url` ends in a token of its own is found by it, also when the answer
    to its request was lost and DGS-Pay's reference with it. An event is believed to be of that
    payment by its token, so neither it nor the path is ever shown.

    Attributes:
        path: The path of the request; None where the receiver was not given it.
        token: Its last segment below the path of the receiver; None where there is none.
        received_at: When it came, in UTC.
    """

    path: str | None = attrs.field(default=None, repr=False)
    token: str | None = attrs.field(default=None, repr=False)
    received_at: dt.datetime

    @classmethod
    def of(cls, path: str | None, below: str | None) -> Self:
        """Make one of a request that has come just now.

        Args:
            path: Its path.
            below: What of it lies below the path of the receiver.
        """
        # Where a route converts its segments it may be a UUID.
        segments = None if below is None else last_segments(str(below), 1)
        token = None if segments is None else segments[0]
        return cls(path=path, token=token, received_at=dt.datetime.now(dt.UTC))
