"""The set-up of a checkout, which all of its flows share."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any, Literal

import attrs

from dgspay import AsyncDGSPay, DGSPay
from dgspay.callback_urls import callback_base, callback_url, new_token_key
from dgspay.checkout.flow import Flow, transact
from dgspay.checkout.order import Order
from dgspay.checkout.store.accounts import ensure_account
from dgspay.checkout.store.scope import Limits, Scope, Timing
from dgspay.checkout.store.tasks import PAID_TASK, PROBLEM_TASK, Task
from dgspay.errors import ConfigError
from dgspay.secret import Secret
from dgspay.webhooks.signature import SecretInput, hold_secrets

RETURN_PATH = "return"
"""Where the pages are that payers come back to, relative to the checkout's `url`."""


@attrs.frozen
class Handler:
    """A function of the shop's that is called once for each order, or each problem.

    Attributes:
        function: The function.
        is_async: Whether it is to be awaited.
        takes_connection: Whether it writes in the store's own transaction.
    """

    function: Callable[..., Any]
    is_async: bool
    takes_connection: bool


class Shop:
    """What every flow of a checkout needs: who it is, where webhooks go, its times and limits."""

    def __init__(
        self,
        client: AsyncDGSPay | DGSPay,
        *,
        secret: SecretInput | None,
        url: str | None,
        redirect_url: str | None,
        merchant_name: str | None,
        encryption_key: str | None,
        timing: Timing,
        limits: Limits,
    ) -> None:
        self.secrets: tuple[Secret, ...] = ()
        if secret is not None:
            held, fault = hold_secrets(secret)
            del secret  # from here on no local of this frame holds the secret's text
            if fault is not None:
                raise ConfigError(fault)
            self.secrets = held
        self.base = None if url is None else callback_base(url, field="url")
        self.redirect_url = redirect_url
        self.merchant_name = merchant_name
        # It goes to payers' browsers, as the guide has it: it is no secret of the server's.
        self.encryption_key = encryption_key
        self.timing = timing
        self.limits = limits
        self.settings = client.settings
        self.handlers: dict[str, Handler] = {}
        # Handlers that succeeded while the store could not note it: they are not run again.
        self.unnoted: dict[int, Task] = {}
        # Names this checkout as the one that runs a handler.
        self.name = secrets.token_hex(8)
        self._scope: Scope | None = None

    @property
    def environment(self) -> Literal["production", "test"]:
        """The environment that events must be of."""
        return "production" if self.settings.environment == "production" else "test"

    def scope(self, connection: Any = None) -> Flow[Scope]:
        """Return what scripts work within: the account as the store knows it.

        Args:
            connection: A connection of the shop's whose transaction a script is to join: the store
                might wait for that one to end, and with it for the shop.
        """
        handles = self._handles()
        if self._scope is not None:
            if self._scope.handles != handles:
                self._scope = attrs.evolve(self._scope, handles=handles)
            return self._scope
        number, environment = self.settings.account_number, self.settings.environment
        account = yield from transact(
            lambda: ensure_account(environment, number, new_token_key()), connection
        )
        scope = Scope(
            key=account.key,
            token_key=account.token_key,
            salt=account.salt,
            timing=self.timing,
            limits=self.limits,
            lease=self.name,
            handles=handles,
        )
        if connection is None:
            # The shop may yet undo what is in a transaction of its own.
            self._scope = scope
        return scope

    def _handles(self) -> tuple[str, ...]:
        """Return the kinds of handlers that this process may take.

        The shop's own process, which is told of paid orders, takes those of problems, too, asked
        for or not. No process takes that of a paid order unless it has it.
        """
        return (PAID_TASK, PROBLEM_TASK) if PAID_TASK in self.handlers else tuple(self.handlers)

    def callback_url(self, scope: Scope, order: Order, subject: str) -> str:
        """Return where the webhook of an attempt (`a1`) or a refund (`r1`) goes.

        Raises:
            ConfigError: the checkout was given no URL.
        """
        if self.base is None:
            raise ConfigError("url= is missing: webhooks of payments need a place to go to")
        token = scope.callback_token(order.id, subject)
        return callback_url(self.base, "webhooks", f"{order.key}-{subject}", token)

    def return_url(self, scope: Scope, order: Order) -> str:
        """Return where DGS-Pay sends the payer back to.

        Raises:
            ConfigError: the checkout was given no URL.
        """
        named = order.redirect_url or self.redirect_url
        if named is not None:
            return named
        if self.base is None:
            raise ConfigError("redirect_url is missing: DGS-Pay sends the payer back to it")
        return callback_url(self.base, RETURN_PATH, order.key, scope.return_token(order.id))
