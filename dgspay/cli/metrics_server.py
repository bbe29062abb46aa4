"""A small HTTP server of this machine from which Prometheus collects metrics."""

from __future__ import annotations

import importlib.util
from collections.abc import Generator
from contextlib import contextmanager

from dgspay.cli.exit_codes import fail
from dgspay.metrics.instruments import Gauges


@contextmanager
def serving_metrics(gauges: Gauges, *, host: str, port: int) -> Generator[str]:
    """Serve gauges until the block is left, and end the command where that is impossible.

    Yields the URL that Prometheus is to collect from.

    Args:
        gauges: Read at each collection.
        host: Address to listen on.
        port: 0 takes a free one.
    """
    if importlib.util.find_spec("prometheus_client") is None:
        fail("Metrics need an extra: pip install 'dgspay[prometheus]'")
    # Not at the top: they are of the extra.
    from prometheus_client import CollectorRegistry, start_http_server  # noqa: PLC0415

    from dgspay.metrics.prometheus import observe  # noqa: PLC0415

    registry = CollectorRegistry()
    observe(gauges, registry)
    try:
        server, thread = start_http_server(port, host, registry)
    except OSError as error:
        fail(f"Cannot serve metrics on {host}, port {port}: {error.strerror}.")
    try:
        shown = f"[{host}]" if ":" in host else host
        yield f"http://{shown}:{server.server_port}/metrics"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
