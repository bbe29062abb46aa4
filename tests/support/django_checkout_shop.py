"""Serves `examples/django_shop` on a free port of this machine, for as long as stdin is open.

    python django_checkout_shop.py shop.sqlite3

It prints the port, once it can be reached.
"""

from __future__ import annotations

import os
import sys
import threading
from importlib import import_module
from pathlib import Path
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

SHOP = Path(__file__).parent.parent.parent / "examples" / "django_shop"


class Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
        """Say nothing."""


def main() -> None:
    server = Server(("127.0.0.1", 0), Quiet)
    port = server.server_address[1]
    sys.path.insert(0, str(SHOP))
    os.environ["DJANGO_SETTINGS_MODULE"] = "shop.settings"
    os.environ["SHOP_DATABASE"] = sys.argv[1]
    os.environ["SHOP_URL"] = f"http://127.0.0.1:{port}"
    import_module("django").setup()
    management = import_module("django.core.management")
    management.call_command("migrate", verbosity=0)
    user = import_module("django.contrib.auth").get_user_model().objects
    if not user.filter(username="ann").exists():
        user.create_superuser("ann", "ann@example.com", "pass of ann")
    server.set_app(import_module("django.core.wsgi").get_wsgi_application())
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    sys.stdin.read()
    server.shutdown()


if __name__ == "__main__":
    main()
