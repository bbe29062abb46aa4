"""`manage.py dgspay_sweep`: one sweep of the orders, for cron; or again and again."""

from __future__ import annotations

import threading
from typing import Any

from django.core.management.base import (  # type: ignore[import-untyped,import-not-found,unused-ignore]
    BaseCommand,
    CommandParser,
)

from dgspay.checkout.frameworks.django.apps import checkout_of_settings


class Command(BaseCommand):  # type: ignore[misc,unused-ignore]
    """Looks up what no webhook has settled, runs handlers that are owed, expires what is over."""

    help = "Look up orders that no webhook has settled, and run the handlers that are owed."

    def add_arguments(self, parser: CommandParser) -> None:
        """Options of the command."""
        parser.add_argument("--every", type=float, metavar="SECONDS", help="sweep until stopped")
        parser.add_argument("--all", action="store_true", help="look up what is not due yet, too")
        parser.add_argument("--most", type=int, default=1000, help="the most look-ups of a sweep")

    def handle(self, *args: Any, **options: Any) -> None:
        """Sweep."""
        checkout = checkout_of_settings()
        stopped = threading.Event()
        while True:
            done = checkout.sweep(most=options["most"], everything=options["all"])
            self.stdout.write(
                f"looked up {done.looked_up}, settled {done.settled}, expired {done.expired}, "
                f"handlers {done.handled} done and {done.failing} failed"
            )
            if options["every"] is None or stopped.wait(options["every"]):
                return
