"""Actions on an emulator over HTTP, for the console and other programs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import attrs

from dgspay.emulator.clock import JumpingClock, api_text
from dgspay.emulator.console.api_actions import (
    archive_link,
    convert,
    create_charge,
    create_link,
    create_payout,
    update_link,
)
from dgspay.emulator.console.ask import Ask, ConflictError
from dgspay.emulator.console.csv_export import csv_file
from dgspay.emulator.console.details import delivery_details, payment_details, request_details
from dgspay.emulator.console.lists import ListQuery, listing, shown_list
from dgspay.emulator.console.qr import qr_image
from dgspay.emulator.console.state_json import state
from dgspay.emulator.domain import decisions
from dgspay.emulator.domain.event_payloads import example_event
from dgspay.emulator.domain.payment_links import link_fields
from dgspay.emulator.domain.sample_history import generate
from dgspay.emulator.fidelity import FIDELITY
from dgspay.emulator.http import Response
from dgspay.emulator.state import Snapshot
from dgspay.models.enums import PaymentStatus
from dgspay.models.json_codec import JSONObject
from dgspay.models.validators import is_web_url

Action = Callable[[Ask], JSONObject | Response]
_DONE: Final[JSONObject] = {"status": "success"}


def show_state(ask: Ask) -> JSONObject:
    """Everything at one glance, and the list of one tab where one is asked for."""
    name = ask.query.get("list")
    shown = {} if name is None else {"list": shown_list(ask.house, name, ListQuery.of(ask.query))}
    return {
        **state(ask.house),
        **shown,
        "snapshots": [_snapshot(snapshot) for snapshot in ask.controls.snapshots],
        "state_file": ask.controls.state_file,
        "state_trouble": ask.engine.trouble,
    }


def show_payment(ask: Ask) -> JSONObject:
    """One payment, with what was asked and said about it."""
    payment = ask.account.payment(ask.values["reference"])
    if payment is None:
        raise LookupError(f"no payment {ask.values['reference']!r}")
    return payment_details(ask.house, payment)


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


def approve_all(ask: Ask) -> JSONObject:
    """Approve every payment that waits for nothing but a yes; not those that want a PIN or code."""
    with ask.engine.steering(ask.account.credentials.account_number) as account:
        pending = tuple(account.history.with_status(PaymentStatus.PENDING))
        waiting = [payment.dgs_reference for payment in pending if not payment.awaits]
        for reference in waiting:
            decisions.approve(account, reference)
    return {**_DONE, "approved": len(waiting)}


def show_qr(ask: Ask) -> Response:
    """A payment link's URL as an image that a telephone reads."""
    link = ask.account.links.get(ask.values["id"])
    if link is None:
        raise LookupError("no such payment link")
    return qr_image(link_fields(ask.account, link)["url"])


def export(ask: Ask) -> Response:
    """All that a search finds in a list, as a CSV file."""
    return csv_file(ask.house, ask.values["name"], ListQuery.of(ask.query))


def resend_found(ask: Ask) -> JSONObject:
    """Send again every webhook that a search finds and that has a receiver, oldest first."""
    search, status = (str(ask.body.get(name) or "") for name in ("search", "status"))
    found = listing("webhooks").find(ask.house, ListQuery(search, status)).rows
    numbers = [delivery.id for delivery in found if delivery.url is not None]
    for number in numbers:
        ask.dispatcher.resend(number)
    return {**_DONE, "resent": len(numbers)}


def send_test_event(ask: Ask) -> JSONObject:
    """Send a webhook of a payment that never was, to try a receiver."""
    url = ask.engine.options.webhook_url
    with ask.engine.steering(ask.account.credentials.account_number) as account:
        account.announce(example_event(account.clock.time()), url)
    return _DONE


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


def return_clock(ask: Ask) -> JSONObject:
    """Return to the time before it was moved on. What was done ahead stays done."""
    clock = ask.engine.clock
    if not isinstance(clock, JumpingClock):
        raise ValueError("this clock is moved by the program that brought it")  # noqa: TRY004
    clock.resume(0.0)
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
    """Keep the present state under a name; one that is taken, only to `replace` its snapshot."""
    name = ask.text("name")
    if ask.body.get("replace") is not True and name in {s.name for s in ask.controls.snapshots}:
        raise ConflictError(f"there is a snapshot named {name} already")
    taken = ask.controls.snapshot(name)
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
    ("GET", "/lists/{name}.csv", export),
    ("GET", "/links/{id}/qr.svg", show_qr),
    ("GET", "/requests/{id}", show_request),
    ("GET", "/payments/{reference}", show_payment),
    ("GET", "/deliveries/{id}", show_delivery),
    ("POST", "/settle", settle),
    ("POST", "/approve-all", approve_all),
    ("POST", "/charges", create_charge),
    ("POST", "/payouts", create_payout),
    ("POST", "/conversions", convert),
    ("POST", "/links", create_link),
    ("PATCH", "/links/{id}", update_link),
    ("POST", "/links/{id}/archive", archive_link),
    ("POST", "/deliveries/resend", resend_found),
    ("POST", "/deliveries/{id}/resend", resend),
    ("POST", "/webhooks/test", send_test_event),
    ("POST", "/faults", add_fault),
    ("DELETE", "/faults", clear_faults),
    ("DELETE", "/faults/{id}", cancel_fault),
    ("POST", "/webhooks", add_mode),
    ("DELETE", "/webhooks", clear_modes),
    ("POST", "/clock", advance_clock),
    ("POST", "/clock/return", return_clock),
    ("POST", "/options", change_options),
    ("POST", "/generate", make_history),
    ("GET", "/snapshots", show_snapshots),
    ("POST", "/snapshots", take_snapshot),
    ("POST", "/snapshots/restore", restore_snapshot),
    ("DELETE", "/snapshots/{name:path}", forget_snapshot),
    ("POST", "/reset", reset),
)
