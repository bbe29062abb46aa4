"""The emulator on a real socket: uvicorn in a thread, on loopback."""

from __future__ import annotations

import socket
import threading
from collections.abc import Generator
from contextlib import contextmanager

import attrs
import uvicorn
from starlette.types import ASGIApp

from dgspay.emulator.api.call import API_PREFIX
from dgspay.settings import is_loopback

_START_SECONDS = 10.0


@attrs.frozen
class Served:
    """Addresses at which the emulator listens.

    Attributes:
        url: The base URL of the API, such as `http://127.0.0.1:49152/generation/v2`.
        origin: The same without the path.
        host: The address it is bound to.
        port: The port it is bound to.
    """

    host: str
    port: int

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    @property
    def url(self) -> str:
        """The base URL of the API."""
        return self.origin + API_PREFIX


class _Server(uvicorn.Server):
    """A uvicorn server that signals when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then signal it."""
        await super().startup(sockets)
        self.listening.set()


@contextmanager
def serve(app: ASGIApp, *, host: str, port: int, allow_public: bool) -> Generator[Served]:
    """Serve an application until the block is left.

    Raises:
        ValueError: when the host is not loopback and `allow_public` is not set.
        OSError: when the port is taken.
    """
    if not allow_public and not is_loopback(host):
        raise ValueError(
            f"the emulator listens on loopback only, {host!r} is not; its credentials are public. "
            "Pass allow_public=True if you really want others to reach it"
        )
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, port), family=family) as listener:
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            lifespan="off",
            ws="none",
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=1,
        )
        server = _Server(config)
        thread = threading.Thread(
            target=server.run, args=([listener],), name="dgspay-emulator-server", daemon=True
        )
        thread.start()
        try:
            if not server.listening.wait(_START_SECONDS):
                raise RuntimeError("the emulator's server did not start")
            bound_host, bound_port = listener.getsockname()[:2]
            yield Served(bound_host, bound_port)
        finally:
            server.should_exit = True
            thread.join()
