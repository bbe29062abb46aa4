"""A fork in the midst of what another thread does: the child works, and never hangs."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from dgspay.forks import new_lock, new_rlock, renew_in_child, undivided
from dgspay.payouts import SqliteLedger
from dgspay.payouts.errors import LedgerError
from tests.support.certificate_authority import AUTHORITY
from tests.support.raw_server import RawServer, answering, http
from tests.system.network_faults.fork_storm import KINDS

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks here")

GOOD = http({"status": "success", "dgs_reference": "dgs_1", "balances": []})
ROOT = Path(__file__).parents[3]
CHILDREN = 1_000 if os.environ.get("DGSPAY_TEST_FULL") == "1" else 12


@pytest.fixture
def held_elsewhere() -> Iterator[threading.Event]:
    """Set, once a thread of its own holds what a test gives it."""
    yield (over := threading.Event())
    over.set()


def in_child(work: object) -> int:
    """Fork, and return the exit code of a child that does something."""
    child = os.fork()
    if child == 0:
        try:
            work()  # type: ignore[operator]
        except BaseException:  # noqa: BLE001 - pytest must not go on in the child
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def hold(lock: object, over: threading.Event) -> threading.Thread:
    """Hold a lock in a thread until something is over."""
    held = threading.Event()

    def run() -> None:
        with lock:  # type: ignore[attr-defined]
            held.set()
            over.wait(60)

    thread = threading.Thread(target=run)
    thread.start()
    held.wait(60)
    return thread


@pytest.mark.acceptance(70, "fork-at-any-moment")
@pytest.mark.parametrize("make", [new_lock, new_rlock])
def test_lock_that_another_thread_holds_is_free_in_a_child(
    make: object, held_elsewhere: threading.Event
) -> None:
    lock = make()  # type: ignore[operator]
    thread = hold(lock, held_elsewhere)

    def acquire() -> None:
        assert lock.acquire(timeout=5)
        lock.release()

    assert in_child(acquire) == 0
    assert not lock.acquire(blocking=False)  # the parent's is what it was
    held_elsewhere.set()
    thread.join(60)


@pytest.mark.acceptance(70, "fork-at-any-moment")
def test_fork_waits_for_what_is_undivided() -> None:
    done: list[int] = []
    over = threading.Event()
    thread = hold(undivided, over)

    def finish() -> None:
        done.append(1)
        over.set()

    threading.Timer(0.1, finish).start()

    def see() -> None:
        assert done
        assert undivided.acquire(timeout=5)

    assert in_child(see) == 0
    thread.join(60)
    assert undivided.acquire(timeout=5)
    undivided.release()


@pytest.mark.acceptance(70, "fork-at-any-moment")
def test_fork_does_not_wait_for_ever(
    monkeypatch: pytest.MonkeyPatch, held_elsewhere: threading.Event
) -> None:
    monkeypatch.setattr("dgspay.forks._PATIENCE", 0.05)
    thread = hold(undivided, held_elsewhere)

    def acquire() -> None:
        assert undivided.acquire(timeout=5)

    assert in_child(acquire) == 0
    held_elsewhere.set()
    thread.join(60)
    assert undivided.acquire(timeout=5)
    undivided.release()


def test_who_forks_within_what_is_undivided_goes_on_with_it() -> None:
    with undivided:
        assert in_child(lambda: None) == 0
    assert in_child(lambda: None) == 0


class Told:
    told = False

    def renew_in_child(self) -> None:
        self.told = True


def test_child_gets_an_error_and_its_parent_does_not() -> None:
    told = Told()
    renew_in_child(told)

    def see() -> None:
        assert told.told

    assert in_child(see) == 0
    assert not told.told


@pytest.mark.acceptance(70, "fork-at-any-moment")
def test_ledger_refuses_in_a_child_whatever_its_thread_was_doing(tmp_path: Path) -> None:
    ledger = SqliteLedger(tmp_path / "ledger.sqlite3")
    writer = ledger._writer
    over = threading.Event()
    thread = hold(writer._inbox, over)

    def use() -> None:
        with pytest.raises(LedgerError, match="forked"):
            writer.post(cast("Any", None))
        with pytest.raises(LedgerError, match="forked"):
            writer.run(lambda _: None)
        writer.close()

    assert in_child(use) == 0
    over.set()
    thread.join(60)
    ledger.close()


@pytest.mark.acceptance(70, "fork-at-any-moment")
@pytest.mark.parametrize("kind", KINDS)
def test_no_child_forked_in_mid_call_hangs(kind: str) -> None:
    tls = AUTHORITY.server_context("127.0.0.1") if kind in ("new_clients", "trusting") else None
    with RawServer(answering(GOOD), tls=tls) as server:
        command = [sys.executable, "-m", "tests.system.network_faults.fork_storm"]
        done = subprocess.run(
            [*command, kind, str(CHILDREN), server.url],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=60 + 5 * CHILDREN,
            check=False,
        )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"0 of {CHILDREN} children hung\n"


IMPORTS = """
import importlib.abc, sys, warnings
{before}
from dgspay.forks import undivided

class Watch(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if not undivided._is_owned():
            print(name)

sys.meta_path.insert(0, Watch())
{work}
"""

WORKS = {
    "blocking": """
from dgspay import DGSPay
dgs = DGSPay(**settings)
dgs.balances.list()
""",
    "asyncio": """
from dgspay import AsyncDGSPay
dgs = AsyncDGSPay(**settings)
asyncio.run(dgs.balances.list())
""",
    "trio": """
from dgspay import AsyncDGSPay
dgs = AsyncDGSPay(**settings)
trio.run(dgs.balances.list)
""",
    "aiohttp": """
from dgspay import AsyncDGSPay
dgs = AsyncDGSPay(**settings, transport=AiohttpTransport())
asyncio.run(dgs.balances.list())
""",
}
BEFORE = {
    "blocking": "import dgspay",
    "asyncio": "import asyncio, dgspay",
    "trio": "import trio, dgspay",
    "aiohttp": "import asyncio; from dgspay.transports.aiohttp import AiohttpTransport",
}


@pytest.mark.acceptance(70, "fork-at-any-moment")
@pytest.mark.parametrize("work", WORKS)
def test_nothing_is_imported_by_a_call_that_a_fork_could_cut(work: str) -> None:
    with RawServer(answering(GOOD)) as server:
        settings = (
            f"settings = dict(api_key='sk_test_1', account_number='A', base_url={server.url!r})\n"
        )
        script = IMPORTS.format(before=BEFORE[work], work=settings + WORKS[work])
        done = subprocess.run(
            [sys.executable, "-c", script],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split() == []
