"""Webhooks that settle payouts: each row has a callback URL of its own that cannot be guessed."""

from __future__ import annotations

import logging

import attrs

from dgspay import errors, webhooks
from dgspay.callback_urls import last_segments
from dgspay.models.characters import printable
from dgspay.payouts.errors import UnknownPayoutError
from dgspay.payouts.ledger import Ledger
from dgspay.payouts.model.batch import Batch
from dgspay.payouts.model.evidence import DisbursementEvent, evidence_of_event
from dgspay.payouts.model.payout import Record
from dgspay.webhooks import Delivery, EventEnvironment
from dgspay.webhooks.responses import RECEIVED, RETRY_AFTER, WebhookResponse, response_to
from dgspay.webhooks.signature import EnvironmentInput, SecretInput, hold_secrets

logger = logging.getLogger("dgspay.payouts")

UNKNOWN_PAYOUT = WebhookResponse.of(503, "unknown_payout", Retry_After=str(RETRY_AFTER))
"""Response to an event for which this ledger has no payout.

Anything but 200 makes DGS-Pay deliver it again (guide, "Idempotency"). It is an answer of the
server's side, for nothing is wrong with the event: what is missing is here.
"""

_LONGEST_NUMBER = 12
_REAL = "production"


@attrs.frozen
class Settled:
    """A webhook that was matched with a payout.

    Attributes:
        batch: Name of its batch.
        record: What is known of the payout after it.
    """

    batch: str
    record: Record


class PayoutWebhooks:
    """Handler that records webhooks in the ledger. A repeated delivery changes nothing.

    In your own web application give it the path and the raw body of each request::

        answer = payout_webhooks.receive(request.path, body, request.headers["X-DGS-Signature"])

    or, where a `WebhookReceiver` runs already, only the events with their `Delivery`::

        receiver.on(DisbursementSucceeded, DisbursementFailed)(payout_webhooks.take)

    An event that comes without a path, or with another, is matched by its reference, which a row
    whose answer was lost does not have.

    An event that no payout of the ledger is known for is never answered with 200: DGS-Pay delivers
    it again, and a reader of the log finds that the ledger is the wrong one.

    Args:
        ledger: Remembers.
        secret: The webhook secret, or several during a rotation.
        environment: Refuse events of the other environment.

    Raises:
        ConfigError: when the secret is missing or empty.
    """

    def __init__(
        self,
        ledger: Ledger,
        secret: SecretInput,
        *,
        environment: EnvironmentInput | None = None,
    ) -> None:
        held, fault = hold_secrets(secret)
        del secret  # from here on no local of this frame holds the secret's text
        if fault is not None:
            raise errors.ConfigError(fault)
        self._ledger = ledger
        self._secrets = held
        self._environment: EnvironmentInput | None = environment

    def receive(self, path: str, body: bytes, signature: str | None) -> WebhookResponse:
        """Take one delivery, blocking until the ledger has it.

        Args:
            path: The request's path; its last three segments name batch, row and token.
            body: The request's raw bytes.
            signature: The `X-DGS-Signature` header.

        Raises:
            LedgerError: the ledger cannot be written; answer 5xx, so that it is sent again.
        """
        try:
            event = webhooks.verify(body, signature, self._secrets, environment=self._environment)
            if not isinstance(event, DisbursementEvent):
                logger.warning("%s is no event of a payout", event.event)
                return UNKNOWN_PAYOUT
            self.take(event, path)
        except (errors.SignatureError, errors.DecodeError) as error:
            return response_to(error)
        except UnknownPayoutError:
            return UNKNOWN_PAYOUT
        return RECEIVED

    def take(
        self,
        event: DisbursementEvent,
        path: str | None = None,
        *,
        delivery: Delivery | None = None,
    ) -> Settled:
        """Take an event whose signature was checked.

        Args:
            event: What `webhooks.verify` or a `WebhookReceiver` gave.
            path: The request's path, where it is known.
            delivery: What a `WebhookReceiver` gives with the event; the path is in it.

        Raises:
            UnknownPayoutError: it is about no payout known here; do not answer it with 200.
            WrongEnvironmentError: it is a simulated one, and the payout pays real money.
            DecodeError: it contradicts itself.
            LedgerError: the ledger cannot be written.
        """
        if path is None and delivery is not None:
            path = delivery.path
        found = None if path is None else self._by_token(path)
        found = found or self._by_reference(event.dgs_reference)
        if found is None:
            logger.warning("%s is about no payout of the ledger", event.event)
            raise UnknownPayoutError(
                f"{printable(event.dgs_reference)} is no payout that this ledger knows. Nothing "
                "was written; have the event delivered again once the ledger is the right one"
            )
        batch, number = found
        if batch.terms.environment == _REAL and (
            event.environment is not None and event.environment.casefold() == EventEnvironment.TEST
        ):
            # A simulation pays no money, whatever its webhook says and however it is signed.
            logger.warning("a simulated event for row %d of %s was refused", number, batch.name)
            raise errors.WrongEnvironmentError(
                f"a simulated event came for a payout of batch {batch.name} that pays real money"
            )
        record = self._ledger.settle(batch, number, evidence_of_event(event))
        if record.contradiction is not None:
            logger.warning("row %d of %s contradicts itself", number, batch.name)
        return Settled(batch.name, record)

    def _by_token(self, path: str) -> tuple[Batch, int] | None:
        segments = last_segments(path, 3)
        if segments is None:
            return None
        name, number, token = segments
        if not (number.isascii() and number.isdigit() and len(number) <= _LONGEST_NUMBER):
            return None
        batch = self._ledger.batch(name)
        if batch is None or not batch.is_token_of(int(number), token):
            return None
        return batch, int(number)

    def _by_reference(self, dgs_reference: str) -> tuple[Batch, int] | None:
        owner = self._ledger.find_by_dgs_reference(dgs_reference)
        batch = None if owner is None else self._ledger.batch(owner[0])
        return None if owner is None or batch is None else (batch, owner[1])
