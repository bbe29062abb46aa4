"""Serves the modules of a payer's page from a Flask application."""

from __future__ import annotations

from functools import partial

from flask import Blueprint, Response, request

from dgspay.browser import CHECKOUT_NAMES, HEADERS, MEDIA_TYPE, SCRIPT_NAME, etag, script


def card_script_blueprint(url_prefix: str = "/dgspay") -> Blueprint:
    """Return the blueprint that serves the card form alone: `app.register_blueprint(...)`."""
    blueprint = Blueprint("dgspay", __name__, url_prefix=url_prefix)
    add_scripts(blueprint, (SCRIPT_NAME,))
    return blueprint


def add_scripts(blueprint: Blueprint, names: tuple[str, ...] = CHECKOUT_NAMES) -> None:
    """Have a blueprint serve modules: all of the checkout's if none is named."""
    for name in names:
        blueprint.add_url_rule(f"/{name}", name.removesuffix(".js"), partial(_serve, name))


def _serve(name: str) -> Response:
    response = Response(script(name), mimetype=MEDIA_TYPE, headers=HEADERS)
    response.set_etag(etag(name).strip('"'))
    response.make_conditional(request)
    return response
