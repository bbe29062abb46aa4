"""`dgspay orders list`: the newest orders, in three forms."""

from __future__ import annotations

import csv
import io
import json

from tests.cli.orders.conftest import JANE, Shop
from tests.cli.terminal import CommandLine


def test_the_newest_orders_come_first_with_state_amount_and_reference(
    dgspay: CommandLine, shop: Shop
) -> None:
    reference = shop.sell_and_be_paid("A-1")
    shop.checkout.open("A-2", amount=500, customer=JANE)
    said = dgspay("orders", "list")
    assert (said.code, said.err) == (0, "")
    newest, oldest = said.out.splitlines()[1:]
    assert newest.split()[2:6] == ["A-2", "open", "500", "RWF"]
    assert oldest.split()[2:8] == ["A-1", "paid", "2,000", "RWF", "mobile_money", reference]


def test_json_and_csv_hold_the_same_exact_amounts(dgspay: CommandLine, shop: Shop) -> None:
    reference = shop.sell_and_be_paid("A-1")
    (row,) = json.loads(dgspay("orders", "list", "--json").out)
    assert (row["order"], row["amount"], row["collected"]) == ("A-1", 2000, 2000)
    assert row["dgs_reference"] == reference
    assert row["paid_at"].endswith("+00:00")
    (line,) = csv.DictReader(io.StringIO(dgspay("orders", "list", "--csv").out))
    assert (line["order"], line["amount"], line["state"]) == ("A-1", "2000", "paid")
    assert dgspay("orders", "list", "--csv", "--json").code == 2


def test_a_state_and_a_limit_choose(dgspay: CommandLine, shop: Shop) -> None:
    shop.sell_and_be_paid("A-1")
    for number in range(2, 6):
        shop.checkout.open(f"A-{number}", amount=500, customer=JANE)
    paid = json.loads(dgspay("orders", "list", "--json", "--state", "paid").out)
    assert [row["order"] for row in paid] == ["A-1"]
    newest = json.loads(dgspay("orders", "list", "--json", "--limit", "2").out)
    assert [row["order"] for row in newest] == ["A-5", "A-4"]
    assert dgspay("orders", "list", "--state", "lost").code == 2


def test_where_there_are_none_it_names_the_account_it_looked_for(
    dgspay: CommandLine, shop: Shop
) -> None:
    shop.sell()
    said = dgspay.having(DGSPAY_ACCOUNT_NUMBER="ANOTHER")("orders", "list")
    assert (said.code, said.out) == (0, "No such orders of account ANOTHER in emulator.\n")


def test_an_id_can_steer_no_terminal_and_no_spreadsheet(dgspay: CommandLine, shop: Shop) -> None:
    shop.checkout.open("=cmd()", amount=500, customer=JANE, description="\x9b31mred")
    assert "\x9b" not in dgspay("orders", "show", "=cmd()").out
    (line,) = csv.DictReader(io.StringIO(dgspay("orders", "list", "--csv").out))
    assert (line["order"], line["description"]) == ("'=cmd()", "\\x9b31mred")
