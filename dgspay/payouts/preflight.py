"""The last check before money leaves: balance, fee, banks, duplicates, and who pays from where."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from decimal import Decimal

import attrs

from dgspay import AsyncDGSPay, Bank
from dgspay.errors import ConfigError
from dgspay.money import AmountInput, parse_amount
from dgspay.payouts.errors import PreflightError
from dgspay.payouts.sheet.banks import proposed_bank
from dgspay.payouts.sheet.summary import SheetSummary
from dgspay.secret import Secret

_KEY_KIND = re.compile(r"sk_(live|test|sandbox)_", re.ASCII)


@attrs.frozen(kw_only=True)
class Preflight:
    """Result of the check before anything is sent.

    Attributes:
        environment: Where it would be paid.
        account_number: The account that would pay.
        key: The kind of API key, with the rest hidden.
        count: Payouts.
        total: Their sum, in RWF.
        available: What the wallet holds, in RWF.
        problems: Why it must not be paid as things stand.
        remarks: What a person should know.
        warnings: What a person should look at before paying, each with its row.
        sheet: What all the rows come to, where they were read.
    """

    environment: str
    account_number: str
    key: str
    count: int
    total: int
    available: Decimal
    problems: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    sheet: SheetSummary | None = attrs.field(default=None, repr=False)

    @property
    def question(self) -> str:
        """Question to a person, with the sum and the count."""
        return f"Pay {self.total:,} RWF to {self.count:,} recipients from {self.environment}?"

    def require_good(self) -> None:
        """Refuse to go on with problems.

        Raises:
            PreflightError: with all of them.
        """
        if self.problems:
            raise PreflightError(self.problems)


async def preflight(
    client: AsyncDGSPay,
    sheet: SheetSummary,
    *,
    fee: AmountInput | None = None,
) -> Preflight:
    """Ask DGS-Pay what it takes to judge a batch. It only reads.

    Args:
        client: Whose wallet pays.
        sheet: What the rows come to.
        fee: The fee of one disbursement in RWF, where you know it; amounts must be above it
            (guide, "Disburse Funds").

    Raises:
        ConfigError: the fee is no amount.
        DGSPayError: a look-up failed.
    """
    least = None if fee is None else parse_fee(fee)
    available = await client.balances.available("RWF")
    banks = await client.banks.list("RW") if sheet.banks else []
    problems = [
        *balance_problems(sheet.total, available),
        *_fee_problems(sheet, least),
        *_bank_problems(sheet, banks),
        *map(str, sheet.duplicates),
    ]
    remarks = sheet.notes
    if fee is None:
        remarks.append("no fee was named, so amounts were not held against it")
    settings = client.settings
    return Preflight(
        environment=settings.environment,
        account_number=settings.account_number,
        key=_key_kind(settings.api_key),
        count=sheet.count,
        total=sheet.total,
        available=available,
        problems=tuple(problems),
        remarks=tuple(remarks),
        sheet=sheet,
    )


def balance_problems(total: int, available: Decimal) -> list[str]:
    """Compare a sum with the wallet."""
    if total <= available:
        return []
    return [f"the batch needs {total:,} RWF and the wallet holds {available:,f} RWF"]


def parse_fee(fee: AmountInput) -> Decimal:
    """Return the fee of one disbursement, which may be 0.

    Raises:
        TypeError: for a float, a bool, or anything else that is no amount.
        ConfigError: it is no plain number.
    """
    try:
        # Of 0.0 and False, which are equal to 0, the type is refused.
        is_nothing = isinstance(fee, str | int | Decimal) and str(fee) == "0"
        return Decimal(0) if is_nothing else parse_amount(fee, field="fee")
    except ValueError as error:
        reason = str(error)
    raise ConfigError(reason)


def _fee_problems(sheet: SheetSummary, fee: Decimal | None) -> list[str]:
    if fee is None or sheet.smallest is None or sheet.smallest > fee:
        return []
    return [
        f"line {sheet.smallest_line}: {sheet.smallest:,} RWF is not above the fee of {fee:,f} RWF"
    ]


def _bank_problems(sheet: SheetSummary, banks: list[Bank]) -> list[str]:
    listed = {bank.bank_key: bank for bank in banks}
    problems = []
    for key, use in sheet.banks.items():
        bank = listed.get(key)
        if bank is None:
            names = {bank.bank_key: bank.name or bank.bank_key for bank in banks}
            problems.append(
                f"{use.count} rows pay to {key!r}, which DGS-Pay does not list; the first is line "
                f"{use.first_line}{_proposal_words(key, names)}"
            )
        elif bank.branch_required and use.without_branch:
            problems.append(
                f"{key!r} needs a branch, and {use.without_branch} rows name none; the first is "
                f"line {use.first_line_without_branch}"
            )
    return problems


def _proposal_words(named: str, banks: Mapping[str, str]) -> str:
    key = proposed_bank(named, banks)
    if key is None:
        return ""
    option = shlex.quote(f"{named}={key}")
    return f". It may be {banks[key]}: if it is, give --bank {option}"


def _key_kind(key: object) -> str:
    if not isinstance(key, Secret):
        return "from a callable"
    kind = _KEY_KIND.match(key.reveal())
    return f"{kind.group()}***" if kind else "***"
