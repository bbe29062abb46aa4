"""`dgspay payouts listen`: receive the webhooks of payouts and write them into the ledger."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Annotated

import typer

from dgspay import errors
from dgspay.cli.metrics_server import serving_metrics
from dgspay.cli.options import webhook_secret
from dgspay.cli.payouts.ledgers import AnyLedger, NewLedger, opened_ledger, place_words
from dgspay.cli.payouts.options import LedgerOption, NewLedgerOption
from dgspay.cli.signals import stop_signals
from dgspay.cli.streams import begin_effect
from dgspay.cli.terminal import console, visible
from dgspay.cli.webhook_listener import Listener, listening, wait_at
from dgspay.cli.webhook_server import Arrived
from dgspay.payouts import (
    UNKNOWN_PAYOUT,
    DisbursementEvent,
    LedgerError,
    PayoutGauges,
    PayoutWebhooks,
    UnknownPayoutError,
)
from dgspay.webhooks.responses import response_to

DEFAULT_PORT = 8252
"""One above that of `dgspay webhooks listen`."""

_SECONDS_TO_ANSWER = 3.0
"""Seconds that a ledger that is away is waited for, before DGS-Pay is asked to deliver again."""


def listen(
    *,
    ledger: LedgerOption = None,
    new_ledger: NewLedgerOption = False,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")
    ] = DEFAULT_PORT,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    metrics_port: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=65535,
            help="Serve metrics of the ledger to Prometheus on this port; 0 takes a free one.",
        ),
    ] = None,
    metrics_host: Annotated[
        str, typer.Option(help="Address to serve metrics on; never one of the internet.")
    ] = "127.0.0.1",
) -> None:
    """Settle payouts by their webhooks, until Ctrl-C.

    Put it behind your HTTPS proxy, and give `run` the address as --callback-url. It verifies
    every signature with DGSPAY_WEBHOOK_SECRET. An event that matches no
    payout of the ledger is shown and answered 503, so that DGS-Pay delivers it again: start
    `listen` with the ledger that the batch is paid with.
    """
    secret = webhook_secret()
    if secret is None:
        raise errors.ConfigError("the environment variable DGSPAY_WEBHOOK_SECRET is not set")
    new = NewLedger(wanted=new_ledger)
    with opened_ledger(ledger, new=new, answer_within=_SECONDS_TO_ANSWER) as opened:
        listener = _Listener(PayoutWebhooks(opened, secret), place_words(opened))
        with (
            stop_signals() as stopped,
            listening(listener, secret, host=host, port=port) as url,
            _metrics(opened, host=metrics_host, port=metrics_port),
        ):
            # What an event means is in the ledger, whether it can be shown or not.
            begin_effect()
            wait_at(url, stopped)


@contextmanager
def _metrics(ledger: AnyLedger, *, host: str, port: int | None) -> Generator[None]:
    if port is None:
        yield
        return
    with serving_metrics(PayoutGauges(ledger), host=host, port=port) as url:
        console(stderr=True).print(f"Metrics at {url}", soft_wrap=True)
        yield


class _Listener(Listener):
    """Writes each event into the ledger, and prints what it settled."""

    def __init__(self, webhooks: PayoutWebhooks, ledger: str) -> None:
        super().__init__()
        self._webhooks = webhooks
        self._ledger = ledger

    def take(self, arrived: Arrived) -> int:
        """Settle a payout, and return the status to answer with."""
        event = arrived.event
        if not isinstance(event, DisbursementEvent):
            return self._unplaced(f"{event.event} is no event of a payout")
        try:
            settled = self._webhooks.take(event, arrived.path)
        except LedgerError as error:
            self._print(f"Not written, so it is asked for again: {error}")
            return 503
        except UnknownPayoutError:
            return self._unplaced(f"{event.dgs_reference} is no payout that this ledger knows")
        except (errors.SignatureError, errors.DecodeError) as error:
            status = response_to(error).status
            self.show_refusal(status, error.message)
            return status
        record = settled.record
        reference = visible(record.payout.reference)
        self._print(f"{settled.batch}  {reference}  {record.state}  {record.reason or ''}")
        return 200

    def _unplaced(self, why: str) -> int:
        """Show an event that would be lost if it were answered with 200."""
        status = UNKNOWN_PAYOUT.status
        self._print(
            f"Not written, answered {status} so that DGS-Pay sends it again: {visible(why)}. "
            f"Is this the ledger the batch is paid with? ({visible(self._ledger)})"
        )
        return status

    def _print(self, line: str) -> None:
        with self.printing:
            console().print(line.rstrip(), soft_wrap=True)
