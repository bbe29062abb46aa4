"""Code snippets: a request as a curl command and as dgspay code, secrets left out."""

from __future__ import annotations

import keyword
import re
import shlex
import textwrap
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Final
from urllib.parse import parse_qsl, unquote

from dgspay.emulator.api.call import API_PREFIX
from dgspay.emulator.console.pretty import indented
from dgspay.emulator.engine.request_log import LoggedRequest
from dgspay.models.json_codec import JSONObject, dump_json
from dgspay.money import to_json_number

_CUSTOMER: Final = ("email", "first_name", "last_name", "phone", "phone_country_code")
_KEY_HEADERS: Final = ("idempotency-key", "x-idempotency-key")

_PAGERS: Final = ("dgs.transactions.list(", "dgs.payment_links.list(")

# What a call may name, and where it comes from.
_OURS: Final = ("BankRecipient", "BillingAddress", "Customer", "MobileMoneyRecipient")
_OTHERS: Final[Mapping[str, str]] = {
    "datetime.fromisoformat(": "from datetime import datetime",
    "Decimal(": "from decimal import Decimal",
}
# What is in no log, and so in no snippet.
_LEFT_OUT: Final[Mapping[str, str]] = {
    "card": "the EncryptedCard from the payer's browser",
    "pin": "the EncryptedPin from the payer's browser",
    "otp": "the code the payer was sent",
}

Arguments = dict[str, str]
"""Names of arguments and the Python text of their values."""


def curl(logged: LoggedRequest, origin: str) -> str:
    """Return the command that sends a request again; the key comes from the environment."""
    query = f"?{logged.query}" if logged.query else ""
    lines = [
        f"curl{_options(logged)} {shlex.quote(f'{origin}{logged.path}{query}')}",
        '-H "X-DGS-API-Key: $DGSPAY_API_KEY"',
        '-H "X-DGS-ACCOUNT-NUMBER: $DGSPAY_ACCOUNT_NUMBER"',
    ]
    keys = [f"{name}: {logged.headers[name]}" for name in _KEY_HEADERS if name in logged.headers]
    lines += [f"-H {shlex.quote(key)}" for key in keys]
    if logged.body is not None:
        # With a key it has to be byte for byte what a client sends, or it is another request.
        body = dump_json(logged.body).decode() if keys else indented(logged.body)
        lines += ['-H "Content-Type: application/json"', f"-d {shlex.quote(body)}"]
    return " \\\n  ".join(lines)


def _options(logged: LoggedRequest) -> str:
    """Return what has curl send this method to this address, letter for letter."""
    method = " -I" if logged.method == "HEAD" else f" -X {logged.method}"
    # Otherwise it takes brackets for a list of addresses, and goes up by `..` by itself.
    is_pattern = any(char in "[]{}" for char in logged.path + logged.query)
    has_dots = any(set(unquote(part)) == {"."} for part in logged.path.split("/"))
    return method + " -g" * is_pattern + " --path-as-is" * has_dots


def code(logged: LoggedRequest) -> str | None:
    """Return the call of dgspay that sends such a request, or None when there is none."""
    write = _WRITERS.get(logged.operation or "")
    if write is None:
        return None
    body = logged.body if isinstance(logged.body, dict) else {}
    try:
        name, arguments = write(logged, body)
    except (KeyError, TypeError, AttributeError):
        return None  # a body that is not what the guide asks for
    if not all(map(_is_argument, arguments)):
        return None
    inner = "".join(f"    {argument}={value},\n" for argument, value in arguments.items())
    return f"dgs.{name}(\n{inner})" if inner else f"dgs.{name}()"


def program(logged: LoggedRequest) -> str | None:
    """Return `code` with all it needs to run as it stands, or None when there is no call."""
    call = code(logged)
    if call is None:
        return None
    standard = [line for mark, line in _OTHERS.items() if mark in call]
    ours = sorted(["DGSPay", *(name for name in _OURS if f"{name}(" in call)])
    lines = [*standard, "", f"from dgspay import {', '.join(ours)}", ""]
    lines += [f"{n} = ...  # {what}\n" for n, what in _LEFT_OUT.items() if f" {n}={n},\n" in call]
    is_pager = call.startswith(_PAGERS)
    does = f"for one in {call}:\n    print(one)" if is_pager else f"print({call})"
    lines += ["with DGSPay.from_env() as dgs:", textwrap.indent(does, "    ")]
    return "\n".join(lines).strip()


def _is_argument(name: str) -> bool:
    """Return whether a field's name, which the sender has chosen, can be one of Python's."""
    return name.isascii() and name.isidentifier() and not keyword.iskeyword(name)


def _charge(logged: LoggedRequest, body: JSONObject) -> tuple[str, Arguments]:
    if body.get("payment_type") == "card":
        arguments = _some(body, "amount", "currency")
        # The encrypted fields are as good as the card itself: they are shown nowhere.
        arguments |= {"customer": _customer(body), "card": "card"}
        return "charges.card", arguments | _rest(body, "redirect_url")
    arguments = _some(body, "amount")
    arguments |= {
        "customer": _customer(body),
        "network": repr(body["mobile_money_network"]),
        "phone": repr(body["mobile_money_phone"]),
    }
    return "charges.mobile_money", arguments | _rest(body, "redirect_url")


def _authorize(logged: LoggedRequest, body: JSONObject) -> tuple[str, Arguments]:
    kind = body["auth_type"]
    reference = {"reference": repr(body["dgs_reference"])}
    if kind == "avs":
        parts = {
            name: repr(body[f"avs_{name}"])
            for name in ("line1", "line2", "city", "state", "country", "postal_code")
            if body.get(f"avs_{name}") is not None
        }
        return "charges.authorize_avs", {**reference, "address": _made("BillingAddress", parts)}
    if kind not in ("pin", "otp"):
        raise KeyError(kind)
    return f"charges.authorize_{kind}", {**reference, kind: kind}


def _disburse(logged: LoggedRequest, body: JSONObject) -> tuple[str, Arguments]:
    kind = "BankRecipient" if body["destination_type"] == "bank" else "MobileMoneyRecipient"
    recipient = {name: _text(value) for name, value in body["recipient"].items()}
    arguments = _some(body, "amount") | {"recipient": _made(kind, recipient)}
    return "disbursements.create", arguments | _rest(body)


def _create_link(logged: LoggedRequest, body: JSONObject) -> tuple[str, Arguments]:
    return "payment_links.create", _moments({name: _text(value) for name, value in body.items()})


def _update_link(logged: LoggedRequest, body: JSONObject) -> tuple[str, Arguments]:
    changes = _moments({name: _text(value) for name, value in body.items()})
    return "payment_links.update", {"id": repr(_last_segment(logged)), **changes}


def _convert(logged: LoggedRequest, body: JSONObject) -> tuple[str, Arguments]:
    if (action := body["action"]) not in ("preview", "convert"):
        raise KeyError(action)
    return f"conversions.{action}", _some(body, "from_currency", "to_currency", "from_amount")


def _listing(name: str) -> Callable[[LoggedRequest, JSONObject], tuple[str, Arguments]]:
    def write(logged: LoggedRequest, body: JSONObject) -> tuple[str, Arguments]:
        query = dict(parse_qsl(logged.query))
        return name, {
            key: str(int(value))
            if key in ("page", "limit") and re.fullmatch("[0-9]{1,9}", value)
            else repr(value)
            for key, value in query.items()
        }

    return write


def _about(
    name: str, argument: str
) -> Callable[[LoggedRequest, JSONObject], tuple[str, Arguments]]:
    return lambda logged, body: (name, {argument: repr(_last_segment(logged))})


_WRITERS: Final[Mapping[str, Callable[[LoggedRequest, JSONObject], tuple[str, Arguments]]]] = {
    "POST /charges": _charge,
    "POST /authorize": _authorize,
    "POST /payment-links": _create_link,
    "GET /payment-links": _listing("payment_links.list"),
    "GET /payment-links/{id}": _about("payment_links.retrieve", "id"),
    "PATCH /payment-links/{id}": _update_link,
    "DELETE /payment-links/{id}": _about("payment_links.archive", "id"),
    "POST /disburse": _disburse,
    "GET /banks/{country}": _about("banks.list", "country"),
    "GET /balance": lambda logged, body: ("balances.list", {}),
    "POST /convert": _convert,
    "GET /transactions": _listing("transactions.list"),
    "GET /transactions/{id}": _about("transactions.retrieve", "id_or_reference"),
}


def _customer(body: JSONObject) -> str:
    return _made("Customer", {name: repr(body[f"customer_{name}"]) for name in _CUSTOMER})


def _some(body: JSONObject, *names: str) -> Arguments:
    return {name: _text(body[name]) for name in names}


def _rest(body: JSONObject, *names: str) -> Arguments:
    """Return what is given of the arguments that calls which move money share."""
    given = {
        name: _text(body[name])
        for name in (*names, "narration", "callback_url")
        if body.get(name) is not None
    }
    if body.get("scenario_key") is not None:
        given["scenario"] = repr(body["scenario_key"])
    return given


def _moments(arguments: Arguments) -> Arguments:
    """Write `expires_at` as dgspay takes it."""
    moment = arguments.get("expires_at")
    if moment is not None and moment != "None":
        arguments["expires_at"] = f"datetime.fromisoformat({moment})"
    return arguments


def _made(kind: str, arguments: Arguments) -> str:
    if not all(map(_is_argument, arguments)):
        raise KeyError(kind)
    inner = "".join(f"        {name}={value},\n" for name, value in arguments.items())
    return f"{kind}(\n{inner}    )"


def _text(value: object) -> str:
    """Write a value as Python; an amount that is no whole number as exact text."""
    if isinstance(value, Decimal):
        return repr(to_json_number(value))
    return _inner(value)


def _inner(value: object) -> str:
    """Write a value in which there may be others, numbers digit for digit."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name!r}: {_inner(item)}" for name, item in value.items()) + "}"
    if isinstance(value, list):
        return f"[{', '.join(map(_inner, value))}]"
    return repr(value)


def _last_segment(logged: LoggedRequest) -> str:
    return unquote(logged.path.removeprefix(API_PREFIX).rsplit("/", 1)[1])
