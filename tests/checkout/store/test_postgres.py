"""Faults of a server and of processes: PostgreSQL that stops, rows that are held, lost commits."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import anyio
import pytest

from dgspay import AsyncDGSPay, DGSPay
from dgspay.checkout import AsyncCheckout, AttemptState, Checkout, Order, OrdersError
from dgspay.emulator import Emulator
from dgspay.errors import ConfigError, Outcome
from tests.checkout.conftest import JANE, URL
from tests.support.poolers import poolers
from tests.support.postgres_clusters import Cluster, cluster, free_port

psycopg = pytest.importorskip("psycopg", reason="psycopg is not installed")

from dgspay.checkout import PostgresOrders  # noqa: E402 - it needs psycopg
from dgspay.checkout.store.pipelines import Pipeline  # noqa: E402 - likewise


@pytest.fixture
def store(database: str) -> Iterator[PostgresOrders]:
    store = PostgresOrders(database)
    yield store
    store.close()


@pytest.fixture
def make(emulator: Emulator, dgs: DGSPay) -> Callable[[PostgresOrders], Checkout]:
    return lambda store: Checkout(dgs, store, secret=emulator.webhook_secret, url=URL)


@pytest.fixture
def checkout(store: PostgresOrders, make: Callable[[PostgresOrders], Checkout]) -> Checkout:
    return make(store)


def opened(checkout: Checkout, order_id: str = "A-1") -> Order:
    return checkout.open(order_id, amount=2000, customer=JANE)


def paid(checkout: Checkout, order_id: str = "A-1") -> Order:
    return checkout.pay_by_mobile_money(order_id, phone="0788123456", network="MTN")


def deliver(emulator: Emulator, checkout: Checkout) -> list[int]:
    return [
        checkout.receive(each.body, each.signature, path=urlsplit(each.url or "").path).status
        for each in emulator.webhooks.deliveries
    ]


@pytest.fixture
def server() -> Iterator[Cluster]:
    """A server that may be stopped."""
    with cluster() as server:
        yield server


def test_a_server_that_restarts_is_waited_for(
    server: Cluster, make: Callable[[PostgresOrders], Checkout]
) -> None:
    checkout = make(PostgresOrders(server.url()))
    opened(checkout)
    server.stop("fast")
    with ThreadPoolExecutor(1) as threads:
        paying = threads.submit(paid, checkout)
        server.start()
        assert paying.result().attempts[0].dgs_reference
    server.stop("immediate")
    server.start()
    assert checkout.order("A-1").attempts[0].dgs_reference
    checkout.close()


@pytest.mark.acceptance(91, "database-lost")
def test_a_server_that_is_gone_is_a_clear_error_and_nothing_is_sent(
    server: Cluster, emulator: Emulator, make: Callable[[PostgresOrders], Checkout]
) -> None:
    checkout = make(PostgresOrders(server.url(), patience=0.0))
    opened(checkout)
    opened(checkout, "A-2")
    server.stop("immediate")
    with pytest.raises(OrdersError, match=r"does not answer.*was not sent") as gone:
        paid(checkout)
    assert gone.value.outcome is Outcome.NOT_SENT
    assert not emulator.transactions
    server.start()

    # Now it goes while the charge is under way.
    class Stopping(type(checkout)):  # type: ignore[misc]
        def _perform(self, effect: Any) -> Any:
            answer = super()._perform(effect)
            if type(effect).__name__ == "Execute":
                server.stop("immediate")
            return answer

    checkout.__class__ = Stopping
    with pytest.raises(OrdersError, match="could not be written down") as lost:
        paid(checkout)
    assert lost.value.outcome is Outcome.UNKNOWN
    checkout.__class__ = Checkout
    server.start()
    assert checkout.order("A-1").attempts[0].state is AttemptState.IN_DOUBT
    assert len(paid(checkout).attempts) == len(emulator.transactions) == 1
    emulator.approve(emulator.transactions[0].dgs_reference)
    assert deliver(emulator, checkout) == [200]
    assert checkout.order("A-1").is_paid
    checkout.close()


@pytest.mark.acceptance(91, "database-lost")
def test_a_server_that_became_read_only_is_a_clear_error_and_nothing_is_sent(
    database: str, orders_cluster: Cluster, make: Callable[[PostgresOrders], Checkout]
) -> None:
    checkout = make(PostgresOrders(database, patience=0.0))
    opened(checkout)
    name = database.rpartition("/")[2]
    orders_cluster.sql(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    orders_cluster.sql(
        f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
    )
    with pytest.raises(OrdersError, match="cannot write") as refused:
        paid(checkout)
    assert refused.value.outcome is Outcome.NOT_SENT
    checkout.close()


def test_a_wrong_password_is_reported_at_once_without_the_password(database: str) -> None:
    for url in (database.replace("shop@", "nobody:hunter2@"), "postgresql://[", "=hunter2"):
        with pytest.raises(OrdersError) as refused:
            store = PostgresOrders(url, patience=60)
            store.run(lambda: iter(()))  # type: ignore[arg-type, return-value]
        assert "hunter2" not in str(refused.value)
        assert "What is not on its disk was not sent" in str(refused.value)


def test_a_commit_whose_answer_was_lost_sends_no_second_prompt(
    store: PostgresOrders, checkout: Checkout, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The script is made again, and finds its own attempt under way: it is not known to be new."""
    opened(checkout)
    send = Pipeline.send
    left = [1]

    def losing(self: Pipeline, last: int = 1) -> Any:
        commits = (b"COMMIT", ()) in self._unsent
        rows = send(self, last)
        if commits and left:
            left.pop()
            self.connection.close()
            raise psycopg.OperationalError("the connection is lost")
        return rows

    monkeypatch.setattr(Pipeline, "send", losing)
    order = paid(checkout)
    assert not left
    assert [one.state for one in order.attempts] == [AttemptState.IN_DOUBT]
    assert not emulator.transactions


def test_rows_of_a_stopped_process_do_not_block_others_for_ever(
    database: str, checkout: Checkout
) -> None:
    """A transaction that rests is ended by the server, and its rows are free again."""
    opened(checkout)
    holding = (
        "import sys, psycopg\n"
        "from dgspay.checkout.store.postgres import _BEGIN\n"
        "c = psycopg.connect(sys.argv[1], autocommit=True)\n"
        "for text in _BEGIN:\n    c.execute(text)\n"
        "c.execute('SELECT * FROM dgspay_orders FOR UPDATE')\n"
        "print('held', flush=True)\n"
        "sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", holding, database],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        assert paid(checkout).attempts[0].dgs_reference
        process.kill()


def test_an_order_that_stays_locked_is_a_clear_error(
    database: str, checkout: Checkout, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dgspay.checkout.store import postgres
    from dgspay.postgres.connections import beginning, limits

    opened(checkout)
    monkeypatch.setattr(postgres, "_BEGIN", beginning(limits(lock=0.1)))
    with psycopg.connect(database) as connection:
        connection.execute("SELECT * FROM dgspay_orders FOR UPDATE")
        with pytest.raises(OrdersError, match=r"locked for 10 s.*was not sent") as refused:
            paid(checkout)
    assert refused.value.outcome is Outcome.NOT_SENT
    assert not emulator.transactions


def test_processes_that_make_the_tables_at_once_succeed(database: str) -> None:
    stores = [PostgresOrders(database) for _ in range(6)]
    together = threading.Barrier(len(stores))

    def install(store: PostgresOrders) -> int:
        from dgspay.checkout.store.protocol import query

        together.wait()
        return len(store.run(lambda: query("SELECT version FROM dgspay_order_schema")))

    with ThreadPoolExecutor(len(stores)) as threads:
        assert list(threads.map(install, stores)) == [1] * len(stores)
    for store in stores:
        store.close()


def test_tables_of_a_newer_version_are_refused(
    database: str, checkout: Checkout, make: Callable[[PostgresOrders], Checkout]
) -> None:
    opened(checkout)
    with psycopg.connect(database) as connection:
        connection.execute("UPDATE dgspay_order_schema SET version = 99")
    newer = make(PostgresOrders(database))
    with pytest.raises(OrdersError, match="newer version"):
        opened(newer, "A-2")
    newer.close()


def test_a_deadlock_is_tried_again(store: PostgresOrders, checkout: Checkout) -> None:
    from dgspay.checkout.store.protocol import Script, query

    opened(checkout)
    opened(checkout, "A-2")
    both_hold = threading.Barrier(2, timeout=30)
    tries: list[str] = []

    def lock(first: str, second: str) -> Script[str]:
        tries.append(first)
        yield from query("SELECT key FROM dgspay_orders WHERE id = ? {lock}", first)
        if len(tries) <= 2:
            both_hold.wait()
        yield from query("SELECT key FROM dgspay_orders WHERE id = ? {lock}", second)
        return first

    with ThreadPoolExecutor(2) as threads:
        done = [
            threads.submit(store.run, lambda pair=pair: lock(*pair))
            for pair in (("A-1", "A-2"), ("A-2", "A-1"))
        ]
        assert sorted(each.result() for each in done) == ["A-1", "A-2"]
    assert len(tries) > 2


def make_told(database: str) -> None:
    with psycopg.connect(database) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS told (id TEXT)")


def told(database: str) -> list[str]:
    with psycopg.connect(database) as connection:
        return [row[0] for row in connection.execute("SELECT id FROM told")]


@pytest.mark.acceptance(82, "handler-once")
def test_what_a_handler_writes_is_committed_with_the_note_that_it_is_done_or_not_at_all(
    database: str, checkout: Checkout, emulator: Emulator
) -> None:
    make_told(database)
    fails = [True]

    @checkout.on_paid
    def ship(order: Order, connection: Any) -> None:
        connection.execute("INSERT INTO told VALUES (%s)", (order.id,))
        if fails:
            raise RuntimeError

    opened(checkout)
    emulator.approve(paid(checkout).attempts[0].dgs_reference or "")
    assert deliver(emulator, checkout) == [500]
    assert told(database) == []
    fails.clear()
    checkout.replay("A-1")
    assert told(database) == ["A-1"]
    assert checkout.order("A-1").told_at is not None


def test_a_handler_that_is_still_running_after_its_lease_is_not_run_by_another(
    database: str,
    checkout: Checkout,
    emulator: Emulator,
    make: Callable[[PostgresOrders], Checkout],
) -> None:
    from dgspay.checkout import Timing

    other = Checkout(
        checkout._client, PostgresOrders(database), url=URL, timing=Timing(handler_lease=1e-9)
    )
    runs: list[str] = []

    @other.on_paid
    def again(order: Order, connection: Any) -> None:
        runs.append("other")

    @checkout.on_paid
    def ship(order: Order, connection: Any) -> None:
        runs.append("first")
        with psycopg.connect(database) as apart:
            apart.execute("SET lock_timeout = '1s'")
            with pytest.raises(psycopg.errors.LockNotAvailable):
                apart.execute("UPDATE dgspay_order_tasks SET due_at = 0")
        other.sweep()

    opened(checkout)
    emulator.approve(paid(checkout).attempts[0].dgs_reference or "")
    deliver(emulator, checkout)
    other.sweep()
    assert runs == ["first"]
    other.close()


@pytest.mark.parametrize("is_async", [True, False], ids=["async", "plain"])
def test_a_handler_of_an_async_checkout_gets_a_connection_of_its_kind(
    database: str, async_dgs: AsyncDGSPay, emulator: Emulator, *, is_async: bool
) -> None:
    make_told(database)
    checkout = AsyncCheckout(
        async_dgs, PostgresOrders(database), secret=emulator.webhook_secret, url=URL
    )
    if is_async:

        @checkout.on_paid
        async def ship(order: Order, connection: Any) -> None:
            await connection.execute("INSERT INTO told VALUES (%s)", (order.id,))
    else:

        @checkout.on_paid
        def store(order: Order, connection: Any) -> None:
            connection.execute("INSERT INTO told VALUES (%s)", (order.id,))

    async def story() -> None:
        await checkout.open("A-1", amount=2000, customer=JANE)
        order = await checkout.pay_by_mobile_money("A-1", phone="0788123456", network="MTN")
        emulator.approve(order.attempts[0].dgs_reference or "")
        (each,) = emulator.webhooks.deliveries
        path = urlsplit(each.url or "").path
        assert (await checkout.receive(each.body, each.signature, path=path)).status == 200
        assert (await checkout.order("A-1")).told_at is not None
        await checkout.sweep()

    anyio.run(story)
    assert told(database) == ["A-1"]
    checkout.close()


def test_a_forked_child_has_connections_of_its_own(checkout: Checkout) -> None:
    opened(checkout)
    child = os.fork()
    if child == 0:
        os._exit(0 if checkout.order("A-1").id == "A-1" else 1)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    assert checkout.order("A-1").id == "A-1"


def test_no_connections_are_no_setting(database: str) -> None:
    with pytest.raises(ConfigError):
        PostgresOrders(database, connections=0)


def test_a_server_that_is_not_there_is_named_so(make: Callable[[PostgresOrders], Checkout]) -> None:
    checkout = make(PostgresOrders(f"postgresql://x@127.0.0.1:{free_port()}/x", patience=0.0))
    with pytest.raises(OrdersError, match="does not answer"):
        opened(checkout)
    checkout.close()


def test_orders_are_paid_through_a_pooler_that_lends_each_transaction_another_connection(
    database: str,
    orders_cluster: Cluster,
    emulator: Emulator,
    make: Callable[[PostgresOrders], Checkout],
) -> None:
    make_told(database)
    with poolers(orders_cluster.folder, orders_cluster.port) as start:
        url = start(3, database.rpartition("/")[2])
        checkout = make(PostgresOrders(url))

        @checkout.on_paid
        def ship(order: Order, connection: Any) -> None:
            connection.execute("INSERT INTO told VALUES (%s)", (order.id,))

        def story(number: int) -> None:
            opened(checkout, f"A-{number}")
            emulator.approve(paid(checkout, f"A-{number}").attempts[0].dgs_reference or "")

        with ThreadPoolExecutor(8) as threads:
            list(threads.map(story, range(16)))
        assert set(deliver(emulator, checkout)) == {200}
        assert sorted(told(database)) == sorted(f"A-{number}" for number in range(16))
        checkout.close()


def test_a_library_without_pipelines_is_refused_with_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(psycopg.Pipeline, "is_supported", classmethod(lambda _: False))
    with pytest.raises(ConfigError, match=r"needs libpq 14 .*psycopg\[binary\]"):
        PostgresOrders("postgresql://nowhere")
