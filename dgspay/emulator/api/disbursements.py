"""`POST /disburse`: money out of the wallet (guide, "Disburse Funds")."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from dgspay.emulator.api.banks import BANKS, COUNTRY
from dgspay.emulator.api.call import Call
from dgspay.emulator.api.fields import Fields
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


def create(call: Call) -> Mapping[str, Any]:
    """Debit the wallet and queue a transfer."""
    account = call.account
    transfer = _read(call)
    account.wallet.debit(CURRENCY, transfer.amount)
    account.add_disbursement(transfer)
    if account.options.settle_transfers or "scenario_key" in call.fields:
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
    amount = fields.amount("amount")
    if amount <= FEE:
        raise invalid(f"amount must be greater than the fee of {FEE} {CURRENCY}")
    destination_type = fields.choice("destination_type", ("bank", "mobile_money"))
    recipient = fields.inner("recipient")
    details = _bank(recipient) if destination_type == "bank" else _handset(recipient)
    narration = fields.optional_text("narration")
    callback_url = fields.optional_url("callback_url")
    scenario = fields.scenario("transfer")
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
    bank_key = recipient.text("bank_key")
    bank = BANKS.get(bank_key)
    if bank is None:
        raise invalid("recipient.bank_key is not a bank of GET /banks/RW")
    details = {
        "account_number": recipient.digits("account_number", r"[A-Za-z0-9-]{4,34}", "1234567890"),
        "bank_key": bank_key,
    }
    branch = recipient.text("branch") if bank.branch_required else recipient.optional_text("branch")
    return _with_optional(details, name=recipient.optional_text("name"), branch=branch)


def _handset(recipient: Fields) -> Mapping[str, str]:
    """Either form of the number is fine: local with 0, or international (guide)."""
    msisdn = recipient.digits("msisdn", rf"(0|\+?250){LOCAL_PHONE}", "0788123456 or +250788123456")
    details = {
        "msisdn": msisdn,
        "network": recipient.choice("network", NETWORKS),
        "country": recipient.choice("country", (COUNTRY,)),
    }
    return _with_optional(details, name=recipient.optional_text("name"))


def _with_optional(details: dict[str, str], **optional: str | None) -> Mapping[str, str]:
    return details | {name: text for name, text in optional.items() if text is not None}
