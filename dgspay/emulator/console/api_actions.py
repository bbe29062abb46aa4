"""What the console does by the API itself, so that it stands among the requests."""

from __future__ import annotations

from contextlib import closing

from dgspay.emulator.api.call import API_PREFIX
from dgspay.emulator.console.ask import Ask
from dgspay.emulator.http import Request, Response
from dgspay.models.json_codec import JSONObject, dump_json, parse_json


def create_charge(ask: Ask) -> JSONObject:
    """Charge a payer by mobile money."""
    return _called(ask, "POST", "/charges", ask.body)


def create_payout(ask: Ask) -> JSONObject:
    """Pay out of the wallet."""
    return _called(ask, "POST", "/disburse", ask.body)


def convert(ask: Ask) -> JSONObject:
    """Exchange money of the wallet, or only preview it."""
    return _called(ask, "POST", "/convert", ask.body)


def create_link(ask: Ask) -> JSONObject:
    """Make a payment link."""
    return _called(ask, "POST", "/payment-links", ask.body)


def update_link(ask: Ask) -> JSONObject:
    """Change a payment link."""
    return _called(ask, "PATCH", f"/payment-links/{ask.values['id']}", ask.body)


def archive_link(ask: Ask) -> JSONObject:
    """Archive a payment link."""
    return _called(ask, "DELETE", f"/payment-links/{ask.values['id']}", None)


def _called(ask: Ask, method: str, path: str, body: JSONObject | None) -> JSONObject:
    """Send a request as the merchant's program would."""
    credentials = ask.account.credentials
    headers = {
        "x-dgs-api-key": credentials.api_key,
        "x-dgs-account-number": credentials.account_number,
        "user-agent": "dgspay-emulator-console",
    }
    content = b"" if body is None else dump_json(body)
    request = Request(method, API_PREFIX + path, "", headers, content)
    answers: list[Response] = []
    with closing(ask.engine.exchange(request)) as exchange:
        answers += [effect for effect in exchange if isinstance(effect, Response)]
    if not answers:
        raise ValueError("a fault swallowed the answer")
    answered = parse_json(answers[0].body)
    if isinstance(answered, dict) and answered.get("status") == "success":
        return answered
    raise ValueError(str(answered.get("message") if isinstance(answered, dict) else answered))
