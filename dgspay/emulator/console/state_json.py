"""State of one merchant as plain values, as the console shows it beside its lists."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Reversible
from decimal import Decimal
from itertools import islice
from typing import TypeVar

from dgspay.emulator.api.call import API_PREFIX
from dgspay.emulator.clock import JumpingClock, SystemClock, api_text
from dgspay.emulator.console.lists import House
from dgspay.emulator.console.rows import disbursement_row, payment_row
from dgspay.emulator.domain.account import Account
from dgspay.emulator.engine.engine import Engine
from dgspay.emulator.webhooks.dispatcher import Dispatcher
from dgspay.emulator.webhooks.modes import MODES
from dgspay.models.enums import ConversionStatus, PaymentStatus
from dgspay.models.json_codec import JSONObject

T = TypeVar("T")

_KEYS = 50
_NEWS = 8
_HANDSETS = 6


def state(house: House) -> JSONObject:
    """Return what the console shows at one glance."""
    engine, account = house.engine, house.account
    with engine.lock:
        return {
            **_shell(engine, account),
            **_overview(account),
            **_badges(account),
            **_keys(account),
            **_webhooks(engine, house.dispatcher),
            **_faults(engine),
        }


def _shell(engine: Engine, account: Account) -> JSONObject:
    """Return what stands around the tabs, and the variables to copy."""
    return {
        "now": api_text(engine.clock.time()),
        "clock": _clock(engine),
        "api": engine.accounts.origin + API_PREFIX,
        "account": account.credentials.account_number,
        # Published and worth nothing: they are there to be copied.
        "api_key": account.credentials.api_key,
        "webhook_secret": account.credentials.webhook_secret,
        "encryption_key": account.credentials.encryption_key,
        "accounts": [a.credentials.account_number for a in engine.accounts],
        "settle_after": engine.options.settle_after,
    }


def _clock(engine: Engine) -> JSONObject:
    clock = engine.clock
    return {
        "seconds": clock.time(),
        "ahead": clock.ahead if isinstance(clock, JumpingClock) else 0,
        "runs": isinstance(clock, SystemClock),
    }


def _overview(account: Account) -> JSONObject:
    pending = account.history.with_status(PaymentStatus.PENDING)
    awaited: defaultdict[str, list[Decimal]] = defaultdict(list)
    for payment in pending:
        awaited[payment.currency].append(payment.amount)
    purses = account.wallet.purses
    return {
        "balances": [
            {
                "currency": currency,
                "available": account.wallet.available(currency),
                # Conversions on their way into the wallet.
                "arriving": purses[currency].pending if currency in purses else 0,
                "pending": sum(awaited[currency]),
                "pending_payments": len(awaited[currency]),
            }
            for currency in dict.fromkeys((*purses, *awaited))
        ],
        # The newest, in the order in which they came: one more moves none of those before it.
        "pending": [payment_row(p) for p in pending[-_HANDSETS:]],
        "pending_total": len(pending),
        "latest": [payment_row(p) for p in _latest(account.payments)],
        "latest_payouts": [disbursement_row(t) for t in _latest(account.disbursements.values())],
    }


def _badges(account: Account) -> JSONObject:
    """Return how many payouts and conversions wait to be settled."""
    payouts, conversions = account.disbursements.values(), account.conversions.values()
    return {
        "open_payouts": sum(t.status is PaymentStatus.PENDING for t in payouts),
        "open_conversions": sum(c.status is ConversionStatus.PROCESSING for c in conversions),
    }


def _keys(account: Account) -> JSONObject:
    return {
        "keys": [{"key": key, "answered": answered} for key, answered in account.keys.latest(_KEYS)]
    }


def _webhooks(engine: Engine, dispatcher: Dispatcher) -> JSONObject:
    return {
        "webhook_url": engine.options.webhook_url,
        "modes": [
            {
                "mode": mode.kind,
                "words": MODES[mode.kind],
                "remaining": mode.remaining,
                "seconds": mode.seconds,
            }
            for mode in dispatcher.delivery_modes.standing
        ],
    }


def _faults(engine: Engine) -> JSONObject:
    return {
        "faults": [
            {
                "id": standing.id,
                "route": standing.route,
                "words": standing.words,
                "remaining": standing.remaining,
                "probability": standing.probability,
            }
            for standing in engine.faults.standing
        ]
    }


def _latest(rows: Reversible[T]) -> list[T]:
    """Return the newest rows, newest first, without a copy of all of them."""
    return list(islice(reversed(rows), _NEWS))
