"""Hooks, the log and OpenTelemetry: the same events, and never a body."""

from __future__ import annotations

import logging

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from dgspay import AsyncDGSPay, DGSPay, errors
from dgspay.core.events import AttemptEvent, CallEvent, TelemetryEvent
from dgspay.emulator import Emulator
from dgspay.errors import Outcome
from dgspay.hooks import Emitter
from dgspay.otel import OpenTelemetryHook
from dgspay.testing import client_options
from dgspay.transports.httpx import HttpxTransport
from tests.support.raw_server import RawServer, answering, http

REFERENCE = "dgs_does_not_exist"


@pytest.fixture
def spans() -> InMemorySpanExporter:
    return InMemorySpanExporter()


def blocking(emulator: Emulator, *hooks: object) -> DGSPay:
    return DGSPay(
        transport=HttpxTransport(emulator.http_client()),
        hooks=hooks,  # type: ignore[arg-type]
        **client_options(emulator),
    )


def test_a_hook_receives_attempts_and_calls(emulator: Emulator) -> None:
    told: list[TelemetryEvent] = []
    dgs = blocking(emulator, told.append)
    emulator.faults.fail_next("GET /balance", error_code="99")
    dgs.balances.list()
    first, second, call = told
    assert isinstance(first, AttemptEvent)
    assert (first.operation, first.attempt, first.error_code) == ("GET /balance", 1, "99")
    assert first.retry_delay is not None
    assert isinstance(second, AttemptEvent)
    assert isinstance(call, CallEvent)
    assert (call.attempts, call.outcome, call.error) == (2, Outcome.COMPLETED, None)
    with pytest.raises(AttributeError):
        call.attempts = 0  # type: ignore[misc]


def test_ids_are_never_in_an_event(emulator: Emulator) -> None:
    told: list[TelemetryEvent] = []
    with pytest.raises(errors.NotFoundError):
        blocking(emulator, told.append).transactions.retrieve(REFERENCE)
    assert {event.operation for event in told} == {"GET /transactions/{id}"}
    assert REFERENCE not in repr(told)


def test_a_hook_that_raises_harms_nothing(
    emulator: Emulator, caplog: pytest.LogCaptureFixture
) -> None:
    told: list[TelemetryEvent] = []

    def broken(event: TelemetryEvent) -> None:
        raise RuntimeError("the hook's own bug")

    with caplog.at_level(logging.ERROR, logger="dgspay"):
        blocking(emulator, broken, told.append).balances.list()
    assert len(told) == 2
    assert "a hook raised on GET /balance" in caplog.text


def test_the_log_has_the_same_fields(emulator: Emulator, caplog: pytest.LogCaptureFixture) -> None:
    dgs = blocking(emulator)
    emulator.faults.fail_next("GET /balance", error_code="99")
    with caplog.at_level(logging.DEBUG, logger="dgspay"):
        dgs.balances.list()
        with pytest.raises(errors.NotFoundError):
            dgs.transactions.retrieve(REFERENCE)
    records = [record for record in caplog.records if record.name == "dgspay"]
    assert [record.levelname for record in records] == ["INFO", "DEBUG", "DEBUG", "DEBUG", "INFO"]
    retried = vars(records[0])
    assert retried["dgspay_operation"] == "GET /balance"
    assert retried["dgspay_error_code"] == "99"
    assert retried["dgspay_outcome"] == "rejected"
    assert vars(records[2])["dgspay_attempts"] == 2
    assert emulator.api_key not in caplog.text
    assert REFERENCE not in "".join(record.getMessage() for record in records)


def test_an_unknown_outcome_is_a_warning(
    emulator: Emulator, caplog: pytest.LogCaptureFixture
) -> None:
    emulator.faults.lose_answer("POST /convert")
    dgs = blocking(emulator)
    with (
        caplog.at_level(logging.WARNING, logger="dgspay"),
        pytest.raises(errors.OutcomeUnknownError),
    ):
        dgs.conversions.convert(from_currency="USD", to_currency="EUR", from_amount=1)
    (record,) = caplog.records
    assert "outcome=unknown" in record.getMessage()


def test_a_silent_log_costs_no_formatting(caplog: pytest.LogCaptureFixture) -> None:
    event = CallEvent(
        call_id=1, operation="GET /x", attempts=1, started=0.0, duration=0.0, status=200,
        error_code=None, outcome=Outcome.COMPLETED, error=None,
    )  # fmt: skip
    with caplog.at_level(logging.INFO, logger="dgspay"):
        Emitter(())(event)
    assert not caplog.records


# --- OpenTelemetry ---------------------------------------------------------------------------


def provider(spans: InMemorySpanExporter) -> TracerProvider:
    made = TracerProvider(shutdown_on_exit=False)
    made.add_span_processor(SimpleSpanProcessor(spans))
    return made


def attributes(span: ReadableSpan) -> dict[str, object]:
    return dict(span.attributes or {})


def test_spans_carry_the_label_of_the_merchant(
    emulator: Emulator, spans: InMemorySpanExporter
) -> None:
    dgs = blocking(emulator, OpenTelemetryHook(provider(spans)))
    dgs.with_options(merchant="kigali-coffee").balances.list()
    labels = [attributes(span)["dgspay.merchant"] for span in spans.get_finished_spans()]
    assert labels == ["kigali-coffee", "kigali-coffee"]


def test_one_span_per_call_with_a_child_per_attempt(
    emulator: Emulator, spans: InMemorySpanExporter
) -> None:
    tracing = provider(spans)
    dgs = blocking(emulator, OpenTelemetryHook(tracing))
    emulator.faults.fail_next("GET /transactions/{id}", error_code="99")
    with (
        tracing.get_tracer("shop").start_as_current_span("checkout") as shop,
        pytest.raises(errors.NotFoundError),
    ):
        dgs.transactions.retrieve(REFERENCE)
    first, second, call, checkout = spans.get_finished_spans()

    assert checkout.context.span_id == shop.get_span_context().span_id
    assert call.parent is not None
    assert call.parent.span_id == checkout.context.span_id
    assert call.name == "dgspay GET /transactions/{id}"
    assert call.kind is SpanKind.INTERNAL
    assert call.status.status_code is StatusCode.ERROR
    assert attributes(call) == {
        "http.request.method": "GET",
        "url.template": "/transactions/{id}",
        "http.response.status_code": 404,
        "dgspay.error_code": "92",
        "dgspay.outcome": "rejected",
        "dgspay.attempts": 2,
        "error.type": "NotFoundError",
    }
    for attempt in (first, second):
        assert attempt.parent is not None
        assert attempt.parent.span_id == call.context.span_id
        assert attempt.name == "GET /transactions/{id}"
        assert attempt.kind is SpanKind.CLIENT
        assert call.start_time <= attempt.start_time <= attempt.end_time <= call.end_time + 10**7  # type: ignore[operator]
    assert attributes(first)["error.type"] == "99"
    assert "http.request.resend_count" not in attributes(first)
    assert attributes(second)["http.request.resend_count"] == 1
    assert REFERENCE not in "".join(span.to_json() for span in spans.get_finished_spans())


def test_span_of_an_attempt_has_its_wait_for_a_connection(spans: InMemorySpanExporter) -> None:
    with (
        RawServer(answering(http({"status": "success", "balances": []}))) as server,
        DGSPay(
            api_key="sk_test_1",
            account_number="ACC-1",
            base_url=server.url,
            hooks=[OpenTelemetryHook(provider(spans))],
        ) as dgs,
    ):
        dgs.balances.list()
    attempt = next(span for span in spans.get_finished_spans() if span.kind is SpanKind.CLIENT)
    assert 0 <= float(str(attributes(attempt)["dgspay.pool_wait"])) < 5


@pytest.mark.anyio
async def test_success_and_a_lost_answer_as_spans(
    emulator: Emulator, spans: InMemorySpanExporter
) -> None:
    hook = OpenTelemetryHook(provider(spans))
    dgs = AsyncDGSPay(
        transport=HttpxTransport(emulator.async_http_client()),
        hooks=[hook],
        **client_options(emulator),
    )
    await dgs.balances.list()
    attempt, call = spans.get_finished_spans()
    assert attempt.status.status_code is StatusCode.UNSET
    assert attributes(call)["dgspay.outcome"] == "completed"

    spans.clear()
    emulator.faults.lose_answer("POST /convert")
    with pytest.raises(errors.OutcomeUnknownError):
        await dgs.conversions.convert(from_currency="USD", to_currency="EUR", from_amount=1)
    attempt, call = spans.get_finished_spans()
    assert attributes(attempt)["error.type"] == "unknown"
    assert attributes(call)["error.type"] == "OutcomeUnknownError"
    assert hook._attempts == {}


def test_a_status_without_a_code_is_the_error_type(
    emulator: Emulator, spans: InMemorySpanExporter
) -> None:
    emulator.faults.answer_next("GET /balance", status=503, body=b"", headers={}, times=3)
    with pytest.raises(errors.ServerError):
        blocking(emulator, OpenTelemetryHook(provider(spans))).balances.list()
    assert attributes(spans.get_finished_spans()[0])["error.type"] == "503"
