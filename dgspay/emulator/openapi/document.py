"""The document: every route of the API with its request, its answers and its errors."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any, Final

from dgspay import __version__
from dgspay.emulator.api.call import API_PREFIX, Route
from dgspay.emulator.api.fields import Form, JSONSchema
from dgspay.emulator.api.transactions import DEFAULT_LIMIT, MAX_LIMIT, MOST_PAGES, REFERENCES, WORDS
from dgspay.emulator.domain.idempotency import LONGEST_KEY, METHODS
from dgspay.emulator.http import STATUS_OF_CODE
from dgspay.emulator.openapi.response_schemas import envelope, reference, schemas_of
from dgspay.emulator.routes import ROUTES
from dgspay.models.balances import Balances
from dgspay.models.banks import Bank
from dgspay.models.charges import Charge
from dgspay.models.conversions import Conversion, ConversionPreview
from dgspay.models.disbursements import Disbursement
from dgspay.models.payment_links import ArchivedLink, PaymentLink, PaymentLinkDetails
from dgspay.models.transactions import Transaction

OPENAPI_PATH: Final = "/openapi.json"

_ERROR: Final[JSONSchema] = {"$ref": "#/components/schemas/Error"}
_PAGINATION: Final[JSONSchema] = {"$ref": "#/components/schemas/Pagination"}
_PAGE_PARTS: Final = ("page", "limit", "total", "pages")


def _rows(schema: JSONSchema) -> JSONSchema:
    return {"type": "array", "items": schema}


_LINK_ANSWER: Final = envelope(message={"type": "string"}, link=reference(PaymentLink))

# What each route answers with when it succeeds.
_ANSWERS: Final[Mapping[str, JSONSchema]] = {
    "POST /charges": reference(Charge),
    "POST /authorize": reference(Charge),
    "POST /payment-links": _LINK_ANSWER,
    "GET /payment-links": envelope(data=_rows(reference(PaymentLink)), pagination=_PAGINATION),
    "GET /payment-links/{id}": reference(PaymentLinkDetails),
    "PATCH /payment-links/{id}": _LINK_ANSWER,
    "DELETE /payment-links/{id}": reference(ArchivedLink),
    "POST /disburse": reference(Disbursement),
    "GET /banks/{country}": envelope(country={"type": "string"}, data=_rows(reference(Bank))),
    "GET /balance": reference(Balances),
    "POST /convert": {"anyOf": [reference(Conversion), reference(ConversionPreview)]},
    "GET /transactions": envelope(data=_rows(reference(Transaction)), pagination=_PAGINATION),
    "GET /transactions/{id}": envelope(data=reference(Transaction)),
}


def describe(origin: str) -> Mapping[str, Any]:
    """Return the OpenAPI document of an emulator.

    Args:
        origin: Scheme, host and port at which it is asked.
    """
    return {**_document(), "servers": [{"url": origin + API_PREFIX}]}


@functools.cache
def _document() -> Mapping[str, Any]:
    paths: dict[str, dict[str, Any]] = {}
    for route in ROUTES:
        if not route.public:
            path = route.template.removeprefix(API_PREFIX)
            paths.setdefault(path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "DGS-Pay API v2, as the dgspay emulator has it",
            "version": __version__,
            "description": (
                "What the emulator reads and answers, made from its code. /_emulator/fidelity "
                "says how sure it is that the real service does the same. Faults that are asked "
                "for on purpose are not described."
            ),
        },
        "security": [{"apiKey": [], "accountNumber": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "apiKey": {"type": "apiKey", "in": "header", "name": "X-DGS-API-Key"},
                "accountNumber": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "X-DGS-ACCOUNT-NUMBER",
                },
            },
            "schemas": _components(),
        },
    }


def _operation(route: Route) -> Mapping[str, Any]:
    resource, _, _ = route.template.removeprefix(f"{API_PREFIX}/").partition("/")
    described: dict[str, Any] = {
        "operationId": f"{route.method.lower()}-{route.template.removeprefix(API_PREFIX)[1:]}",
        "summary": (route.handler.__doc__ or "").partition("\n")[0],
        "tags": [resource],
        "parameters": _parameters(route),
        "responses": _responses(route),
    }
    if route.forms:
        described["requestBody"] = _request(route.forms)
    return described


def _request(forms: Sequence[Form]) -> Mapping[str, Any]:
    schemas = [form.schema() for form in forms]
    return {
        "required": True,
        "content": {
            "application/json": {
                "schema": schemas[0] if len(schemas) == 1 else {"anyOf": schemas},
                "examples": {form.name: {"value": form.example} for form in forms},
            }
        },
    }


def _responses(route: Route) -> Mapping[str, Any]:
    operation = route.operation
    responses = {"200": _answer("It was carried out.", _ANSWERS[operation])}
    why = {
        "90": "The request is not valid, or the wallet does not hold enough.",
        "91": "The credentials are missing or wrong.",
        "92": "There is no such thing in this account.",
    }
    if route.method in METHODS:
        why["93"] = "The idempotency key is in use, or was used for another request."
    for code, words in why.items():
        responses[str(int(STATUS_OF_CODE[code]))] = _answer(words, _ERROR)
    return responses


def _answer(words: str, schema: JSONSchema) -> Mapping[str, Any]:
    return {"description": words, "content": {"application/json": {"schema": schema}}}


def _parameters(route: Route) -> list[Mapping[str, Any]]:
    """Return what is given beside the body: in the path, in the query, in a header."""
    names = [part[1:-1] for part in route.template.split("/") if part.startswith("{")]
    found = [_parameter(name, "path", {"type": "string", "minLength": 1}) for name in names]
    if route.operation in ("GET /transactions", "GET /payment-links"):
        number = {"type": "integer", "minimum": 1, "maximum": MOST_PAGES}
        found.append(_parameter("page", "query", {**number, "default": 1}))
        limit = {**number, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT}
        found.append(_parameter("limit", "query", limit))
    if route.operation == "GET /transactions":
        found.append(_parameter("status", "query", {"type": "string", "enum": list(WORDS)}))
        found += [
            _parameter(name, "query", {"type": "string"})
            for name in ("payment_link_id", *REFERENCES)
        ]
    if route.method in METHODS:
        key = {"type": "string", "pattern": f"^[!-~]([ -~]{{0,{LONGEST_KEY - 2}}}[!-~])?$"}
        found.append(_parameter("Idempotency-Key", "header", key))
    return found


def _parameter(name: str, where: str, schema: JSONSchema) -> Mapping[str, Any]:
    return {"name": name, "in": where, "required": where == "path", "schema": schema}


def _components() -> dict[str, JSONSchema]:
    error = {
        "type": "object",
        "description": 'A refusal (guide, "Error Codes").',
        "properties": {
            "status": {"const": "failed"},
            "message": {"type": "string"},
            "error_code": {"enum": list(STATUS_OF_CODE)},
            "available_balance": {"type": "number"},
            "required": {"type": "number"},
            "currency": {"type": "string"},
        },
        "required": ["status", "message", "error_code"],
    }
    pagination = {
        "type": "object",
        "properties": {name: {"type": "integer", "minimum": 0} for name in _PAGE_PARTS},
        "required": list(_PAGE_PARTS),
    }
    models = schemas_of(
        ArchivedLink,
        Balances,
        Bank,
        Charge,
        Conversion,
        ConversionPreview,
        Disbursement,
        PaymentLink,
        PaymentLinkDetails,
        Transaction,
    )
    return {"Error": error, "Pagination": pagination, **dict(sorted(models.items()))}
