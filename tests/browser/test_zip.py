"""The package in a zip, as zipapp, pex and shiv have it: its files are no paths there."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import dgspay
from dgspay.browser import CHECKOUT_NAMES, integrity, script

SERVED = """
import sys
from dgspay import browser

assert browser.__file__.startswith(sys.argv[0]), browser.__file__
path = browser.script_path()
assert path is browser.script_path()
assert path.read_bytes() == browser.script()
print(browser.integrity(), path)
"""

EMULATED = """
import asyncio, sys
from dgspay.emulator import Emulator, __file__ as where

assert where.startswith(sys.argv[0]), where

async def visit():
    with Emulator() as emulator:
        async with emulator.async_http_client() as client:
            for page in ("/", "/_emulator/static/look.css", "/_emulator/static/dgspay-card.js"):
                answer = await client.get(client.base_url.join(page), follow_redirects=True)
                print(answer.url.path, answer.status_code, answer.headers["content-type"])

asyncio.run(visit())
"""

COLLECTED = """
import sys, tempfile
import django
from django.conf import settings
from pathlib import Path

from dgspay.browser import script

with tempfile.TemporaryDirectory() as folder:
    settings.configure(
        STATIC_URL="/static/",
        STATIC_ROOT=folder,
        INSTALLED_APPS=["django.contrib.staticfiles"],
        STATICFILES_FINDERS=["dgspay.browser.django.ScriptFinder"],
    )
    django.setup()
    from django.contrib.staticfiles import finders
    from django.core.management import call_command

    assert Path(finders.find("dgspay/dgspay-card.js")).read_bytes() == script()
    call_command("collectstatic", interactive=False, verbosity=0)
    print(sorted(str(f.relative_to(folder)) for f in Path(folder).rglob("*") if f.is_file()))
"""


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package as it is installed, in a zip."""
    installed = Path(dgspay.__file__).parent
    archive = tmp_path_factory.mktemp("zip") / "package.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        for file in installed.rglob("*"):
            if file.is_file() and "__pycache__" not in file.parts:
                packed.write(file, Path("dgspay", file.relative_to(installed)))
    return archive


def printed(package: Path, program: str, folder: Path) -> list[str]:
    """Run a program from one zip with the package."""
    app = folder / "app.pyz"
    app.write_bytes(package.read_bytes())
    with zipfile.ZipFile(app, "a") as packed:
        packed.writestr("__main__.py", program)
    command = [sys.executable, "-W", "error", str(app)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=170)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_the_card_form_is_served_from_a_zip(package: Path, tmp_path: Path) -> None:
    (line,) = printed(package, SERVED, tmp_path)
    served, _, copy = line.partition(" ")
    assert served == integrity()
    # It was there while the program ran.
    assert Path(copy).name == "dgspay-card.js"
    assert not Path(copy).parent.exists()
    assert script()


def test_the_emulator_has_its_pages_in_a_zip(package: Path, tmp_path: Path) -> None:
    pytest.importorskip("jinja2")
    assert printed(package, EMULATED, tmp_path) == [
        "/ 200 text/html; charset=utf-8",
        "/_emulator/static/look.css 200 text/css; charset=utf-8",
        "/_emulator/static/dgspay-card.js 200 text/javascript; charset=utf-8",
    ]


def test_django_collects_from_a_zip(package: Path, tmp_path: Path) -> None:
    pytest.importorskip("django")
    collected = sorted(f"dgspay/{name}" for name in CHECKOUT_NAMES)
    assert printed(package, COLLECTED, tmp_path) == [str(collected)]
