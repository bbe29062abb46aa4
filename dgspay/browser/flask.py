"""Serves `dgspay-card.js` from a Flask application."""

from __future__ import annotations

from flask import Blueprint, Response, request

from dgspay.browser import HEADERS, MEDIA_TYPE, SCRIPT_NAME, etag, script


def card_script_blueprint(url_prefix: str = "/dgspay") -> Blueprint:
    """Return the blueprint that serves the module: `app.register_blueprint(...)`."""
    blueprint = Blueprint("dgspay", __name__, url_prefix=url_prefix)
    blueprint.add_url_rule(f"/{SCRIPT_NAME}", "card_script", _serve)
    return blueprint


def _serve() -> Response:
    response = Response(script(), mimetype=MEDIA_TYPE, headers=HEADERS)
    response.set_etag(etag().strip('"'))
    response.make_conditional(request)
    return response
