"""What a fresh process loads for its first call; the benchmarks measure what that costs."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.support.raw_server import RawServer, answering, http

# httpcore loads trio where it is installed, and trio half of the standard library.
_CALL = """
import sys
sys.modules["trio"] = None
from dgspay import Customer, DGSPay
with DGSPay(api_key="sk_test_first", account_number="ACC-1", environment="emulator",
            base_url="{url}") as dgs:
    charge = dgs.charges.mobile_money(
        amount=2000, network="MTN", phone="0789654321", redirect_url="https://shop.example/paid",
        customer=Customer(email="jane@example.com", first_name="Jane", last_name="Doe",
                          phone="0789654321"))
assert charge.dgs_reference == "dgs_1"
print(*sys.modules)
"""

# The other driver, other areas of the API, and what only some answers or settings need.
_NOT_NEEDED = {
    "asyncio",
    "concurrent.futures",
    "dgspay.api_keys",
    "dgspay.api.balances",
    "dgspay.api.banks",
    "dgspay.api.conversions",
    "dgspay.api.disbursements",
    "dgspay.api.payment_links",
    "dgspay.api.transactions",
    "dgspay.models.addresses",
    "dgspay.models.next_actions",
    "dgspay.models.recipients",
    "dgspay.models.scenario",
    "dgspay.pagers",
    "dgspay.transports.httpx.asynchronous",
    "dgspay.transports.httpx.user_client",
    "dgspay.transports.loops",
    "email",
    "email.utils",
    "hashlib",
    "html",
    "http.client",
    "secrets",
    "subprocess",
    "urllib.request",
}


@pytest.mark.skipif(sys.platform in ("darwin", "win32"), reason="proxies are settings there")
def test_the_first_call_of_a_blocking_client_loads_no_more_than_it_needs() -> None:
    with RawServer(answering(http({"status": "success", "dgs_reference": "dgs_1"}))) as server:
        ran = subprocess.run(
            [sys.executable, "-c", _CALL.format(url=server.url)],
            capture_output=True,
            text=True,
            check=True,
            timeout=170,
            # Where the coverage of tests is measured, it would be loaded, and much with it.
            env={k: v for k, v in os.environ.items() if not k.startswith("COVERAGE_")},
        )
    assert not _NOT_NEEDED & set(ran.stdout.split())
