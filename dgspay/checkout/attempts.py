"""Attempts: one is begun, taken through its steps, and looked up."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import partial

import attrs

from dgspay import BillingAddress, Charge, EncryptedCard, EncryptedPin, Operation, errors
from dgspay.api import charges, transactions
from dgspay.checkout.errors import recording
from dgspay.checkout.evidence import (
    evidence_of_charge,
    evidence_of_error,
    evidence_of_look_up,
)
from dgspay.checkout.flow import Flow, execute, sleep, transact
from dgspay.checkout.handlers import run_tasks_of_written
from dgspay.checkout.order import (
    AddressRequired,
    Attempt,
    Method,
    Order,
    OtpRequired,
    PinRequired,
)
from dgspay.checkout.shop import Shop
from dgspay.checkout.store.attempts import begin, learn, take_step
from dgspay.checkout.store.loading import load
from dgspay.checkout.store.scope import Scope
from dgspay.checkout.store.watching import lease_one
from dgspay.checkout.transitions import Evidence, Learned, Source
from dgspay.errors import Outcome
from dgspay.models.phones import mobile_local, network_name, networks_as_written
from dgspay.models.scenario import Scenario
from dgspay.secret import Secret

_KEY_CHARACTERS = 32

# What the shop has to mend: the payer can do nothing about it.
_FOR_THE_SHOP = (errors.AuthenticationError, errors.InvalidRequestError, errors.ConfigError)

_FIRST_PAUSE = 1.0
_LONGEST_PAUSE = 10.0


def pay_by_mobile_money(
    shop: Shop,
    order_id: str,
    *,
    phone: str,
    network: str,
    instead_of: int | None = None,
    client_address: str | None = None,
    scenario: Scenario | str | None = None,
) -> Flow[Order]:
    """Ask a wallet for the payment of an order (guide, "Mobile Money API").

    While an attempt is under way, the order is returned with that one, and nothing is sent: a
    double click gets the attempt of the first.

    Args:
        order_id: The order's id.
        phone: The number that gets the prompt, in any usual Rwandan form.
        network: `MTN` or `Airtel`.
        instead_of: Number of a card attempt that waits for the payer, who gives it up.
        client_address: The payer's address on the network, to bound the testing of cards.
        scenario: Sandbox only; see `charges.mobile_money`.

    Returns:
        The order: `order.attempt` is how the attempt stands, in doubt where its answer was lost.

    Raises:
        ValueError, TypeError: an argument is wrong; nothing was sent.
        UnknownOrderError, OrderClosedError, TooManyAttemptsError: nothing was sent.
        AuthenticationError, InvalidRequestError: DGS-Pay rejected it for what the shop sent.
        OrdersError: the store failed; what is not on its disk was not sent.
    """
    details = {
        "phone": mobile_local(phone, field="phone"),
        "network": network_name(network, field="network"),
    }

    def charge(order: Order, callback: str, key: str, redirect: str) -> Operation[Charge]:
        # The payer's own choice, of which the page has warned: numbers move between networks.
        with networks_as_written():
            return charges.mobile_money(
                amount=order.amount,
                currency=order.currency,
                customer=order.customer,
                network=details["network"],
                phone=details["phone"],
                redirect_url=redirect,
                narration=order.description,
                callback_url=callback,
                scenario=scenario,
                idempotency_key=key,
            )

    return (
        yield from _pay(
            shop, order_id, Method.MOBILE_MONEY, charge, details, instead_of, client_address
        )
    )


def pay_by_card(
    shop: Shop,
    order_id: str,
    card: EncryptedCard,
    *,
    instead_of: int | None = None,
    client_address: str | None = None,
    scenario: Scenario | str | None = None,
) -> Flow[Order]:
    """Charge a card that the payer's browser has encrypted (guide, "Card Payments API").

    Args:
        order_id: The order's id.
        card: The encrypted fields; they are sent, and kept nowhere.
        instead_of: See `pay_by_mobile_money`.
        client_address: See `pay_by_mobile_money`.
        scenario: Sandbox only; see `charges.card`.

    Returns:
        The order: look at `order.next_action`, and go on with `submit_pin`, `submit_otp` or
        `submit_address`.

    Raises:
        ValueError, TypeError: an argument is wrong; nothing was sent.
        UnknownOrderError, OrderClosedError, TooManyAttemptsError: nothing was sent.
        AuthenticationError, InvalidRequestError: DGS-Pay rejected it for what the shop sent.
        OrdersError: the store failed; what is not on its disk was not sent.
    """

    def charge(order: Order, callback: str, key: str, redirect: str) -> Operation[Charge]:
        return charges.card(
            amount=order.amount,
            currency=order.currency,
            customer=order.customer,
            card=card,
            redirect_url=redirect,
            narration=order.description,
            callback_url=callback,
            scenario=scenario,
            idempotency_key=key,
        )

    return (yield from _pay(shop, order_id, Method.CARD, charge, {}, instead_of, client_address))


def submit_pin(
    shop: Shop,
    order_id: str,
    pin: EncryptedPin,
    *,
    attempt: int | None = None,
    step: int | None = None,
) -> Flow[Order]:
    """Submit the card's PIN for the attempt under way (guide, "Payment Authorization").

    It is sent at most once for each step: where its answer is lost, the attempt is in doubt, and
    look-ups and the webhook say how it ends.

    Args:
        order_id: The order's id.
        pin: The PIN as the payer's browser encrypted it.
        attempt: Number of the attempt that the payer has seen; the one under way if left out.
        step: `Attempt.step` that the payer has seen; the present one if left out.

    Raises:
        StepOverError: this step was submitted before, or is another attempt's. Nothing was sent.
        UnknownOrderError: there is no such order.
    """

    def authorize(reference: str, key: str) -> Operation[Charge]:
        return charges.authorize_pin(reference, pin, idempotency_key=key)

    return (yield from _submit(shop, order_id, PinRequired, authorize, attempt, step))


def submit_otp(
    shop: Shop, order_id: str, otp: str, *, attempt: int | None = None, step: int | None = None
) -> Flow[Order]:
    """Submit the one-time password for the attempt under way; see `submit_pin`.

    Args:
        order_id: The order's id.
        otp: 3 to 12 digits or letters.
        attempt: See `submit_pin`.
        step: See `submit_pin`.

    Raises:
        ValueError, TypeError: the OTP cannot be one; nothing was sent.
        StepOverError: this step was submitted before, or is another attempt's. Nothing was sent.
        UnknownOrderError: there is no such order.
    """
    sealed = Secret(otp) if isinstance(otp, str) else None
    del otp  # a traceback that shows local variables must not show it
    if sealed is None:
        raise TypeError("otp must be a str such as '123456', leading zeros and all")

    def authorize(reference: str, key: str) -> Operation[Charge]:
        return charges.authorize_otp(reference, sealed.reveal(), idempotency_key=key)

    return (yield from _submit(shop, order_id, OtpRequired, authorize, attempt, step))


def submit_address(
    shop: Shop,
    order_id: str,
    address: BillingAddress,
    *,
    attempt: int | None = None,
    step: int | None = None,
) -> Flow[Order]:
    """Submit the card's billing address for the attempt under way; see `submit_pin`.

    Args:
        order_id: The order's id.
        address: The billing address.
        attempt: See `submit_pin`.
        step: See `submit_pin`.

    Raises:
        StepOverError: this step was submitted before, or is another attempt's. Nothing was sent.
        UnknownOrderError: there is no such order.
    """

    def authorize(reference: str, key: str) -> Operation[Charge]:
        return charges.authorize_avs(reference, address, idempotency_key=key)

    return (yield from _submit(shop, order_id, AddressRequired, authorize, attempt, step))


def wait(shop: Shop, order_id: str, *, timeout: float = 120.0) -> Flow[Order]:
    """Wait until an order is paid or closed, or its attempt has ended; look it up meanwhile.

    Args:
        order_id: The order's id.
        timeout: Seconds to wait in all.

    Returns:
        The order as it is then, whether or not that has happened.

    Raises:
        UnknownOrderError: there is no such order.
    """
    scope = yield from shop.scope()
    pause, waited = _FIRST_PAUSE, 0.0
    while True:
        order, _ = yield from transact(partial(load, scope, order_id))
        current = order.under_way
        if order.is_closed or current is None or current.is_settled or waited >= timeout:
            return order
        if current.dgs_reference is not None:
            looked = yield from look_up(shop, scope, order, current)
            if looked is not None and (looked.is_closed or looked.attempt != current):
                continue
        pause = min(pause, timeout - waited)
        yield from sleep(pause)
        waited += pause
        pause = min(pause * 1.5, _LONGEST_PAUSE)


def look_up_if_due(shop: Shop, order: Order) -> Flow[Order]:
    """Look up the attempt under way where that is due, as it is while a page waits for it."""
    current = order.under_way
    if current is None or current.is_settled or current.dgs_reference is None:
        return order
    scope = yield from shop.scope()
    if not (yield from transact(partial(lease_one, scope, order.key, current.number))):
        return order
    return (yield from look_up(shop, scope, order, current)) or order


def look_up(
    shop: Shop, scope: Scope, order: Order, attempt: Attempt, *, now: float | None = None
) -> Flow[Order | None]:
    """Ask DGS-Pay how an attempt stands; None where it gave no usable answer.

    Args:
        shop: The checkout's.
        scope: The order's.
        order: The order.
        attempt: One of its attempts that has a reference.
        now: The store's time, where the look-up is to open the way for another attempt.
    """
    assert attempt.dgs_reference is not None
    evidence: Evidence
    try:
        operation = transactions.retrieve(attempt.dgs_reference)
        evidence = evidence_of_look_up((yield from execute(operation)))
    except errors.NotFoundError:
        # Whether it lists a payment at once is not documented: that is no failure.
        evidence = Evidence(learned=Learned.NOTHING, source=Source.LOOK_UP)
    except (errors.DGSPayError, ValueError):
        return None
    return (yield from merge(shop, scope, order, attempt.number, evidence, asked_at=now))


def merge(
    shop: Shop,
    scope: Scope,
    order: Order,
    number: int,
    evidence: Evidence,
    *,
    asked_at: float | None = None,
) -> Flow[Order]:
    """Write down what was learned of an attempt, and run the handlers that are owed by it."""
    learnt = yield from transact(
        partial(learn, scope, order.key, number, evidence, asked_at=asked_at)
    )
    if learnt is None:
        return order
    yield from run_tasks_of_written(shop, scope, learnt.tasks)
    return learnt.order


def _pay(
    shop: Shop,
    order_id: str,
    method: Method,
    charge: Callable[[Order, str, str, str], Operation[Charge]],
    details: dict[str, str],
    instead_of: int | None,
    client_address: str | None,
) -> Flow[Order]:
    scope = yield from shop.scope()
    asked_at: float | None = None
    while True:
        begun = yield from transact(
            partial(
                begin,
                scope,
                order_id,
                method,
                details=details,
                client_address=client_address,
                instead_of=instead_of,
                asked_at=asked_at,
                build=lambda order, attempt: _operation(shop, scope, order, attempt, charge),
            )
        )
        if begun.look_first is None or asked_at is not None:
            break
        # One more look-up before a second prompt: the first may have been paid by now.
        asked_at = begun.now
        looked = yield from look_up(shop, scope, begun.order, begun.look_first, now=begun.now)
        if looked is None:
            break
    if begun.operation is None:
        return begun.order
    number = begun.order.attempts[-1].number
    return (yield from _send(shop, scope, begun.order, number, begun.operation))


def _operation(
    shop: Shop,
    scope: Scope,
    order: Order,
    attempt: Attempt,
    charge: Callable[[Order, str, str, str], Operation[Charge]],
) -> Operation[Charge]:
    callback = shop.callback_url(scope, order, f"a{attempt.number}")
    key = idempotency_key(shop, scope, order, f"a{attempt.number}")
    return charge(order, callback, key, shop.return_url(scope, order))


def idempotency_key(shop: Shop, scope: Scope, order: Order, *names: str) -> str:
    """Return the key that follows from store, account, order and number: the same after any crash.

    A store that was restored makes the same one again for the attempt that it has forgotten, so
    that DGS-Pay can tell that it is no new payment. That of another shop of the same account, with
    a store of its own, makes another one for an equal order.
    """
    number = shop.settings.account_number
    parts = (number, order.id, f"{order.amount:f}", order.currency, *names)
    if scope.salt:  # a store of before there were salts keeps its keys
        parts = (scope.salt, *parts)
    return hashlib.sha256("\x00".join(parts).encode()).hexdigest()[:_KEY_CHARACTERS]


def _send(
    shop: Shop, scope: Scope, order: Order, number: int, operation: Operation[Charge]
) -> Flow[Order]:
    try:
        evidence = evidence_of_charge((yield from execute(operation)))
    except errors.DGSPayError as error:
        with recording(error.outcome):
            order = yield from merge(shop, scope, order, number, evidence_of_error(error))
        if isinstance(error, _FOR_THE_SHOP):
            raise
        return order
    with recording():
        return (yield from merge(shop, scope, order, number, evidence))


def _submit(
    shop: Shop,
    order_id: str,
    kind: type[PinRequired | OtpRequired | AddressRequired],
    authorize: Callable[[str, str], Operation[Charge]],
    attempt: int | None,
    step: int | None,
) -> Flow[Order]:
    # What cannot be sent must not take the step away.
    authorize("DGS-0", "0" * _KEY_CHARACTERS)
    scope = yield from shop.scope()
    order, before = yield from transact(partial(take_step, scope, order_id, kind, attempt, step))
    assert before.dgs_reference is not None
    key = idempotency_key(shop, scope, order, f"a{before.number}", f"s{before.step}")
    outcome = Outcome.UNKNOWN
    try:
        charge = yield from execute(authorize(before.dgs_reference, key))
        evidence = evidence_of_charge(charge)
    except errors.DGSPayError as error:
        evidence, outcome = evidence_of_error(error), error.outcome
        if outcome in (Outcome.NOT_SENT, Outcome.REJECTED) and not isinstance(
            error, errors.IdempotencyError
        ):
            # It was not taken: the payment waits for the same step as before.
            evidence = attrs.evolve(
                evidence, learned=Learned.ACTION, next_action=before.next_action, reason=None
            )
    with recording(outcome):
        return (yield from merge(shop, scope, order, before.number, evidence))
