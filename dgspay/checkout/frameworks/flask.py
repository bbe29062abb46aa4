"""The routes of a checkout for Flask.

    app.register_blueprint(blueprint(checkout))

Sweep from cron (`dgspay orders sweep`), or in a thread of the application's:

    with checkout.sweeping():
        app.run()
"""

from __future__ import annotations

from functools import partial

from flask import Blueprint, Response, request

from dgspay.browser.flask import add_scripts
from dgspay.checkout.checkout import Checkout, check_kind
from dgspay.checkout.pages import MAX_BODY, METHODS, PageRequest
from dgspay.metrics.endpoint import Endpoint
from dgspay.webhooks.frameworks.flask import read_body
from dgspay.webhooks.receiver import MEBIBYTE
from dgspay.webhooks.signature import SIGNATURE_HEADER


def blueprint(
    checkout: Checkout, path: str | None = None, *, metrics: Endpoint | None = None
) -> Blueprint:
    """Return the routes of a checkout.

    Args:
        checkout: Answers.
        path: Where they are mounted, where that is not the path of the checkout's `url`.
        metrics: Answers at `/metrics`; a `dgspay.metrics.prometheus.MetricsEndpoint`. No such
            route if left out.

    Raises:
        ConfigError: the checkout is of the other kind, or has no URL.
    """
    check_kind(checkout, Checkout, "Flask")
    mounted = Blueprint(
        "dgspay_checkout", __name__, url_prefix=checkout.path if path is None else path
    )

    def page(what: str) -> Response:
        answer = checkout.respond(
            PageRequest(
                method=request.method,
                path=what,
                query=request.query_string.decode("latin-1"),
                headers=dict(request.headers),
                body=read_body(MAX_BODY),
                client_address=request.remote_addr,
            )
        )
        return Response(answer.body, answer.status, dict(answer.headers))

    def webhook(**segments: str) -> Response:
        signature = request.headers.get(SIGNATURE_HEADER)
        answer = checkout.receive(read_body(MEBIBYTE), signature, path=request.path)
        return Response(answer.body, answer.status, dict(answer.headers))

    add_scripts(mounted)
    if metrics is not None:
        mounted.add_url_rule("/metrics", "metrics", partial(_metrics, metrics))
    mounted.add_url_rule("/webhooks", "webhook", webhook, methods=["POST"])
    mounted.add_url_rule("/webhooks/<subject>/<token>", "attempt", webhook, methods=["POST"])
    mounted.add_url_rule("/<path:what>", "page", page, methods=METHODS)
    return mounted


def _metrics(metrics: Endpoint) -> Response:
    answer = metrics.respond(request.headers.get("Authorization"))
    return Response(answer.body, answer.status, dict(answer.headers))
