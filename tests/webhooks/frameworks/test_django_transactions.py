"""A Django shop whose requests are transactions: what is marked done has been committed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

SHOP = Path(__file__).parents[2] / "support" / "django_shop.py"


@pytest.mark.acceptance(43, "handled-once")
@pytest.mark.parametrize("kind", ["view", "async_view"])
def test_an_event_is_not_done_before_what_its_handler_wrote_is_committed(
    kind: str, tmp_path: Path
) -> None:
    pytest.importorskip("django")
    command = [sys.executable, str(SHOP), str(tmp_path / "shop.sqlite3"), kind]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=170)
    assert ran.returncode == 0, ran.stderr
    told = json.loads(ran.stdout)
    assert told == {"statuses": [500, 200, 200], "orders": [["dgs_1"]]}
