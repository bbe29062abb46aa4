"""Calls of one transport through a broken line to a real server, each made from a seed."""

from __future__ import annotations

import contextlib
import gc
import threading
import time
import warnings
from collections.abc import Callable, Iterable
from typing import Any

import anyio
import anyio.to_thread
import attrs

from dgspay import (
    AsyncDGSPay,
    BankRecipient,
    Customer,
    DGSPay,
    EncryptedCard,
    RetryPolicy,
    errors,
)
from dgspay import Timeout as Patience
from dgspay.emulator import Emulator
from dgspay.encryption import CardEncryptor
from dgspay.models.balances import Balances
from dgspay.transports.httpx import HttpxTransport
from tests.support.certificate_authority import AUTHORITY
from tests.support.transport_matrix import Way
from tests.system.network_faults.proxy import FaultProxy
from tests.system.network_faults.proxy_cases import Case, Claim, Run, done_by, wrong_with
from tests.system.network_faults.proxy_faults import NOTHING, SentOnTwice
from tests.system.network_faults.proxy_interruptions import (
    AlarmError,
    alarm,
    forked,
    what_is_wrong_with,
)
from tests.system.network_faults.proxy_messages import NoTunnel
from tests.system.network_faults.proxy_strike import Strike

Act = Callable[[Any], Any]

# Longer than loopback needs, and short enough for thousands of runs. A machine so slow that they
# strike by themselves only makes another fault of it: no rule here depends on them.
IMPATIENT = Patience(connect=0.5, write=0.3, read=0.1, pool=0.5)
DEADLINE = 2.0

# How often a client is asked for its use before it has none: a slow machine may fail it.
_LOOKS = 8
_OF_NO_USE = "the client is of no use afterwards"

_TRUSTING = AUTHORITY.trusting()

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
        strike = Strike(case, self._proxy)
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

    def _settings(self, case: Case, strike: Strike) -> dict[str, Any]:
        return {
            "api_key": self._emulator.api_key,
            "account_number": self._emulator.account_number,
            "environment": "emulator",
            "base_url": self._proxy.url_by(case.route),
            "transport": self._transport(case),
            "timeout": IMPATIENT,
            "deadline": DEADLINE,
            "retry": RetryPolicy(initial_delay=0, max_delay=0, trust_idempotency=case.trusting),
            # The emulator does not know the other name, and carries out whatever arrives.
            "idempotency_header": "Idempotency-Key" if case.honoured else "Payment-Key",
            "hooks": [strike],
        }

    def _transport(self, case: Case) -> Any:
        options: dict[str, Any] = {}
        if case.route != "plain":
            options["verify"] = _TRUSTING
        if case.route == "tunnel":
            options["proxy"] = self._proxy.proxy_url
        if case.alarm_after is not None:
            options["max_connections"] = 1  # a slot that is lost is missed
        return self._way.transport(**options)

    def _claimed(self, case: Case, act: Act, dgs: DGSPay, strike: Strike) -> Claim:
        strike.prepare()
        if case.start != "cold":
            # On a machine so busy that it fails, the connection is merely another one.
            with contextlib.suppress(errors.DGSPayError):
                dgs.balances.list()
        strike.begin()
        if case.forks_after is not None:
            claim = self._claimed_beside_a_fork(case, act, dgs, strike)
        else:
            claim = _claimed_of(lambda: act(dgs), strike, case, alarm_after=case.alarm_after)
        if not case.is_looked_after or claim.wrong is not None:
            return claim
        self._mend_the_line()
        for _ in range(_LOOKS):
            with contextlib.suppress(errors.DGSPayError):
                return _looked_after(claim, dgs.balances.list())
        return attrs.evolve(claim, wrong=_OF_NO_USE)

    def _claimed_beside_a_fork(self, case: Case, act: Act, dgs: DGSPay, strike: Strike) -> Claim:
        claims: list[Claim] = []

        def call() -> None:
            claims.append(_claimed_of(lambda: act(dgs), strike, case, alarm_after=None))

        def call_in_child() -> None:
            strike.rest()
            with contextlib.suppress(errors.DGSPayError):
                dgs.balances.list()

        thread = threading.Thread(target=call)
        thread.start()
        time.sleep(case.forks_after or 0.0)
        wrong = what_is_wrong_with(forked(call_in_child))
        thread.join()
        return claims[0] if wrong is None else attrs.evolve(claims[0], wrong=wrong)

    async def _claimed_async(self, case: Case, act: Act, strike: Strike) -> Claim:
        async with AsyncDGSPay(**self._settings(case, strike)) as dgs:
            strike.prepare()
            if case.start != "cold":
                with contextlib.suppress(errors.DGSPayError):
                    await dgs.balances.list()
            strike.begin()
            if case.forks_after is not None:
                claim = await self._claimed_beside_a_fork_async(case, act, dgs, strike)
            else:
                claim = await _claimed_of_async(case, act, dgs, strike)
            if not case.is_looked_after or claim.wrong is not None:
                return claim
            self._mend_the_line()
            for _ in range(_LOOKS):
                with contextlib.suppress(errors.DGSPayError):
                    return _looked_after(claim, await dgs.balances.list())
            return attrs.evolve(claim, wrong=_OF_NO_USE)

    async def _claimed_beside_a_fork_async(
        self, case: Case, act: Act, dgs: AsyncDGSPay, strike: Strike
    ) -> Claim:
        claims: list[Claim] = []

        async def call() -> None:
            claims.append(await _claimed_of_async(case, act, dgs, strike))

        async def read() -> None:
            with contextlib.suppress(errors.DGSPayError):
                await dgs.balances.list()

        def call_in_child() -> None:
            strike.rest()
            anyio.run(read, backend=self._way.mode)

        async with anyio.create_task_group() as group:
            group.start_soon(call)
            await anyio.sleep(case.forks_after or 0.0)
            wrong = await anyio.to_thread.run_sync(what_is_wrong_with, forked(call_in_child))
        return claims[0] if wrong is None else attrs.evolve(claims[0], wrong=wrong)

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
        settings = self._settings(case, Strike(case, self._proxy))
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
        self._mend_the_line()
        self._proxy.drop()

    def _mend_the_line(self) -> None:
        self._proxy.fault = NOTHING
        self._proxy.come_up()

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


def _claimed_of(
    call: Callable[[], Any], strike: Strike, case: Case, *, alarm_after: float | None
) -> Claim:
    is_reset = isinstance(case.fault, NoTunnel) and case.fault.end_with == "reset"
    if alarm_after is None and not is_reset:
        return _claimed_until_alarmed(call, strike, None)
    with warnings.catch_warnings():
        # An alarm that rings between a connection and the one that would close it leaves that to
        # the garbage collector, and so does Python itself where TLS was to begin after a reset.
        warnings.simplefilter("ignore", ResourceWarning)
        claim = _claimed_until_alarmed(call, strike, alarm_after)
        gc.collect()
    return claim


def _claimed_until_alarmed(
    call: Callable[[], Any], strike: Strike, alarm_after: float | None
) -> Claim:
    try:
        with alarm(alarm_after):
            result = call()
        return strike.completed(result)
    except AlarmError:
        return strike.interrupted()
    except Exception as error:  # noqa: BLE001 - which exceptions come out is what is tested
        return strike.failed(error)


async def _claimed_of_async(case: Case, act: Act, dgs: AsyncDGSPay, strike: Strike) -> Claim:
    patience = float("inf") if case.gives_up_after is None else case.gives_up_after
    with anyio.move_on_after(patience):
        try:
            return strike.completed(await act(dgs))
        except Exception as error:  # noqa: BLE001 - as above
            return strike.failed(error)
    return strike.cancelled()


def _looked_after(claim: Claim, balances: Balances) -> Claim:
    """Say whether a call after the run got an answer that was another's."""
    if "forged" in balances.extra:
        return attrs.evolve(claim, wrong="the next call got another answer")
    return claim


def _card_charge(dgs: Any, amount: int, card: EncryptedCard, **options: Any) -> Any:
    return dgs.charges.card(
        amount=amount,
        currency="RWF",
        card=card,
        customer=JANE,
        redirect_url="https://shop.example/thanks",
        **options,
    )
