"""A little HTTP proxy: it forwards what is asked of it in plain text, and tunnels the rest."""

from __future__ import annotations

import base64
import select
import socket
from urllib.parse import urlsplit

from tests.support.raw_server import HEAD_END, Connection, Received, Script, http


def proxying(*, password: str | None = None) -> Script:
    """Script: be a proxy, for those who know the password of `jane` where there is one."""
    expected = None
    if password is not None:
        expected = "Basic " + base64.b64encode(f"jane:{password}".encode()).decode()

    def script(connection: Connection) -> None:
        request = connection.read_request()
        if request is None:
            return
        if expected is not None and request.header("proxy-authorization") != expected:
            refusal = 'Proxy-Authenticate: Basic realm="proxy"'
            connection.write(http(b"", "407 Proxy Authentication Required", refusal))
        elif request.method == "CONNECT":
            _tunnel(connection, request)
        else:
            _forward(connection, request)

    return script


def _tunnel(connection: Connection, request: Received) -> None:
    host, _, port = request.target.rpartition(":")
    with socket.create_connection((host.strip("[]"), int(port))) as server:
        connection.write(b"HTTP/1.1 200 Connection established" + HEAD_END)
        carry(connection, server)


def _forward(connection: Connection, request: Received) -> None:
    url = urlsplit(request.target)
    path = request.target.removeprefix(f"{url.scheme}://{url.netloc}")
    lines = [f"{request.method} {path} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in request.headers if "proxy" not in name]
    with socket.create_connection((str(url.hostname), url.port or 80)) as server:
        server.sendall("\r\n".join(lines).encode() + HEAD_END + request.body)
        carry(connection, server)


def carry(connection: Connection, server: socket.socket) -> None:
    """Carry bytes both ways until one side ends, or the test does."""
    other = {connection.sock: server, server: connection.sock}
    while not connection.server.stopping.is_set():
        for sock in select.select(list(other), [], [], 0.02)[0]:
            piece = sock.recv(65536)
            if not piece:
                return
            other[sock].sendall(piece)
