"""Authentication of a request: checks its sender, matches its route and claims its key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import attrs

from dgspay.emulator.api.call import Route
from dgspay.emulator.domain import idempotency
from dgspay.emulator.domain.account import Account
from dgspay.emulator.domain.accounts import IN_PROCESS_ORIGIN, Accounts
from dgspay.emulator.domain.credentials import (
    GUIDE_ACCOUNT_NUMBERS,
    GUIDE_API_KEYS,
    LIVE_KEY_PREFIX,
)
from dgspay.emulator.engine.origin_check import is_foreign, is_foreign_name
from dgspay.emulator.engine.request_log import LoggedRequest
from dgspay.emulator.http import (
    RefusedError,
    Request,
    Response,
    WrongMethodError,
    invalid,
    not_found,
)
from dgspay.emulator.routes import find_route, methods_of
from dgspay.errors import DecodeError
from dgspay.models.json_codec import parse_json

MAX_BODY_BYTES: Final = 1024 * 1024


@attrs.frozen
class Incoming:
    """A request with what is known of it before it is carried out."""

    request: Request
    route: Route | None
    values: Mapping[str, str]
    body: Any = attrs.field(repr=False)
    malformed: RefusedError | None

    @property
    def operation(self) -> str | None:
        """The route as faults and executed calls name it; None where there is none."""
        return self.route.operation if self.route else None

    @property
    def is_for_page(self) -> bool:
        """Return whether a payer's browser sends it instead of a merchant's program."""
        return self.route is not None and self.route.public


def read(request: Request) -> Incoming:
    """Find the route and parse the body; errors are reported later, after authentication."""
    route, values = find_route(request.method, request.path) or (None, {})
    body, malformed = None, None
    if len(request.body) > MAX_BODY_BYTES:
        malformed = invalid(f"the body must not be over {MAX_BODY_BYTES} bytes")
    elif request.body:
        try:
            body = parse_json(request.body)
        except DecodeError as error:
            malformed = invalid(error.message)
    return Incoming(request, route, values, body, malformed)


def admit(
    accounts: Accounts, incoming: Incoming, logged: LoggedRequest
) -> tuple[Account, Route, str | None, Response | None]:
    """Check the credentials and the form of a request, and claim its key.

    Returns:
        Whose call it is, its route, its idempotency key if it has one, and the answer that was
        given to the same call before.

    Raises:
        RefusedError: when it may not be carried out.
    """
    _keep_others_out(accounts, incoming.request)
    route = incoming.route
    if route is not None and route.public:
        account = _owner(accounts, incoming.values)
    else:
        account = _authenticate(accounts, incoming.request)
        logged.account_number = account.credentials.account_number
    if route is None:
        allowed = methods_of(incoming.request.path)
        raise WrongMethodError(allowed) if allowed else not_found("endpoint")
    if (
        route.public
        and incoming.request.method != "GET"
        and is_foreign(incoming.request.headers, public=accounts.public)
    ):
        raise RefusedError("91", "this request comes from a page of another site")
    if incoming.malformed is not None:
        raise incoming.malformed
    key = idempotency.key_of(incoming.request)
    if key is None:
        return account, route, None, None
    with accounts.lock:
        return account, route, key, account.keys.claim(key, incoming.request)


def _keep_others_out(accounts: Accounts, request: Request) -> None:
    """Reject what a page of another site sends by a name it has pointed at this machine.

    The keys are published, so they keep no one out. In-process, no browser gets here.
    """
    is_served = accounts.origin != IN_PROCESS_ORIGIN and "host" in request.headers
    if is_served and is_foreign_name(request.headers, public=accounts.public):
        raise RefusedError(
            "91", "ask for the emulator by its address or as localhost, or allow others in"
        )


def _owner(accounts: Accounts, values: Mapping[str, str]) -> Account:
    """Find the account of a page: a payer has no credentials."""
    slug, reference = values.get("slug"), values.get("reference")
    for account in accounts:
        if (slug and account.link(slug)) or (reference and account.payment(reference)):
            return account
    return accounts.first


def _authenticate(accounts: Accounts, request: Request) -> Account:
    """Check the two headers of the guide ("Required Headers")."""
    key = request.headers.get("x-dgs-api-key", "")
    number = request.headers.get("x-dgs-account-number")
    if accounts.options.guide_credentials and key in GUIDE_API_KEYS:
        if number is not None and number not in GUIDE_ACCOUNT_NUMBERS:
            raise RefusedError("91", "X-DGS-ACCOUNT-NUMBER is not one of the guide's examples")
        return accounts.first
    if key.startswith(LIVE_KEY_PREFIX):
        raise RefusedError(
            "91", "a live API key was sent to the emulator; keep it away from test machines"
        )
    account = accounts.account_with(key)
    if account is None:
        raise RefusedError("91", "X-DGS-API-Key is missing or not one of the emulator's keys")
    if number is None and not accounts.options.require_account_number:
        return account
    if number != account.credentials.account_number:
        raise RefusedError("91", "X-DGS-ACCOUNT-NUMBER is missing or not this account's")
    return account
