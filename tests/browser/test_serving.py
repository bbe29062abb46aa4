"""The helpers that serve the module, each in its real framework."""

from __future__ import annotations

import base64
import hashlib
import re
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import httpx
import pytest

from dgspay.browser import (
    CHECKOUT_NAMES,
    integrity,
    script,
    script_path,
    script_tag,
    script_tags,
)

Serve = Callable[[Any], AbstractContextManager[int]]

PATH = "/dgspay/dgspay-card.js"


def check_answer(status: int, headers: Any, body: bytes) -> None:
    assert status == 200
    assert body == script_path().read_bytes()
    assert headers["content-type"].split(";")[0] == "text/javascript"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-cache"


def test_the_integrity_hash_is_of_the_file() -> None:
    digest = hashlib.sha384(script_path().read_bytes()).digest()
    assert integrity() == f"sha384-{base64.b64encode(digest).decode()}"
    assert integrity() in script_tag()
    assert script() == script_path().read_bytes()


def test_each_module_has_a_tag_with_its_own_hash() -> None:
    tags = script_tags("/pay").splitlines()
    assert len({integrity(name) for name in CHECKOUT_NAMES}) == len(CHECKOUT_NAMES)
    for tag, name in zip(tags, CHECKOUT_NAMES, strict=True):
        assert f'src="/pay/{name}" integrity="{integrity(name)}"' in tag


def test_a_module_stands_after_those_that_it_imports() -> None:
    for place, name in enumerate(CHECKOUT_NAMES):
        imported = re.findall(rb'from "\./([a-z-]+\.js)";', script(name))
        assert {text.decode() for text in imported} <= set(CHECKOUT_NAMES[:place])


def test_a_file_that_is_no_module_is_not_served() -> None:
    for name in ("__init__.py", "../money.py", "dgspay-card.d.ts"):
        with pytest.raises(LookupError, match="there is no module"):
            script(name)


def test_the_tag_escapes_its_address() -> None:
    assert 'src="/x?a=1&amp;b=&quot;&gt;"' in script_tag('/x?a=1&b=">')


def test_starlette_and_fastapi_serve_the_card_script(serve: Serve) -> None:
    fastapi = pytest.importorskip("fastapi")
    from starlette.applications import Starlette

    from dgspay.browser.starlette import card_script_route

    shop = fastapi.FastAPI()
    shop.router.routes.append(card_script_route())
    for app in (Starlette(routes=[card_script_route()]), shop):
        with (
            serve(app) as port,
            httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client,
        ):
            answer = client.get(PATH)
            check_answer(answer.status_code, answer.headers, answer.content)
            again = client.get(PATH, headers={"If-None-Match": answer.headers["etag"]})
            assert (again.status_code, again.content) == (304, b"")


def test_flask_serves_the_card_script() -> None:
    flask = pytest.importorskip("flask")

    from dgspay.browser.flask import card_script_blueprint

    app = flask.Flask("shop")
    app.register_blueprint(card_script_blueprint())
    with app.test_client() as client, client.get(PATH) as answer:
        check_answer(answer.status_code, answer.headers, answer.data)
        with client.get(PATH, headers={"If-None-Match": answer.headers["etag"]}) as again:
            assert (again.status_code, again.data) == (304, b"")


# Django's settings belong to a process, so it gets one of its own.
DJANGO_SHOP = """
import sys, django
from django.conf import settings
settings.configure(
    STATIC_URL="/static/",
    STATIC_ROOT=sys.argv[1],
    INSTALLED_APPS=["django.contrib.staticfiles"],
    STATICFILES_FINDERS=["dgspay.browser.django.ScriptFinder"],
)
django.setup()
from django.contrib.staticfiles import finders
from django.core.management import call_command
from django.test import Client, RequestFactory
from django.contrib.staticfiles.views import serve
print(finders.find("dgspay/dgspay-card.js"))
print(finders.find("dgspay/dgspay-card.js", find_all=True))
print(finders.find("dgspay/django.py"), finders.find("dgspay/../__init__.py"))
answer = serve(RequestFactory().get("/"), "dgspay/dgspay-card.js", insecure=True)
print(answer.status_code, len(b"".join(answer.streaming_content)))
answer.close()
call_command("collectstatic", interactive=False, verbosity=0)
"""


def test_django(tmp_path: Path) -> None:
    pytest.importorskip("django")
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", DJANGO_SHOP, str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        str(script_path()),
        str([str(script_path())]),
        "None None",
        f"200 {len(script())}",
    ]
    collected = {path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file()}
    assert collected == {Path("dgspay", name) for name in CHECKOUT_NAMES}
    for name in CHECKOUT_NAMES:
        assert Path(tmp_path, "dgspay", name).read_bytes() == script(name)
