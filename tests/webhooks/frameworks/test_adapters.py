"""Each adapter on its framework's own requests, without a server: what it reads, what it answers.

`test_webhook_frameworks.py` has them behind real servers. Here the body is the test's own, so that
it can have no end.
"""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Callable
from typing import Any

import attrs
import pytest

from dgspay.webhooks import Delivery, MemoryInbox, PaymentSucceeded, WebhookReceiver, sign
from dgspay.webhooks.inbox import Claim
from tests.support.framework_servers import PATH, _django_project
from tests.support.receiving import BODY, memory_receiver
from tests.support.webhook_samples import SECRET

KEY = "payment.success:dgs_123456789"
MEBIBYTE = 1024 * 1024
# What is read of a body that has no end: the limit, sixteen times, and a chunk.
FAR_TOO_MUCH = 20 * MEBIBYTE


class Body:
    """What a client sends: some bytes, or spaces without end."""

    def __init__(self, content: bytes | None) -> None:
        self.content = content
        self.read_so_far = 0
        self.reads_at_the_end = 0

    def read(self, size: int = -1) -> bytes:
        # All at once would be as much memory as a stranger likes to take.
        assert 0 < size <= MEBIBYTE
        chunk = b" " * size if self.content is None else self.content[self.read_so_far :][:size]
        self.read_so_far += len(chunk)
        self.reads_at_the_end += not chunk
        assert self.read_so_far < FAR_TOO_MUCH, "it reads for ever"
        assert self.reads_at_the_end < 5, "it reads on after the end"
        return chunk

    def readline(self, size: int = -1) -> bytes:
        raise AssertionError("a body has no lines")

    async def iter_any(self) -> AsyncIterator[bytes]:
        while chunk := self.read(64 * 1024):
            yield chunk

    @property
    def length(self) -> int:
        return 10**12 if self.content is None else len(self.content)


@attrs.frozen
class Answered:
    status: int
    body: bytes
    headers: dict[str, str]


def answered_with(status: int, body: Any, headers: Any) -> Answered:
    return Answered(status, bytes(body), {name.casefold(): text for name, text in headers.items()})


Adapter = Callable[[WebhookReceiver, str, Body, str], Answered]


def starlette(receiver: WebhookReceiver, method: str, body: Body, signature: str) -> Answered:
    requests = pytest.importorskip("starlette.requests")
    from dgspay.webhooks.frameworks.starlette import endpoint

    async def receive() -> dict[str, Any]:
        chunk = body.read(64 * 1024)
        return {"type": "http.request", "body": chunk, "more_body": bool(chunk)}

    headers = [(b"x-dgs-signature", signature.encode())]
    request = requests.Request(
        {"type": "http", "method": method, "path": PATH, "headers": headers}, receive
    )
    answer: Any = asyncio.run(endpoint(receiver)(request))  # type: ignore[arg-type]
    return answered_with(answer.status_code, answer.body, answer.headers)


def aiohttp(receiver: WebhookReceiver, method: str, body: Body, signature: str) -> Answered:
    test_utils = pytest.importorskip("aiohttp.test_utils")
    from dgspay.webhooks.frameworks.aiohttp import handler

    async def answered() -> Any:
        headers = {"X-DGS-Signature": signature}
        request = test_utils.make_mocked_request(method, PATH, headers=headers, payload=body)
        return await handler(receiver)(request)

    answer = asyncio.run(answered())
    return answered_with(answer.status, answer.body, answer.headers)


def flask(receiver: WebhookReceiver, method: str, body: Body, signature: str) -> Answered:
    app = pytest.importorskip("flask").Flask("shop")
    from dgspay.webhooks.frameworks.flask import view

    environ = {"REQUEST_METHOD": method, "HTTP_X_DGS_SIGNATURE": signature}
    # As a server says it that ends the body itself, such as one that takes chunks.
    ending = {"wsgi.input": body, "wsgi.input_terminated": True}
    with app.test_request_context(PATH, environ_overrides=environ | ending):
        answer = view(receiver)()
    return answered_with(answer.status_code, answer.get_data(), answer.headers)


def django(receiver: WebhookReceiver, method: str, body: Body, signature: str) -> Answered:
    factory = pytest.importorskip("django.test").RequestFactory()
    with _django_project(lambda request: None):
        from dgspay.webhooks.frameworks.django import view

        environ = {"wsgi.input": body, "CONTENT_LENGTH": str(body.length)}
        environ["HTTP_X_DGS_SIGNATURE"] = signature
        answer: Any = view(receiver)(factory.generic(method, PATH, **environ))
        return answered_with(answer.status_code, answer.content, answer.headers)


def django_async(receiver: WebhookReceiver, method: str, body: Body, signature: str) -> Answered:
    asgi = pytest.importorskip("django.core.handlers.asgi")
    with _django_project(lambda request: None):
        from dgspay.webhooks.frameworks.django import async_view

        headers = [(b"x-dgs-signature", signature.encode())]
        scope = {"type": "http", "method": method, "path": PATH, "headers": headers}

        async def answered() -> Any:
            return await async_view(receiver)(asgi.ASGIRequest(scope, body))

        answer = asyncio.run(answered())
        return answered_with(answer.status_code, answer.content, answer.headers)


@pytest.fixture(params=[starlette, aiohttp, flask, django, django_async])
def adapter(request: pytest.FixtureRequest) -> Adapter:
    chosen: Adapter = request.param
    return chosen


@pytest.mark.acceptance(42, "raw-body-only", 43, "handled-once")
def test_the_receivers_answer_is_the_frameworks(adapter: Adapter) -> None:
    inbox, seen = MemoryInbox(), list[str]()
    receiver = memory_receiver(inbox=inbox)
    receiver.on(PaymentSucceeded)(lambda event: seen.append(event.dgs_reference))
    elsewhere = inbox.claim(KEY, lease=60)
    assert isinstance(elsewhere, Claim)
    refused = adapter(receiver, "POST", Body(BODY), sign(BODY, SECRET))
    assert (refused.status, json.loads(refused.body)) == (409, {"status": "in_progress"})
    assert refused.headers["retry-after"] == "30"
    inbox.release(elsewhere)
    received = adapter(receiver, "POST", Body(BODY), sign(BODY, SECRET))
    assert (received.status, json.loads(received.body)) == (200, {"status": "received"})
    assert received.headers["content-type"] == "application/json"
    assert seen == ["dgs_123456789"]


@pytest.mark.acceptance(45, "foreign-event")
def test_a_body_without_end_is_cut_off(adapter: Adapter) -> None:
    receiver, body = memory_receiver(), Body(None)
    answered = adapter(receiver, "POST", body, sign(BODY, SECRET))
    assert (answered.status, json.loads(answered.body)) == (413, {"status": "too_large"})
    # Far enough that a client which only listens after it has sent can hear so.
    assert body.read_so_far > 15 * MEBIBYTE


@pytest.mark.acceptance(45, "foreign-event")
def test_a_shops_own_limit_holds(adapter: Adapter) -> None:
    receiver = memory_receiver(max_body=len(BODY) - 1)
    assert adapter(receiver, "POST", Body(BODY), sign(BODY, SECRET)).status == 413


@pytest.mark.acceptance(40, "bad-signature")
def test_what_is_not_signed_is_refused(adapter: Adapter) -> None:
    answered = adapter(memory_receiver(), "POST", Body(BODY), "0" * 64)
    assert (answered.status, json.loads(answered.body)) == (401, {"status": "unauthorized"})


@pytest.mark.parametrize("adapter", [django, django_async], indirect=True)
@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_django_names_the_allowed_method(adapter: Adapter, method: str) -> None:
    answered = adapter(memory_receiver(), method, Body(BODY), sign(BODY, SECRET))
    assert (answered.status, json.loads(answered.body)) == (405, {"status": "method_not_allowed"})
    assert answered.headers["allow"] == "POST"


def test_django_asks_no_token_of_who_signs() -> None:
    pytest.importorskip("django")
    with _django_project(lambda request: None):
        from dgspay.webhooks.frameworks.django import async_view, view

        views: list[Any] = [view(memory_receiver()), async_view(memory_receiver())]
        assert [made.csrf_exempt for made in views] == [True, True]


def test_a_token_that_a_route_converts_is_text_all_the_same() -> None:
    applications = pytest.importorskip("starlette.applications")
    routing = pytest.importorskip("starlette.routing")
    testclient = pytest.importorskip("starlette.testclient")
    from dgspay.webhooks.frameworks.starlette import endpoint

    receiver, seen = memory_receiver(), list[str | None]()

    @receiver.on(PaymentSucceeded)
    async def paid(event: PaymentSucceeded, delivery: Delivery) -> None:
        seen.append(delivery.token)

    route = routing.Route(PATH + "/{token:uuid}", endpoint(receiver), methods=["POST"])
    client = testclient.TestClient(applications.Starlette(routes=[route]))
    token, headers = str(uuid.uuid4()), {"X-DGS-Signature": sign(BODY, SECRET)}
    assert client.post(f"{PATH}/{token}", content=BODY, headers=headers).status_code == 200
    assert seen == [token]
