"""A small HTTP server for webhooks on this machine: verifies each and passes it on.

It is for a terminal session; a service uses its web framework and `dgspay.webhooks`.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import Any

import attrs

from dgspay import errors, webhooks
from dgspay.secret import Secret
from dgspay.webhooks.responses import response_to

MAX_BODY = 1024 * 1024
"""Bytes; the guide's largest event has a few hundred."""

_SECONDS_FOR_A_REQUEST = 10.0


@attrs.frozen(kw_only=True)
class Arrived:
    """A webhook whose signature is right.

    Attributes:
        path: Where it was posted to, query included.
        event: What it says.
        body: The exact bytes that were signed.
        signature: The value of `X-DGS-Signature`.
    """

    path: str
    event: webhooks.Event
    body: bytes = attrs.field(repr=False)
    signature: str = attrs.field(repr=False)


@attrs.frozen
class Refused:
    """A request that is not a valid webhook of DGS-Pay.

    Attributes:
        status: What it was answered with.
        reason: Why.
    """

    status: int
    reason: str


Received = Arrived | Refused
Answerer = Callable[[Received], int]
"""Called with each request, in a thread of its own; returns the status to answer with."""


@contextmanager
def receive(
    answer: Answerer, secret: Secret, *, host: str = "127.0.0.1", port: int = 0
) -> Generator[str]:
    """Receive webhooks until the block is left; gives the URL to send them to.

    Args:
        answer: Called with each request; the status it returns for an `Arrived` is the answer.
        secret: The webhook secret.
        host: Address or name to listen on, of IPv4 or IPv6; `::` means every address of both.
        port: 0 takes a free one.

    Raises:
        OSError: when the port is taken, or the host is none of this machine's.
    """
    family, address = _address(host, port)
    server = _Server(family, address, _handler(answer, secret))
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), name="dgspay-receiver")
    thread.start()
    try:
        name = _unbracketed(host).replace("%", "%25")  # of an interface, as in `fe80::1%eth0`
        yield f"http://{f'[{name}]' if ':' in name else name}:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _address(host: str, port: int) -> tuple[socket.AddressFamily, Any]:
    """Find what to bind to; of a name with addresses of both families, IPv4's."""
    found = socket.getaddrinfo(_unbracketed(host), port, type=socket.SOCK_STREAM)
    family, _, _, _, address = min(found, key=lambda each: each[0] != socket.AF_INET)
    return family, address


def _unbracketed(host: str) -> str:
    return host[1:-1] if host.startswith("[") and host.endswith("]") else host


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(
        self,
        family: socket.AddressFamily,
        address: Any,
        handler: type[BaseHTTPRequestHandler],
    ) -> None:
        self.address_family = family
        super().__init__(address, handler)

    def server_bind(self) -> None:
        """Make `::` mean IPv4 too, whatever the system's default is, as other servers do."""
        if self.address_family == socket.AF_INET6:
            self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        # `HTTPServer` would ask a name server who it is.
        TCPServer.server_bind(self)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print nothing: a sender that hangs up does not concern the person at the terminal."""


def _handler(answer: Answerer, secret: Secret) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = _SECONDS_FOR_A_REQUEST
        server_version = "dgspay"
        sys_version = ""

        def do_POST(self) -> None:
            received = self._read()
            status = answer(received)
            self._answer(received.status if isinstance(received, Refused) else status)

        def do_GET(self) -> None:
            """Explain the address to a person who opens it in a browser."""
            words = b"This is where webhooks are posted to. They are shown in the terminal.\n"
            self.send_response(405)
            self.send_header("Allow", "POST")
            self.send_header("Content-Type", "text/plain; charset=utf-8")
            self.send_header("Content-Length", str(len(words)))
            self.end_headers()
            self.wfile.write(words)

        def _read(self) -> Received:
            length = self.headers.get("Content-Length", "")
            if not (length.isascii() and length.isdigit()):
                return Refused(411, "it has no Content-Length")
            if len(length) > 9 or int(length) > MAX_BODY:
                return Refused(413, f"it has more than {MAX_BODY} bytes")
            body = self.rfile.read(int(length))
            signature = self.headers.get(webhooks.SIGNATURE_HEADER)
            try:
                event = webhooks.verify(body, signature, secret)
            except (errors.SignatureError, errors.DecodeError) as error:
                return Refused(response_to(error).status, error.message)
            return Arrived(path=self.path, event=event, body=body, signature=signature or "")

        def _answer(self, status: int) -> None:
            self.close_connection = True
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.send_header("Connection", "close")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its own name
            """Write nothing: `answer` decides what is shown."""

    return Handler
