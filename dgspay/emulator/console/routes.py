"""The console's routes: its page, its actions as JSON, and the stream of changes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from http import HTTPStatus

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from dgspay.emulator import http
from dgspay.emulator.api.banks import BANKS
from dgspay.emulator.api.conversions import PER_DOLLAR
from dgspay.emulator.console.actions import ACTIONS, Action
from dgspay.emulator.console.ask import Ask, ConflictError
from dgspay.emulator.console.event_stream import changes
from dgspay.emulator.control import Controls
from dgspay.emulator.engine.authentication import MAX_BODY_BYTES
from dgspay.emulator.engine.engine import Engine
from dgspay.emulator.engine.origin_check import is_foreign, is_foreign_name
from dgspay.emulator.faults.kinds import KINDS
from dgspay.emulator.fidelity import FIDELITY
from dgspay.emulator.openapi import OPENAPI_PATH, describe
from dgspay.emulator.routes import API_OPERATIONS
from dgspay.emulator.web.assets import modules_of_the_console
from dgspay.emulator.web.payment_pages import PAYMENT_WORDS
from dgspay.emulator.web.rendering import page
from dgspay.emulator.webhooks.modes import MODES
from dgspay.errors import DecodeError
from dgspay.models.json_codec import JSONObject, dump_json, parse_json
from dgspay.models.phones import NETWORKS

CONSOLE_PATH = "/_emulator"
TABS = (
    "overview",
    "requests",
    "transactions",
    "links",
    "payouts",
    "conversions",
    "webhooks",
    "faults",
    "state",
)

Endpoint = Callable[[Request], Awaitable[Response]]


def console_routes(controls: Controls) -> list[Route]:
    """Return the routes for an emulator."""
    engine = controls.engine

    async def console(request: Request) -> Response:
        return await _page_for(request, engine, _console_page)

    async def fidelity(request: Request) -> Response:
        return await _page_for(request, engine, _fidelity_page)

    async def openapi(request: Request) -> Response:
        if is_foreign_name(request.headers, public=engine.accounts.public):
            return _refusal(HTTPStatus.FORBIDDEN, "ask for it by address or as localhost")
        document = await run_in_threadpool(describe, engine.accounts.origin)
        return Response(dump_json(document), media_type="application/json")

    async def events(request: Request) -> Response:
        if is_foreign(request.headers, public=engine.accounts.public):
            return _refusal(HTTPStatus.FORBIDDEN, "this is not a page of the emulator")
        return changes(controls.feed)

    def endpoint(action: Action) -> Endpoint:
        async def act(request: Request) -> Response:
            if is_foreign(request.headers, public=engine.accounts.public):
                return _refusal(HTTPStatus.FORBIDDEN, "this is not a page of the emulator")
            try:
                ask = await _ask(request, controls)
                # In a thread: what it sets off may take its time.
                result = await run_in_threadpool(action, ask)
            except LookupError as error:
                return _refusal(HTTPStatus.NOT_FOUND, str(error.args[0]))
            except ConflictError as error:
                return _refusal(HTTPStatus.CONFLICT, str(error))
            except ValueError as error:
                return _refusal(HTTPStatus.BAD_REQUEST, str(error))
            except OSError as error:
                return _refusal(HTTPStatus.INSUFFICIENT_STORAGE, error.strerror or str(error))
            return _sent(result)

        return act

    return [
        Route("/", console, methods=["GET"]),
        Route(OPENAPI_PATH, openapi, methods=["GET"]),
        Route(f"{CONSOLE_PATH}/fidelity", fidelity, methods=["GET"]),
        Route(f"{CONSOLE_PATH}/events", events, methods=["GET"]),
        *(
            Route(CONSOLE_PATH + path, endpoint(action), methods=[method])
            for method, path, action in ACTIONS
        ),
    ]


async def _ask(request: Request, controls: Controls) -> Ask:
    number = request.query_params.get("account")
    accounts = controls.engine.accounts
    account = accounts.first if number is None else accounts.account_of(number)
    body = {}
    raw = b""
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > MAX_BODY_BYTES:
            raise ValueError(f"the body must not be over {MAX_BODY_BYTES} bytes")
    if raw:
        try:
            body = parse_json(raw)
        except DecodeError as error:
            raise ValueError(error.message) from None
        if not isinstance(body, dict):
            raise ValueError("the body must be a JSON object")
    return Ask(controls, account, request.path_params, request.query_params, body)


def _refusal(status: int, message: str) -> Response:
    answer = {"status": "failed", "message": message}
    return Response(dump_json(answer), int(status), media_type="application/json")


async def _page_for(
    request: Request, engine: Engine, build: Callable[[], http.Response]
) -> Response:
    """Show a page; a link from elsewhere may lead to it, but not by another host's name."""
    if is_foreign_name(request.headers, public=engine.accounts.public):
        return _refusal(HTTPStatus.FORBIDDEN, "ask for it by address or as localhost")
    # In a thread: its files are read when they are first shown.
    return _sent(await run_in_threadpool(build))


def _sent(result: http.Response | JSONObject) -> Response:
    answer = result if isinstance(result, http.Response) else http.Response.of(result)
    return Response(answer.body, answer.status, headers=dict(answer.headers))


def _console_page() -> http.Response:
    return page(
        "console",
        tabs=TABS,
        modules=modules_of_the_console(),
        routes=API_OPERATIONS,
        kinds=KINDS,
        modes=MODES,
        payment_types=PAYMENT_WORDS,
        networks=NETWORKS,
        banks=BANKS.values(),
        currencies=PER_DOLLAR,
    )


def _fidelity_page() -> http.Response:
    areas: dict[str, list[object]] = {}
    for behaviour in FIDELITY:
        areas.setdefault(behaviour.area, []).append(behaviour)
    return page("fidelity", areas=areas)
