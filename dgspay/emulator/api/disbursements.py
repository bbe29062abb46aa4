"""`POST /disburse`: money out of the wallet (guide, "Disburse Funds")."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from dgspay.emulator.api import schema
from dgspay.emulator.api.banks import BANKS, COUNTRY
from dgspay.emulator.api.call import Call
from dgspay.emulator.api.fields import Fields, Form
from dgspay.emulator.api.mobile_money_charges import LOCAL_PHONE
from dgspay.emulator.domain.records import Disbursement
from dgspay.emulator.http import invalid
from dgspay.models.phones import NETWORKS
from dgspay.secret import masked_data

# The schedule is not published; the guide's examples have a fee of 100 on 10,000.
FEE: Final = Decimal(100)
CURRENCY: Final = "RWF"

_FAIL_REASONS: Final[Mapping[str, str | None]] = {
    "successful": None,
    "insufficient_balance": "Insufficient balance",
    "invalid_currency": "Invalid currency",
}

AMOUNT: Final = schema.amount("amount", 10000)
DESTINATION_TYPE: Final = schema.choice("destination_type", ("bank", "mobile_money"))
BANK_KEY: Final = schema.text("bank_key", example="kcb_rw")
ACCOUNT_NUMBER: Final = schema.matching("account_number", r"[A-Za-z0-9-]{4,34}", "1234567890")
BRANCH: Final = schema.text("branch", example="Kigali Main")
OPTIONAL_BRANCH: Final = schema.optional(BRANCH)
MSISDN: Final = schema.matching(
    "msisdn", rf"(0|\+?250){LOCAL_PHONE}", "+250788123456", "0788123456 or +250788123456"
)
NETWORK: Final = schema.choice("network", NETWORKS, "MTN")
COUNTRY_FIELD: Final = schema.choice("country", (COUNTRY,), COUNTRY)
NAME: Final = schema.optional(schema.text("name", example="Jane Doe"))
BANK_RECIPIENT: Final = schema.inner("recipient", BANK_KEY, ACCOUNT_NUMBER, OPTIONAL_BRANCH, NAME)
MOBILE_MONEY_RECIPIENT: Final = schema.inner("recipient", MSISDN, NETWORK, COUNTRY_FIELD, NAME)
NARRATION: Final = schema.optional(schema.text("narration", example="Vendor payment April 2026"))
CALLBACK_URL: Final = schema.optional(schema.url("callback_url"))
SCENARIO: Final = schema.scenario("transfer")
FORMS: Final = tuple(
    Form(
        word,
        (AMOUNT, schema.only(DESTINATION_TYPE, word), recipient, NARRATION, CALLBACK_URL, SCENARIO),
    )
    for word, recipient in (("bank", BANK_RECIPIENT), ("mobile_money", MOBILE_MONEY_RECIPIENT))
)


def create(call: Call) -> Mapping[str, Any]:
    """Debit the wallet and queue a transfer."""
    account = call.account
    transfer = _read(call)
    account.wallet.debit(CURRENCY, transfer.amount)
    account.add_disbursement(transfer)
    if account.options.settle_transfers or SCENARIO in call.fields:
        account.settle_later(transfer.dgs_reference)
    destination = transfer.recipient.get("account_number") or transfer.recipient["msisdn"]
    call.record(transfer.dgs_reference, transfer.amount, CURRENCY, destination)
    return {
        "status": "success",
        "message": "Disbursement queued for processing",
        "dgs_reference": transfer.dgs_reference,
        "transaction_status": transfer.status,
        "amount": transfer.amount,
        "fee": transfer.fee,
        "recipient_gets": transfer.recipient_gets,
        "currency": transfer.currency,
        "destination_type": transfer.destination_type,
    }


def _read(call: Call) -> Disbursement:
    fields = call.fields
    account = call.account
    amount = fields[AMOUNT]
    if amount <= FEE:
        raise invalid(f"amount must be greater than the fee of {FEE} {CURRENCY}")
    destination_type = fields[DESTINATION_TYPE]
    if destination_type == "bank":
        details = _bank(fields[BANK_RECIPIENT])
    else:
        details = _handset(fields[MOBILE_MONEY_RECIPIENT])
    narration = fields[NARRATION]
    callback_url = fields[CALLBACK_URL]
    scenario = fields[SCENARIO]
    return Disbursement(
        id=account.identifiers.uuid(),
        dgs_reference=f"DGS{account.new_number('DGS')}",
        flw_transfer_id=int(account.identifiers.number(6)),
        amount=amount,
        fee=FEE,
        currency=CURRENCY,
        destination_type=destination_type,
        recipient=details,
        created_at=account.clock.time(),
        narration=None if narration is None else masked_data(narration),
        callback_url=callback_url,
        verdict=_FAIL_REASONS[scenario.scenario or "successful"] if scenario else None,
    )


def _bank(recipient: Fields) -> Mapping[str, str]:
    bank_key = recipient[BANK_KEY]
    bank = BANKS.get(bank_key)
    if bank is None:
        raise invalid("recipient.bank_key is not a bank of GET /banks/RW")
    details = {"account_number": recipient[ACCOUNT_NUMBER], "bank_key": bank_key}
    branch = recipient[BRANCH if bank.branch_required else OPTIONAL_BRANCH]
    return _with_optional(details, name=recipient[NAME], branch=branch)


def _handset(recipient: Fields) -> Mapping[str, str]:
    """Either form of the number is fine: local with 0, or international (guide)."""
    details = {field.name: recipient[field] for field in (MSISDN, NETWORK, COUNTRY_FIELD)}
    return _with_optional(details, name=recipient[NAME])


def _with_optional(details: dict[str, str], **optional: str | None) -> Mapping[str, str]:
    return details | {name: text for name, text in optional.items() if text is not None}
