"""Actions on an emulator over HTTP, for the console and other programs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import closing
from typing import Final

import attrs

from dgspay.emulator.api.call import API_PREFIX
from dgspay.emulator.clock import api_text
from dgspay.emulator.console.state_json import delivery_details, request_details, state
from dgspay.emulator.control import Controls
from dgspay.emulator.domain.account import Account
from dgspay.emulator.domain.sample_history import generate
from dgspay.emulator.engine.engine import Engine
from dgspay.emulator.fidelity import FIDELITY
from dgspay.emulator.http import Request, Response
from dgspay.emulator.state import Snapshot
from dgspay.emulator.webhooks.dispatcher import Dispatcher
from dgspay.models.json_codec import JSONObject, dump_json, parse_json
from dgspay.models.validators import is_web_url


@attrs.frozen
class Ask:
    """One request to the console.

    Attributes:
        controls: What steers the emulator.
        account: The merchant it is about.
        values: The variable segments of the path.
        query: The query parameters.
        body: The parsed JSON object, empty when there was none.
    """

    controls: Controls
    account: Account
    values: Mapping[str, str]
    query: Mapping[str, str]
    body: JSONObject

    @property
    def engine(self) -> Engine:
        """The emulator's engine."""
        return self.controls.engine

    @property
    def dispatcher(self) -> Dispatcher:
        """The emulator's webhooks."""
        return self.controls.dispatcher

    def text(self, name: str) -> str:
        """Return a text of the body.

        Raises:
            ValueError: when it is missing or no text.
        """
        value = self.body.get(name)
        if not isinstance(value, str) or not value:
            raise ValueError(f"{name} is required, as text")
        return value

    def seconds(self, name: str) -> float:
        """Return a number of seconds of the body.

        Raises:
            ValueError: when it is missing, no number or below 0.
        """
        value = self.body.get(name)
        try:
            # bool is an int to Python, and not a number of seconds.
            seconds = -1.0 if isinstance(value, bool) else float(str(value))
        except ValueError:
            seconds = -1.0
        if not 0 <= seconds < float("inf"):
            raise ValueError(f"{name} must be a number of seconds, 0 or more")
        return seconds


Action = Callable[[Ask], JSONObject]
_DONE: Final[JSONObject] = {"status": "success"}


def show_state(ask: Ask) -> JSONObject:
    """Everything at one glance."""
    return {
        **state(
            ask.engine,
            ask.dispatcher,
            ask.account,
            ask.query.get("search", ""),
            ask.query.get("find", ""),
        ),
        "snapshots": [_snapshot(snapshot) for snapshot in ask.controls.snapshots],
        "state_file": ask.controls.state_file,
        "state_trouble": ask.engine.trouble,
    }


def show_request(ask: Ask) -> JSONObject:
    """One request, in full."""
    number = ask.values["id"]
    for logged in ask.engine.request_log.entries:
        if str(logged.id) == number:
            return request_details(logged, ask.engine.accounts.origin)
    raise LookupError("no such request: only the latest are kept")


def show_delivery(ask: Ask) -> JSONObject:
    """One webhook, in full."""
    for delivery in tuple(ask.dispatcher.deliveries):
        if str(delivery.id) == ask.values["id"]:
            return delivery_details(delivery)
    raise LookupError("no such delivery: only the latest are kept")


def settle(ask: Ask) -> JSONObject:
    """Approve, decline or settle something that is pending."""
    reference, outcome = ask.text("reference"), ask.text("outcome")
    number = ask.account.credentials.account_number
    if outcome == "approve":
        ask.controls.approve(reference, number)
    elif outcome == "decline":
        ask.controls.decline(reference, str(ask.body.get("reason") or "Declined"), number)
    elif outcome == "settle":
        ask.controls.settle(reference, number)
    else:
        raise ValueError("outcome must be approve, decline or settle")
    return _DONE


def create_link(ask: Ask) -> JSONObject:
    """Make a payment link by the API itself, so that it stands among the requests."""
    return _called(ask, "POST", "/payment-links", ask.body)


def archive_link(ask: Ask) -> JSONObject:
    """Archive a payment link, by the API itself."""
    return _called(ask, "DELETE", f"/payment-links/{ask.values['id']}", None)


def resend(ask: Ask) -> JSONObject:
    """Send a webhook again."""
    if not ask.values["id"].isdigit():
        raise LookupError("no such delivery")
    ask.dispatcher.resend(int(ask.values["id"]))
    return _DONE


def add_fault(ask: Ask) -> JSONObject:
    """Add a fault, described as in a file of faults."""
    standing = ask.engine.faults.plan(ask.body)
    ask.controls.keep()
    return {**_DONE, "id": standing.id}


def cancel_fault(ask: Ask) -> JSONObject:
    """Take one fault back."""
    if not ask.values["id"].isdigit():
        raise LookupError("no such fault")
    ask.engine.faults.cancel(int(ask.values["id"]))
    ask.controls.keep()
    return _DONE


def clear_faults(ask: Ask) -> JSONObject:
    """Remove every fault."""
    ask.engine.faults.clear()
    ask.controls.keep()
    return _DONE


def add_mode(ask: Ask) -> JSONObject:
    """Treat the next webhooks in a special way."""
    ask.dispatcher.delivery_modes.plan(ask.body)
    ask.controls.keep()
    return _DONE


def clear_modes(ask: Ask) -> JSONObject:
    """Deliver as a good provider does."""
    ask.dispatcher.delivery_modes.clear()
    ask.controls.keep()
    return _DONE


def advance_clock(ask: Ask) -> JSONObject:
    """Move the emulator's time on."""
    ask.engine.clock.advance(ask.seconds("advance"))
    ask.controls.keep()
    return _DONE


def change_options(ask: Ask) -> JSONObject:
    """Change when things settle by themselves, and where webhooks go."""
    options = ask.engine.options
    if "settle_after" in ask.body:
        by_hand = ask.body["settle_after"] is None
        options = attrs.evolve(
            options, settle_after=None if by_hand else ask.seconds("settle_after")
        )
    if "webhook_url" in ask.body:
        url = ask.body["webhook_url"] or None
        if url is not None and not (isinstance(url, str) and is_web_url(url)):
            raise ValueError("webhook_url must be an absolute http or https URL")
        options = attrs.evolve(options, webhook_url=url)
    ask.engine.behave(options)
    return _DONE


def make_history(ask: Ask) -> JSONObject:
    """Make settled transactions of the past."""
    count = ask.body.get("transactions")
    if isinstance(count, bool) or not isinstance(count, int):
        raise ValueError("transactions must be a whole number")  # noqa: TRY004 - said over HTTP
    with ask.engine.steering(ask.account.credentials.account_number) as account:
        generate(account, count, str(ask.body.get("seed", 0)))
    return _DONE


def reset(ask: Ask) -> JSONObject:
    """Forget everything that happened."""
    ask.controls.reset()
    return _DONE


def show_snapshots(ask: Ask) -> JSONObject:
    """The states that were kept, the latest first."""
    return {"snapshots": [_snapshot(snapshot) for snapshot in ask.controls.snapshots]}


def take_snapshot(ask: Ask) -> JSONObject:
    """Keep the present state under a name."""
    taken = ask.controls.snapshot(ask.text("name"))
    return {**_DONE, "snapshot": _snapshot(taken)}


def restore_snapshot(ask: Ask) -> JSONObject:
    """Return to a state that was kept."""
    ask.controls.restore(ask.text("name"))
    return _DONE


def forget_snapshot(ask: Ask) -> JSONObject:
    """Delete a snapshot."""
    ask.controls.forget_snapshot(ask.values["name"])
    return _DONE


def _snapshot(snapshot: Snapshot) -> JSONObject:
    return {
        "name": snapshot.name,
        "taken_at": api_text(snapshot.taken_at),
        "size": snapshot.size,
    }


def show_fidelity(ask: Ask) -> JSONObject:
    """Fidelity of each behaviour, and its source."""
    return {"behaviours": [attrs.asdict(behaviour) for behaviour in FIDELITY]}


ACTIONS: Final[tuple[tuple[str, str, Action], ...]] = (
    ("GET", "/state", show_state),
    ("GET", "/fidelity.json", show_fidelity),
    ("GET", "/requests/{id}", show_request),
    ("GET", "/deliveries/{id}", show_delivery),
    ("POST", "/settle", settle),
    ("POST", "/links", create_link),
    ("POST", "/links/{id}/archive", archive_link),
    ("POST", "/deliveries/{id}/resend", resend),
    ("POST", "/faults", add_fault),
    ("DELETE", "/faults", clear_faults),
    ("DELETE", "/faults/{id}", cancel_fault),
    ("POST", "/webhooks", add_mode),
    ("DELETE", "/webhooks", clear_modes),
    ("POST", "/clock", advance_clock),
    ("POST", "/options", change_options),
    ("POST", "/generate", make_history),
    ("GET", "/snapshots", show_snapshots),
    ("POST", "/snapshots", take_snapshot),
    ("POST", "/snapshots/restore", restore_snapshot),
    ("DELETE", "/snapshots/{name:path}", forget_snapshot),
    ("POST", "/reset", reset),
)


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
