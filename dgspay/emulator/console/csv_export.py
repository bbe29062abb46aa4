"""Lists of the console as CSV files: all that a search finds, oldest first."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping
from decimal import Decimal
from operator import attrgetter
from typing import Any, Final

from dgspay.csv_safety import safe_cell
from dgspay.emulator.clock import api_text
from dgspay.emulator.console.lists import House, ListQuery, listing
from dgspay.emulator.domain.records import Disbursement
from dgspay.emulator.http import Response
from dgspay.money import to_json_number

Columns = Mapping[str, Callable[[Any], object]]


def csv_file(house: House, name: str, query: ListQuery) -> Response:
    """Return all that a search finds in a list as a file to save.

    Raises:
        LookupError: when there is no such list, or no file of it.
    """
    columns = _COLUMNS.get(name)
    if columns is None:
        raise LookupError(f"no CSV file of {name!r}: there are {', '.join(_COLUMNS)}")
    text = io.StringIO()
    # The byte order mark has a spreadsheet read UTF-8.
    text.write("\ufeff")
    writer = csv.writer(text)
    writer.writerow(columns)
    for row in listing(name).find(house, query).rows:
        writer.writerow(_cell(read(row)) for read in columns.values())
    headers = (
        ("content-type", "text/csv; charset=utf-8"),
        ("content-disposition", f'attachment; filename="{name}.csv"'),
        ("cache-control", "no-store"),
        ("x-content-type-options", "nosniff"),
    )
    return Response(200, text.getvalue().encode(), headers)


def _cell(value: object) -> str:
    if value is None:
        return ""
    return to_json_number(value) if isinstance(value, Decimal) else safe_cell(str(value))


def _created_at(row: Any) -> str:
    return api_text(row.created_at)


def _settled_at(row: Any) -> str | None:
    return None if row.settled_at is None else api_text(row.settled_at)


def _recipient(transfer: Disbursement) -> str:
    return transfer.recipient.get("account_number") or transfer.recipient["msisdn"]


# Named as the API names them.
_TIMES: Final[Columns] = {"created_at": _created_at, "settled_at": _settled_at}
_COLUMNS: Final[Mapping[str, Columns]] = {
    "transactions": {
        "dgs_reference": attrgetter("dgs_reference"),
        "flw_reference": attrgetter("flw_reference"),
        "status": attrgetter("status"),
        "payment_method_type": attrgetter("method"),
        "amount": attrgetter("amount"),
        "merchant_fee": attrgetter("merchant_fee"),
        "net_amount": attrgetter("net_amount"),
        "currency": attrgetter("currency"),
        "customer_first_name": attrgetter("payer.first_name"),
        "customer_last_name": attrgetter("payer.last_name"),
        "customer_email": attrgetter("payer.email"),
        "mobile_money_phone": attrgetter("phone"),
        "card_last4": attrgetter("card_last4"),
        "narration": attrgetter("narration"),
        "payment_link_id": attrgetter("link_id"),
        **_TIMES,
    },
    "payouts": {
        "dgs_reference": attrgetter("dgs_reference"),
        "status": attrgetter("status"),
        "amount": attrgetter("amount"),
        "fee": attrgetter("fee"),
        "recipient_gets": attrgetter("recipient_gets"),
        "currency": attrgetter("currency"),
        "destination_type": attrgetter("destination_type"),
        "recipient": _recipient,
        "recipient_name": lambda transfer: transfer.recipient.get("name"),
        "narration": attrgetter("narration"),
        **_TIMES,
    },
    "conversions": {
        "dgs_reference": attrgetter("dgs_reference"),
        "status": attrgetter("status"),
        "from_amount": attrgetter("from_amount"),
        "from_currency": attrgetter("from_currency"),
        "to_amount": attrgetter("to_amount"),
        "to_currency": attrgetter("to_currency"),
        "rate": attrgetter("rate"),
        **_TIMES,
    },
}
"""Each list that has a file, by its name, with its columns."""
