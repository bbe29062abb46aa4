"""The journal: whatever moved, each entry balances, and the wallet's account is the wallet."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dgspay import errors
from dgspay.books import Accounts, Entry, Kind, Line, Movement, Period, journal_of
from dgspay.books.movement import conversion
from dgspay.books.statement import reconcile
from dgspay.money import exact_sum

NOVEMBER = Period.parse("2026-11")
AMOUNTS = st.decimals("0.000001", "999999999999", places=6)
FEES = st.none() | st.decimals("0", "999999", places=6)
SIGN = {Kind.CHARGE: 1, Kind.DEPOSIT: 1, Kind.PAYOUT_RETURNED: 1}
MOMENTS = st.floats(NOVEMBER.begin - 1e6, NOVEMBER.end + 1e6)
SINGLE = st.builds(
    lambda at, kind, amount, fee, currency, number: Movement(
        at=at,
        kind=kind,
        reference=f"r{number}",
        currency=currency,
        wallet=amount if kind in SIGN else amount.copy_negate(),
        fee=fee,
    ),
    MOMENTS,
    st.sampled_from([kind for kind in Kind if kind is not Kind.CONVERSION]),
    AMOUNTS,
    FEES,
    st.sampled_from(["RWF", "USD", "EUR"]),
    st.integers(0, 9),
).map(lambda movement: [movement])
CONVERTED = st.builds(
    lambda at, out, into, number: [
        *conversion(at=at, reference=f"c{number}", out=(out, "USD"), into=(into, "RWF"))
    ],
    MOMENTS,
    AMOUNTS,
    AMOUNTS,
    st.integers(0, 10**9),
)
MOVEMENTS = st.lists(SINGLE | CONVERTED, max_size=30).map(
    lambda groups: [movement for group in groups for movement in group]
)
ACCOUNTS = st.builds(
    Accounts, payout_fees=st.none() | st.just("fees"), charge_fees=st.sampled_from(["fees", "f"])
)


@given(MOVEMENTS, ACCOUNTS)
def test_every_entry_balances_in_every_currency_and_the_wallet_moves_by_them(
    movements: list[Movement], accounts: Accounts
) -> None:
    entries = [*journal_of(movements, accounts)]
    assert [entry.number for entry in entries] == [*range(1, len(entries) + 1)]
    for currency in ("RWF", "USD", "EUR"):
        lines = [line for e in entries for line in e.lines if line.currency == currency]
        assert exact_sum(line.debit for line in lines) == exact_sum(line.credit for line in lines)
        for entry in entries:
            ours = [line for line in entry.lines if line.currency == currency]
            assert exact_sum(line.debit for line in ours) == exact_sum(x.credit for x in ours)
        wallet = [line for line in lines if line.account == accounts.wallet]
        moved = exact_sum(line.debit - line.credit for line in wallet)
        assert moved == exact_sum(m.wallet for m in movements if m.currency == currency)
    assert all(line.debit >= 0 and line.credit >= 0 for e in entries for line in e.lines)


@given(MOVEMENTS, st.none() | AMOUNTS)
def test_opening_and_movements_come_to_the_closing_balance_to_the_last_digit(
    movements: list[Movement], opening: Decimal | None
) -> None:
    given_opening = {} if opening is None else {"RWF": opening}
    for each in reconcile(movements, NOVEMBER, given_opening, {}):
        ours = [movement for movement in movements if movement.currency == each.currency]
        first = given_opening.get(each.currency)
        counted = [m for m in ours if first is None or m.at >= NOVEMBER.begin]
        total = exact_sum((first or Decimal(0), *(m.wallet for m in counted)))
        assert each.expected == total
        assert each.closing + each.after == total


def test_an_entry_that_does_not_balance_cannot_be_made() -> None:
    line = Line(account="a", currency="RWF", debit=Decimal(1))
    (entry,) = journal_of([movement_of(Kind.CHARGE, 100, 3)], Accounts())
    for lines in (
        [line],
        [line, attrs.evolve(line, currency="USD", debit=Decimal(0), credit=Decimal(1))],
    ):
        with pytest.raises(ValueError, match="does not balance in"):
            attrs.evolve(entry, lines=lines)
    assert isinstance(entry, Entry)


def movement_of(kind: Kind, wallet: int, fee: int | None, group: str = "") -> Movement:
    return Movement(
        at=NOVEMBER.begin,
        kind=kind,
        reference="r",
        currency="RWF",
        wallet=Decimal(wallet),
        fee=None if fee is None else Decimal(fee),
        group=group,
    )


def lines_of(movement: Movement, accounts: Accounts) -> list[tuple[str, int]]:
    """Accounts with what they are debited; a credit is below 0."""
    (entry,) = journal_of([movement], accounts)
    return [(line.account, int(line.debit - line.credit)) for line in entry.lines]


def test_each_kind_goes_to_its_accounts(tmp_path: Path) -> None:
    path = tmp_path / "accounts.toml"
    path.write_text(
        'wallet = "1010"\ncharges = "4000"\ncharge_fees = "6270"\npayout_fees = "6271"\n'
        'refunds = "4090"\nrefund_fees = "6272"\n[wallets]\nUSD = "1011"\n'
        '[batches]\n"salaries-*" = "6400"\n"*" = "6000"\n'
    )
    accounts = Accounts.read(path)
    assert lines_of(movement_of(Kind.CHARGE, 4850, 150), accounts) == [
        ("1010", 4850),
        ("6270", 150),
        ("4000", -5000),
    ]
    assert lines_of(movement_of(Kind.CHARGE, 5000, None), accounts) == [
        ("1010", 5000),
        ("4000", -5000),
    ]
    paid = movement_of(Kind.PAYOUT, -10_000, 100, "salaries-11")
    assert lines_of(paid, accounts) == [("1010", -10_000), ("6271", 100), ("6400", 9_900)]
    # Where the recipient bears the fee, all of it is what the recipient was paid.
    theirs = attrs.evolve(accounts, payout_fees=None)
    assert lines_of(paid, theirs) == [("1010", -10_000), ("6400", 10_000)]
    back = movement_of(Kind.PAYOUT_RETURNED, 10_000, 0, "suppliers")
    assert lines_of(back, accounts) == [("1010", 10_000), ("6000", -10_000)]
    assert lines_of(movement_of(Kind.REFUND, -2_100, 100), accounts) == [
        ("1010", -2_100),
        ("6272", 100),
        ("4090", 2_000),
    ]
    assert accounts.of_wallet("USD") == "1011"
    assert accounts.of_batch("anything") == "6000"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("wallet = 1010", "wallet is no account"),
        ('walet = "1010"', "walet is no account; it may name wallet, charges"),
        ('wallets = "1010"', "wallets is no account"),
        ('[wallets]\nfrancs = "1"', "wallets: .*ISO 4217"),
        ('[batches]\n"*" = ""', "batches is no account"),
        ("wallet", "cannot be read"),
    ],
)
def test_accounts_that_cannot_be_right_are_refused(tmp_path: Path, text: str, fault: str) -> None:
    path = tmp_path / "accounts.toml"
    path.write_text(text)
    with pytest.raises(errors.ConfigError, match=fault):
        Accounts.read(path)
    with pytest.raises(errors.ConfigError, match="cannot be read"):
        Accounts.read(tmp_path / "none.toml")
