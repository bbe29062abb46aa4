"""The Django shop of the examples: bought from, looked at in the admin, swept by its command."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from dgspay.emulator import Emulator, Served
from tests.support.django_checkout_shop import SHOP

SCRIPT = Path(__file__).parent.parent.parent / "support" / "django_checkout_shop.py"
pytest.importorskip("django")


def environment(emulator: Emulator, served: Served) -> dict[str, str]:
    return {
        **os.environ,
        "DGSPAY_API_KEY": emulator.api_key,
        "DGSPAY_ACCOUNT_NUMBER": emulator.account_number,
        "DGSPAY_ENVIRONMENT": "emulator",
        "DGSPAY_BASE_URL": served.url,
        "DGSPAY_WEBHOOK_SECRET": emulator.webhook_secret,
        "DGSPAY_ENCRYPTION_KEY": emulator.encryption_key,
    }


@contextmanager
def running(variables: dict[str, str], database: Path) -> Iterator[httpx.Client]:
    process = subprocess.Popen(
        [sys.executable, SCRIPT, database],
        env=variables,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
            yield client
    finally:
        process.communicate()


def page(shop: httpx.Client, order_id: str, what: str, posted: object = None) -> Any:
    held = shop.get(f"/buy/{order_id}").json()
    headers = {"DGSPay-Order": held["order"], "DGSPay-Page-Token": held["token"]}
    method = "GET" if posted is None else "POST"
    answer = shop.request(method, f"/dgspay/{what}", headers=headers, json=posted)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_the_django_shop_takes_a_payment_and_shows_it_in_its_admin(tmp_path: Path) -> None:
    with Emulator(settle_after=None) as emulator, emulator.serve() as served:
        variables = environment(emulator, served)
        database = tmp_path / "shop.sqlite3"
        with running(variables, database) as shop:
            wallet = {"phone": "0788123456", "network": "MTN"}
            paying = page(shop, "A-1", "order/mobile-money", wallet)
            emulator.approve(paying["attempt"]["reference"])
            emulator.wait_for_deliveries()
            assert page(shop, "A-1", "order")["order"]["state"] == "paid"
            # The second one's webhook does not come: the sweep finds it.
            emulator.webhooks.drop()
            paying = page(shop, "A-2", "order/mobile-money", wallet)
            emulator.approve(paying["attempt"]["reference"])
            look_at_admin(shop)
        command = [sys.executable, "manage.py", "dgspay_sweep", "--all"]
        variables["SHOP_DATABASE"] = str(database)
        swept = subprocess.run(
            command, cwd=SHOP, env=variables, capture_output=True, text=True, check=True
        )
        assert "looked up 1, settled 1, expired 0, handlers 0 done" in swept.stdout, swept
        with closing(sqlite3.connect(database)) as connection:
            parcels = connection.execute('SELECT "order" FROM shop_parcel ORDER BY id').fetchall()
        assert parcels == [("A-1",), ("A-2",)]


def look_at_admin(shop: httpx.Client) -> None:
    login = shop.get("/admin/login/")
    form = {
        "csrfmiddlewaretoken": shop.cookies["csrftoken"],
        "username": "ann",
        "password": "pass of ann",
        "next": "/admin/",
    }
    assert login.status_code == 200
    assert shop.post("/admin/login/", data=form).status_code == 302
    orders = shop.get("/admin/dgspay_checkout/order/")
    assert orders.status_code == 200
    assert "A-1" in orders.text
    order = shop.get("/admin/dgspay_checkout/order/1/change/")
    assert order.status_code == 200
    assert "mobile_money" in order.text
    assert "Delete" not in order.text
    assert shop.get("/admin/dgspay_checkout/problem/").status_code == 200
    again = {
        "csrfmiddlewaretoken": shop.cookies["csrftoken"],
        "action": "replay",
        "_selected_action": "1",
    }
    replayed = shop.post("/admin/dgspay_checkout/order/", data=again, follow_redirects=True)
    assert "A-1 was replayed: nothing is owed" in replayed.text
