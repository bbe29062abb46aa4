"""The file of further movements: right, or a fault with its line."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from dgspay import errors
from dgspay.books.from_file import movements_in
from dgspay.books.period import day_of

HEADING = "date,kind,reference,amount,currency,to_amount,to_currency,fee,text\n"


def test_each_kind_moves_the_wallet_its_way(tmp_path: Path) -> None:
    path = tmp_path / "also.csv"
    path.write_text(
        "\ufeff" + HEADING + "2026-11-01,deposit,d1,500000,RWF,,,,from our bank\n"
        "2026-11-30,withdrawal,w1,200000,RWF,,,,\n"
        "2026-11-15,payout,p1,4000,rwf,,,100,the plumber\n"
        "2026-11-15,refund,r1,1000,RWF,,,,\n"
        "2026-11-16,conversion,c1,100.50,USD,145725,RWF,,\n",
        encoding="utf-8",
    )
    found = movements_in(path, set())
    assert [(each.reference, each.currency, each.wallet) for each in found.movements] == [
        ("d1", "RWF", Decimal(500_000)),
        ("w1", "RWF", Decimal(-200_000)),
        ("p1", "RWF", Decimal(-4_000)),
        ("r1", "RWF", Decimal(-1_000)),
        ("c1", "USD", Decimal("-100.50")),
        ("c1", "RWF", Decimal(145_725)),
    ]
    assert [each.fee for each in found.movements[:3]] == [0, 0, 100]
    assert [str(day_of(each.at)) for each in found.movements[:2]] == ["2026-11-01", "2026-11-30"]


def test_semicolons_and_only_the_needed_columns_will_do(tmp_path: Path) -> None:
    path = tmp_path / "also.csv"
    path.write_text("reference;date;amount;currency;kind\nd1;2026-11-01;5;RWF;deposit\n")
    (movement,) = movements_in(path, set()).movements
    assert movement.wallet == 5


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("2026-11-31,deposit,d1,5,RWF,,,,", "line 2: "),
        ("2026-11-01,gift,d1,5,RWF,,,,", "kind must be one of payout, refund, conversion"),
        ("2026-11-01,deposit,d1,-5,RWF,,,,", "amount must be a plain number"),
        ("2026-11-01,deposit,d1,5,francs,,,,", "ISO 4217"),
        ("2026-11-01,deposit,,5,RWF,,,,", "line 2: .*no reference"),
        ("2026-11-01,deposit,d1,5,RWF,,,,,,", "line 2: .*more fields"),
        ("2026-11-01,conversion,d1,5,USD,,,,", "to_amount must be a plain number"),
        ("2026-11-01,deposit", "line 2: "),
        ("2026-11-01,deposit,known,5,RWF,,,,", "known is in the books already"),
        ("2026-11-01,deposit,d1,5,RWF,,,,\n2026-11-02,deposit,d1,6,RWF,,,,", "line 3: d1 is in"),
    ],
)
def test_a_line_that_cannot_be_right_is_a_fault_with_its_number(
    tmp_path: Path, line: str, fault: str
) -> None:
    path = tmp_path / "also.csv"
    path.write_text(HEADING + line + "\n")
    with pytest.raises(errors.ConfigError, match=fault):
        movements_in(path, {"known"})


@pytest.mark.parametrize("content", [b"", b"date,kind\n", b"\xff\xfe", b"a;b\n"])
def test_what_is_no_such_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "also.csv"
    path.write_bytes(content)
    with pytest.raises(errors.ConfigError, match=r"must name date, kind|cannot be read"):
        movements_in(path, set())
    with pytest.raises(errors.ConfigError, match="cannot be read"):
        movements_in(tmp_path / "none.csv", set())
