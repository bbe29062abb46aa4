"""Month on month: whose pay is another one than before, and who is new."""

from __future__ import annotations

from dgspay.payouts.model.changes import EarlierPay, change_words, newcomer_words

SENT = 1_796_000_000.0


def pay(amount: int, earlier: int | None, name: str | None = "Jeanne") -> EarlierPay:
    return EarlierPay("r1", name, amount, earlier, None if earlier is None else "november", SENT)


def test_a_pay_that_grows_or_shrinks_by_half_is_named() -> None:
    (grown,) = change_words([pay(900_000, 100_000)])
    assert grown == (
        "Jeanne (r1) gets 900,000 RWF, and got 100,000 RWF in batch november on "
        "30 November 2026 (+800 %)"
    )
    assert "(-50 %)" in change_words([pay(50, 100, None)])[0]
    assert change_words([pay(149, 100), pay(51, 100), pay(100, 100)]) == ()


def test_the_greatest_changes_come_first_and_the_others_are_counted() -> None:
    words = change_words([pay(150 + number, 100) for number in range(15)])
    assert len(words) == 11
    assert "(+64 %)" in words[0]
    assert words[-1] == "5 more change by 50 % or more"


def test_who_was_never_paid_is_named_unless_nobody_was() -> None:
    new = [EarlierPay(f"r{number}", f"P{number}", 5) for number in range(7)]
    assert newcomer_words(new) == ()
    assert newcomer_words([]) == ()
    (words,) = newcomer_words([pay(100, 100), *new])
    assert words.startswith("7 accounts were never paid from this ledger: P0 (r0), P1 (r1)")
    assert words.endswith("P4 (r4), ...")
    assert "one account was never paid" in newcomer_words([pay(1, 1), new[0]])[0]
