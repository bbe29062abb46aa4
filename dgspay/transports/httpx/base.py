"""The base of both transports on httpx: one request through connections, whosever they are."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar

from dgspay.core.messages import Request, Response, Timeout, TransportFailure
from dgspay.interruption import interruption_in
from dgspay.transports.errors import failure_of, unsent, unusable
from dgspay.transports.httpx.progress import Progress

if TYPE_CHECKING:
    import httpx  # whose API is that of httpx2 as well

AnswerT = TypeVar("AnswerT")
"""What `send` returns: a Response, or a coroutine that returns one."""

ClientT = TypeVar("ClientT", bound="httpx.AsyncClient | httpx.Client")


class BaseHttpxTransport(ABC, Generic[AnswerT]):
    """Sends one request at a time, and says what a failure of the library means."""

    is_async: ClassVar[bool]

    @abstractmethod
    def send(self, request: Request, timeout: Timeout) -> AnswerT:
        """Send the request and return the answer; see `dgspay.transports.base`."""

    def check_url(self, url: str) -> None:
        """See that connections to a URL can be made; a user's client knows that for itself.

        Raises:
            TransportFailure: what the environment names bars them.
        """


def noted(answer: Response, progress: Progress) -> Response:
    """Note in an answer what is known of its request's course."""
    answer.pool_wait = progress.pool_wait
    return answer


def raised_for(error: Exception, progress: Progress) -> BaseException:
    """Return what a handler of a signal has raised, or else what the failure means."""
    if isinstance(error, TransportFailure):
        failure = error
    elif (interruption := interruption_in(error)) is not None:
        return interruption
    else:
        failure = unsent(error) if progress.is_unsent else failure_of(error)
    failure.pool_wait = progress.pool_wait
    return failure


class ClientOfOneProcess(Generic[ClientT]):
    """The user's own client, in the process it was given in."""

    def __init__(self, client: ClientT) -> None:
        self._client = client
        self._pid = os.getpid()

    def checked(self) -> ClientT:
        """Return the client.

        Raises:
            TransportFailure: it is closed, or this is another process.
        """
        if self._client.is_closed:
            raise unusable("the httpx client is closed")
        if os.getpid() != self._pid:
            raise unusable("the httpx client was made before a fork; make one in each process")
        return self._client
