"""Public facade of one merchant: its credentials, payments, links and balances."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from dgspay.emulator.domain.account import Account
from dgspay.emulator.domain.records import Conversion, Disbursement, ExecutedCall, Link, Payment
from dgspay.emulator.engine.engine import Engine


class Merchant:
    """A merchant account; each attribute shows its present state.

    Args:
        engine: The emulator's.
        place: Which of its accounts.
    """

    def __init__(self, engine: Engine, place: int) -> None:
        self._engine = engine
        self._place = place

    @property
    def api_key(self) -> str:
        """The published test key for `X-DGS-API-Key`."""
        return self._account.credentials.api_key

    @property
    def account_number(self) -> str:
        """The account number for `X-DGS-ACCOUNT-NUMBER`."""
        return self._account.credentials.account_number

    @property
    def webhook_secret(self) -> str:
        """The published secret webhooks are signed with."""
        return self._account.credentials.webhook_secret

    @property
    def encryption_key(self) -> str:
        """The published card encryption key: base64 of 32 bytes."""
        return self._account.credentials.encryption_key

    @property
    def transactions(self) -> Sequence[Payment]:
        """Every collection, oldest first, in its present state."""
        return tuple(self._account.payments)

    @property
    def disbursements(self) -> Sequence[Disbursement]:
        """Every transfer out of the wallet, oldest first."""
        return tuple(self._account.disbursements.values())

    @property
    def conversions(self) -> Sequence[Conversion]:
        """Every currency conversion, oldest first."""
        return tuple(self._account.conversions.values())

    @property
    def links(self) -> Sequence[Link]:
        """Every payment link, oldest first."""
        return tuple(self._account.links.values())

    @property
    def executed(self) -> Sequence[ExecutedCall]:
        """Calls that were really carried out, in order: compare a client's claims with them."""
        return tuple(self._account.executed)

    def balance(self, currency: str) -> Decimal:
        """Return the available balance of a currency."""
        return self._account.wallet.available(currency)

    @property
    def _account(self) -> Account:
        return self._engine.accounts[self._place]
