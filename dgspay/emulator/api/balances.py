"""`GET /balance`: the merchant wallet (guide, "Merchant Balances")."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dgspay.emulator.api.call import Call


def show(call: Call) -> Mapping[str, Any]:
    """Answer with every currency the wallet has held."""
    return {
        "status": "success",
        "error_code": "00",
        "merchant_id": call.account.merchant_id,
        "balances": [
            {
                "currency": currency,
                "pending_balance": balance.pending,
                "available_balance": balance.available,
                "total_balance": balance.total,
            }
            for currency, balance in call.account.wallet.purses.items()
        ],
    }
