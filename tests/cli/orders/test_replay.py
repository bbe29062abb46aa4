"""`dgspay orders replay`: the handlers are the shop's, and the command says so."""

from __future__ import annotations

from pathlib import Path

from tests.cli.orders.conftest import Shop
from tests.cli.terminal import PATIENCE, CommandLine, process


def test_without_the_shops_handlers_what_is_owed_stays_owed_and_is_said(
    dgspay: CommandLine, shop: Shop
) -> None:
    shop.sell_and_be_paid()
    assert shop.shipped == ["A-1"]
    said = dgspay("orders", "replay", "A-1", "--again")
    assert said.code == 0
    assert "the shop's own process at its next sweep" in said.err
    assert shop.shipped == ["A-1"]
    assert shop.checkout.sweep().handled == 1
    assert shop.shipped == ["A-1", "A-1"]


def test_with_the_shops_own_checkout_handlers_run_here(
    dgspay: CommandLine, shop: Shop, own_shop: Path
) -> None:
    shop.sell_and_be_paid()
    for again, ships in ((), False), (("--again",), True):
        arguments = ("orders", "replay", "A-1", "--app", "own_shop:asynchronous", *again)
        with process(*arguments, environ=dgspay.environ, folder=own_shop) as running:
            out, err = running.communicate(timeout=PATIENCE)
        assert (running.returncode, err) == (0, "")
        assert ("shipped A-1" in out) == ships
