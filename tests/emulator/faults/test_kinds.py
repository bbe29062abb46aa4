"""What a file or a program says of a fault is read as it is meant, or refused before it strikes."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from dgspay.emulator import Emulator


def test_numbers_in_a_file_are_as_good_as_text(
    client: httpx.Client, emulator: Emulator, tmp_path: Path
) -> None:
    """`retry_after = 5` is how one writes it in TOML, and it broke the connection instead."""
    plan = tmp_path / "faults.toml"
    plan.write_text(
        '[[faults]]\nroute = "GET /balance"\nfault = "too_many"\nretry_after = 5\n'
        '[[faults]]\nroute = "GET /balance"\nfault = "fail_next"\nerror_code = 91\n'
    )
    emulator.load_faults(plan)
    with emulator.serve() as served:
        answers = [
            httpx.get(f"{served.url}/balance", headers=client.headers, timeout=60) for _ in range(2)
        ]
    assert answers[0].status_code == 429
    assert answers[0].headers["retry-after"] == "5"
    assert answers[1].json()["error_code"] == "91"


@pytest.mark.parametrize(
    ("fault", "name", "value"),
    [
        ("too_many", "retry_after", "1\r\nX-Injected: yes"),
        ("too_many", "retry_after", {"seconds": 1}),
        ("too_many", "retry_after", True),
        ("redirect", "location", "http://127.0.0.1/\N{CJK UNIFIED IDEOGRAPH-4E2D}"),
        ("redirect", "location", None),
        ("fail_next", "error_code", ["99"]),
        ("fail_next", "error_code", "\N{FULLWIDTH DIGIT NINE}"),
        ("bad_gateway", "after_work", "no"),
    ],
)
def test_a_setting_that_could_not_be_sent_is_refused(
    emulator: Emulator, fault: str, name: str, value: object
) -> None:
    with pytest.raises(ValueError, match=name):
        emulator.faults.plan({"route": "POST /charges", "fault": fault, name: value})
    assert not emulator.faults.standing
