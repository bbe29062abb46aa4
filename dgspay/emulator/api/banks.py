"""`GET /banks/{country}`: banks and mobile-money providers (guide, "List Banks & Providers")."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import attrs

from dgspay.emulator.api.call import Call
from dgspay.emulator.http import not_found

COUNTRY: Final = "RW"


@attrs.frozen
class Provider:
    """A bank, or a mobile-money provider when it has a network instead of a code."""

    bank_key: str
    name: str
    code: str | None = None
    network: str | None = None
    branch_required: bool = False


# The keys `bk_rw`, `mtn_rw` and `kcb_rw` are the guide's; the rest is made up in their form.
PROVIDERS: Final = (
    Provider("bk_rw", "Banque de Kigali", code="40"),
    Provider("kcb_rw", "KCB Bank Rwanda", code="42"),
    Provider("equity_rw", "Equity Bank Rwanda", code="43"),
    Provider("im_rw", "I&M Bank Rwanda", code="44"),
    Provider("bpr_rw", "BPR Bank Rwanda", code="45", branch_required=True),
    Provider("mtn_rw", "MTN Mobile Money", network="MTN"),
    Provider("airtel_rw", "Airtel Money", network="Airtel"),
)
BANKS: Final[Mapping[str, Provider]] = {
    provider.bank_key: provider for provider in PROVIDERS if provider.code is not None
}


def index(call: Call) -> Mapping[str, Any]:
    """List the providers of Rwanda, the one country DGS-Pay serves."""
    if call.values["country"] != COUNTRY:
        raise not_found("country")
    return {
        "status": "success",
        "country": COUNTRY,
        "data": [_row(provider) for provider in PROVIDERS],
    }


def _row(provider: Provider) -> dict[str, Any]:
    kind = (
        {"type": "bank", "code": provider.code}
        if provider.network is None
        else {"type": "mobile_money", "network": provider.network}
    )
    return {
        "bank_key": provider.bank_key,
        "name": provider.name,
        **kind,
        "currency": "RWF",
        "branch_required": int(provider.branch_required),
    }
