"""A Django shop behind a login, with a real PostgreSQL that is restarted; acceptance row 74."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.real_servers import postgres_binaries, postgres_server

SHOP = Path(__file__).parents[2] / "support" / "django_sessions_shop.py"
WAYS = [
    (view, kind)
    for view in ("view", "async_view", "async_view_under_wsgi")
    for kind in ("plain", "async")
]

Deliver = Callable[[str, str, str], int]


@contextmanager
def running_shop(url: str, max_age: int) -> Iterator[Deliver]:
    folder = url.partition("host=")[2].partition(" ")[0]
    command = [sys.executable, str(SHOP), folder, str(max_age)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as shop:
        assert shop.stdin is not None
        assert shop.stdout is not None
        asked, answers = shop.stdin, shop.stdout

        def deliver(view: str, kind: str, reference: str) -> int:
            asked.write(f"{view} {kind} {reference}\n")
            asked.flush()
            return int(answers.readline())

        yield deliver
        asked.close()
        assert shop.wait(60) == 0


def sessions(url: str, *, at_most: int) -> int:
    """Count the shop's sessions once the server has seen enough of them end."""
    psycopg: Any = pytest.importorskip("psycopg")
    counting = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'shop'"
    give_up = time.monotonic() + 10
    with psycopg.connect(url, autocommit=True) as connection:
        while True:
            (count,) = connection.execute(counting).fetchone()
            if count <= at_most or time.monotonic() > give_up:
                return int(count)
            time.sleep(0.01)


@pytest.mark.acceptance(74, "django-connections")
@pytest.mark.parametrize("max_age", [0, 600])
def test_webhooks_are_let_in_and_their_sessions_end_and_recover_when_the_database_restarts(
    max_age: int,
) -> None:
    pytest.importorskip("django")
    binaries = postgres_binaries()
    if binaries is None:
        pytest.skip("no PostgreSQL: install postgresql")
    with postgres_server(binaries) as server, running_shop(server.url, max_age) as deliver:
        for view, kind in WAYS:
            statuses = {deliver(view, kind, f"{view}-{kind}-{n}") for n in range(8)}
            assert statuses == {200}
            # With an age they are kept for the next request, one in each thread that serves it.
            if max_age == 0:
                assert sessions(server.url, at_most=0) == 0
        server.restart("fast")
        for view, kind in WAYS:
            # As with Django's own views, each thread finds once that its connection was lost.
            after = [deliver(view, kind, f"{view}-{kind}-after") for _ in range(10)]
            assert after[-3:] == [200] * 3
