"""An exception that is about something else says nothing about what became of a request."""

from __future__ import annotations

import ssl
from typing import Any

import httpx
import httpx2
import pytest

from dgspay.errors import DGSPayError, Outcome
from tests.support.calls import Act, carry_out, carry_out_borrowing, payout
from tests.support.raw_server import Connection, RawServer, answering, free_port, http
from tests.support.transport_matrix import WAYS, Way

GOOD = http({"status": "success", "dgs_reference": "dgs_1"})


@pytest.fixture(params=WAYS, ids=str)
def way(request: pytest.FixtureRequest) -> Way:
    way: Way = request.param
    return way


def take_and_hang_up(connection: Connection) -> None:
    connection.read_request()


def take_and_reset(connection: Connection) -> None:
    connection.read_request()
    connection.reset()


def failure_while_handling(way: Way, url: str, act: Act) -> DGSPayError:
    """Call as a program does that has just caught the failure of something else."""
    with pytest.raises(DGSPayError) as caught:
        try:
            raise ssl.SSLCertVerificationError("of another server")
        except ssl.SSLError:
            carry_out(way, url, act)
    return caught.value


@pytest.mark.acceptance(15, "lost-answer")
@pytest.mark.parametrize("script", [take_and_hang_up, take_and_reset])
def test_certificate_that_failed_elsewhere_is_no_proof_that_nothing_was_sent(
    way: Way, script: Any
) -> None:
    with RawServer(script) as server:
        error = failure_while_handling(way, server.url, payout)
        assert error.outcome is Outcome.UNKNOWN
        assert len(server.requests) == 1


@pytest.mark.acceptance(14, "not-reached")
def test_certificate_that_failed_elsewhere_is_no_reason_to_give_up(way: Way) -> None:
    error = failure_while_handling(way, f"http://127.0.0.1:{free_port()}", payout)
    assert error.outcome is Outcome.NOT_SENT
    assert error.attempts == 3
    assert "certificate" not in error.message


# --- what an event hook of the user's own client raises -----------------------------------------

BORROWING = [way for way in WAYS if way.library != "aiohttp"]


def hook_that_raises(way: Way, kind: str) -> Any:
    """An event hook that calls another server, which cannot be reached."""
    library: Any = httpx2 if way.library == "httpx2" else httpx

    def raise_it(_: Any) -> None:
        if kind == "certificate":
            raise ssl.SSLCertVerificationError("of the other server")
        raise getattr(library, kind)("to the other server")

    async def raise_it_later(_: Any) -> None:
        raise_it(_)

    return raise_it if way.is_blocking else raise_it_later


@pytest.mark.acceptance(15, "lost-answer")
@pytest.mark.parametrize("kind", ["ConnectError", "ConnectTimeout", "PoolTimeout", "certificate"])
@pytest.mark.parametrize("way", BORROWING, ids=str)
def test_hook_whose_own_call_was_not_sent_does_not_say_so_of_a_payout(way: Way, kind: str) -> None:
    hooks = {"response": [hook_that_raises(way, kind)]}
    with RawServer(answering(GOOD)) as server:
        with pytest.raises(DGSPayError) as caught:
            carry_out_borrowing(way, server.url, payout, event_hooks=hooks)
        assert caught.value.outcome is Outcome.UNKNOWN
        assert len(server.requests) == 1


class TryingAgain(httpx.HTTPTransport):
    """A transport that tries again by itself, as some that can be installed do."""

    def __init__(self, second: int) -> None:
        super().__init__()
        self.second = second

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        try:
            return super().handle_request(request)
        except httpx.TransportError:
            request.url = request.url.copy_with(port=self.second)
            return super().handle_request(request)


@pytest.mark.acceptance(15, "lost-answer")
def test_second_try_of_a_users_transport_does_not_hide_the_first() -> None:
    sync = BORROWING[0]
    with RawServer(take_and_hang_up) as server:
        with pytest.raises(DGSPayError) as caught:
            transport = TryingAgain(free_port())
            carry_out_borrowing(sync, server.url, payout, transport=transport)
        assert caught.value.outcome is Outcome.UNKNOWN
        assert len(server.requests) == 1


@pytest.mark.acceptance(14, "not-reached")
@pytest.mark.parametrize("way", BORROWING, ids=str)
def test_users_own_client_whose_proxy_refuses_the_tunnel_has_sent_nothing(way: Way) -> None:
    refusing = answering(http(b"", "403 Forbidden"))
    with RawServer(refusing) as proxy, pytest.raises(DGSPayError) as caught:
        url = f"https://127.0.0.1:{free_port()}"
        carry_out_borrowing(way, url, payout, proxy=f"http://{proxy.authority}", verify=False)
    assert caught.value.outcome is Outcome.NOT_SENT
    assert caught.value.attempts == 3


@pytest.mark.acceptance(14, "not-reached")
@pytest.mark.parametrize("way", BORROWING, ids=str)
def test_users_own_client_that_cannot_connect_has_sent_nothing(way: Way) -> None:
    with pytest.raises(DGSPayError) as caught:
        carry_out_borrowing(way, f"http://127.0.0.1:{free_port()}", payout)
    assert caught.value.outcome is Outcome.NOT_SENT
    assert caught.value.attempts == 3
