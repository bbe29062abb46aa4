"""Calls of one transport through a broken line to a real server, each made from a seed."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable
from typing import Any

import anyio

from dgspay import (
    AsyncDGSPay,
    BankRecipient,
    Customer,
    DGSPay,
    EncryptedCard,
    Outcome,
    RetryPolicy,
    errors,
)
from dgspay import Timeout as Patience
from dgspay.core.events import AttemptEvent, CallEvent, TelemetryEvent
from dgspay.emulator import Emulator
from dgspay.encryption import CardEncryptor
from dgspay.transports.httpx import HttpxTransport
from tests.support.transport_matrix import Way
from tests.system.network_faults.proxy import FaultProxy
from tests.system.network_faults.proxy_cases import Case, Claim, Run, done_by, wrong_with
from tests.system.network_faults.proxy_faults import NOTHING, Down, SentOnTwice

Act = Callable[[Any], Any]

# Longer than loopback needs, and short enough for thousands of runs. A machine so slow that they
# strike by themselves only makes another fault of it: no rule here depends on them.
IMPATIENT = Patience(connect=0.5, write=0.3, read=0.1, pool=0.5)
DEADLINE = 2.0

JANE = Customer(
    email="jane.doe@example.com", first_name="Jane", last_name="Doe", phone="0789654321"
)


class Storm:
    """Sends calls of one transport through a proxy to a served emulator."""

    def __init__(self, way: Way, emulator: Emulator, proxy: FaultProxy, direct_url: str) -> None:
        self._way = way
        self._emulator = emulator
        self._proxy = proxy
        self._direct_url = direct_url
        self._encryptor = CardEncryptor(emulator.encryption_key)

    def blow(self, seeds: Iterable[int]) -> list[str]:
        """Run the cases of these seeds; return what was wrong, one sentence for each."""
        runs = [self._run(Case.of(seed)) for seed in seeds]
        self._wait_for_what_is_on_its_way()
        done = done_by(self._emulator)
        return [
            f"seed {run.case.seed}: {wrong}" for run in runs if (wrong := wrong_with(run, done))
        ]

    # --- one run ---------------------------------------------------------------------------

    def _run(self, case: Case) -> Run:
        self._mend()
        authorized = self._charged(case) if case.call in ("pin", "otp") else None
        act = self._act(case, authorized)
        strike = _Strike(case, self._proxy)
        if isinstance(case.fault, SentOnTwice):
            self._emulator.faults.send_on_twice("*", probability=1)
        try:
            if self._way.mode == "sync":
                with DGSPay(**self._settings(case, strike)) as dgs:
                    claim = self._claimed(case, act, dgs, strike)
            else:
                claim = anyio.run(self._claimed_async, case, act, strike, backend=self._way.mode)
        finally:
            self._mend()
        return Run(case, authorized, claim)

    def _settings(self, case: Case, strike: _Strike) -> dict[str, Any]:
        return {
            "api_key": self._emulator.api_key,
            "account_number": self._emulator.account_number,
            "environment": "emulator",
            "base_url": self._proxy.url,
            "transport": self._way.transport(),
            "timeout": IMPATIENT,
            "deadline": DEADLINE,
            "retry": RetryPolicy(initial_delay=0, max_delay=0, trust_idempotency=case.trusting),
            # The emulator does not know the other name, and carries out whatever arrives.
            "idempotency_header": "Idempotency-Key" if case.honoured else "Payment-Key",
            "hooks": [strike],
        }

    def _claimed(self, case: Case, act: Act, dgs: DGSPay, strike: _Strike) -> Claim:
        if case.start != "cold":
            # On a machine so busy that it fails, the connection is merely another one.
            with contextlib.suppress(errors.DGSPayError):
                dgs.balances.list()
        strike.begin()
        try:
            return strike.completed(act(dgs))
        except Exception as error:  # noqa: BLE001 - which exceptions come out is what is tested
            return strike.failed(error)

    async def _claimed_async(self, case: Case, act: Act, strike: _Strike) -> Claim:
        async with AsyncDGSPay(**self._settings(case, strike)) as dgs:
            if case.start != "cold":
                with contextlib.suppress(errors.DGSPayError):
                    await dgs.balances.list()
            strike.begin()
            patience = float("inf") if case.gives_up_after is None else case.gives_up_after
            with anyio.move_on_after(patience):
                try:
                    return strike.completed(await act(dgs))
                except Exception as error:  # noqa: BLE001 - as above
                    return strike.failed(error)
            return strike.cancelled()

    def _act(self, case: Case, authorized: str | None) -> Act:
        amount = case.amount
        match case.call:
            case "read":
                return lambda dgs: dgs.balances.list()
            case "charge":
                return lambda dgs: dgs.charges.mobile_money(
                    amount=amount,
                    network="MTN",
                    phone="0788123456",
                    customer=JANE,
                    redirect_url="https://shop.example/thanks",
                )
            case "card":
                card = self._card()
                return lambda dgs: _card_charge(dgs, amount, card)
            case "pin":
                pin = self._encryptor.encrypt_pin("1234")
                return lambda dgs: dgs.charges.authorize_pin(authorized, pin)
            case "otp":
                return lambda dgs: dgs.charges.authorize_otp(authorized, "123456")
            case "link":
                return lambda dgs: dgs.payment_links.create(
                    title=f"Invoice {amount}", amount_type="fixed", amount=amount
                )
            case "disburse":
                bank = BankRecipient(bank_key="bk_rw", account_number="1234567890")
                return lambda dgs: dgs.disbursements.create(amount=amount, recipient=bank)
            case _:
                return lambda dgs: dgs.conversions.convert(
                    from_currency="USD", to_currency="EUR", from_amount=amount
                )

    def _card(self) -> EncryptedCard:
        return self._encryptor.encrypt_card(
            number="4111111111111111", expiry_month=12, expiry_year=2030, cvv="123"
        )

    def _charged(self, case: Case) -> str:
        """Charge a card past the proxy, up to the step this case takes; return the reference."""
        scenario = {"pin": "scenario:auth_pin", "otp": "scenario:auth_pin_3ds"}[case.call]
        settings = self._settings(case, _Strike(case, self._proxy))
        transport = HttpxTransport(self._emulator.http_client())
        direct = {**settings, "base_url": self._emulator.base_url, "transport": transport}
        with DGSPay(**direct) as dgs:
            amount = 10**9 + case.amount
            charged = _card_charge(dgs, amount, self._card(), scenario=scenario)
            reference: str = charged.dgs_reference
            if case.call == "otp":
                dgs.charges.authorize_pin(reference, self._encryptor.encrypt_pin("1234"))
        return reference

    def _mend(self) -> None:
        self._emulator.faults.clear()
        self._proxy.fault = NOTHING
        self._proxy.come_up()
        self._proxy.drop()

    def _wait_for_what_is_on_its_way(self) -> None:
        """What was written to the emulator is done before what is asked of it after that."""
        self._proxy.drop()
        with DGSPay(
            api_key=self._emulator.api_key,
            account_number=self._emulator.account_number,
            environment="emulator",
            base_url=self._direct_url,
        ) as dgs:
            dgs.balances.list()


def _card_charge(dgs: Any, amount: int, card: EncryptedCard, **options: Any) -> Any:
    return dgs.charges.card(
        amount=amount,
        currency="RWF",
        card=card,
        customer=JANE,
        redirect_url="https://shop.example/thanks",
        **options,
    )


class _Strike:
    """A hook that breaks the line when the call begins, and mends it after some attempts."""

    def __init__(self, case: Case, proxy: FaultProxy) -> None:
        self._case = case
        self._proxy = proxy
        self._events: list[TelemetryEvent] = []
        self._has_begun = False

    def begin(self) -> None:
        """Break the line; what came before does not count."""
        self._events.clear()
        self._has_begun = True
        if self._case.start == "stale":
            self._proxy.drop("close" if self._case.seed % 2 else "reset")
        if isinstance(self._case.fault, Down):
            self._proxy.go_down()
        self._proxy.fault = self._case.fault

    def __call__(self, event: TelemetryEvent) -> None:
        self._events.append(event)
        attempts = sum(isinstance(each, AttemptEvent) for each in self._events)
        if self._has_begun and attempts >= self._case.lasts:
            self._proxy.fault = NOTHING
            self._proxy.come_up()

    def completed(self, result: Any) -> Claim:
        """The call returned."""
        names = ("dgs_reference", "dgs_conversion_ref", "id")
        reference = next((getattr(result, name) for name in names if hasattr(result, name)), None)
        return Claim(Outcome.COMPLETED, reference, self._disagreement(Outcome.COMPLETED))

    def failed(self, error: Exception) -> Claim:
        """The call raised."""
        if not isinstance(error, errors.DGSPayError):
            return Claim(Outcome.UNKNOWN, None, f"{type(error).__name__} came out: {error}")
        return Claim(error.outcome, None, self._disagreement(error.outcome))

    def cancelled(self) -> Claim:
        """The caller gave up; only the hook was told."""
        told = [event for event in self._events if isinstance(event, CallEvent)]
        return Claim(told[-1].outcome) if told else Claim(Outcome.NOT_SENT)

    def _disagreement(self, outcome: Outcome) -> str | None:
        told = self._events[-1]
        if isinstance(told, CallEvent) and told.outcome is outcome:
            return None
        return f"the hook was told {told}, the caller {outcome}"
