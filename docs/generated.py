"""Makes the pages that are read from the code, and one text of all pages, as the site is built."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import typer
from sphinx.application import Sphinx
from sphinx.util.logging import getLogger
from typer.main import get_command

import dgspay
from dgspay.cli.app import build
from dgspay.cli.exit_codes import ExitCode
from dgspay.emulator.api.card_charges import OTP, PIN, TEST_CARDS, grouped
from dgspay.emulator.api.mobile_money_charges import MAGIC_PHONES, PhoneBehaviour
from dgspay.emulator.fidelity import FIDELITY
from dgspay.models import scenario

logger = getLogger(__name__)

DOCS: Final = Path(__file__).parent
FOLDER: Final = DOCS / "reference"

# The pages of the API: a name stands on the first page whose modules have it.
API: Final = {
    "clients": ("Clients", ("dgspay.client", "dgspay.resources", "dgspay.merchants")),
    "errors": ("Errors", ("dgspay.errors",)),
    "checkout": ("Checkout", ("dgspay.checkout", "dgspay.checkout.order")),
    "payouts": ("Payouts", ("dgspay.payouts", "dgspay.payouts.ledger")),
    "books": ("Books", ("dgspay.books",)),
    "webhooks": ("Webhooks", ("dgspay.webhooks", "dgspay.webhooks.inbox")),
    "emulator": ("Emulator", ("dgspay.emulator",)),
    "cards": ("Cards in the browser", ("dgspay.browser", "dgspay.encryption")),
    "frameworks": (
        "Web frameworks",
        (
            "dgspay.checkout.frameworks.starlette",
            "dgspay.checkout.frameworks.aiohttp",
            "dgspay.checkout.frameworks.flask",
            "dgspay.checkout.frameworks.django",
            "dgspay.webhooks.frameworks.starlette",
            "dgspay.webhooks.frameworks.aiohttp",
            "dgspay.webhooks.frameworks.flask",
            "dgspay.webhooks.frameworks.django",
            "dgspay.browser.starlette",
            "dgspay.browser.flask",
            "dgspay.browser.django",
        ),
    ),
    "transports": ("Transports", ("dgspay.transports.httpx", "dgspay.transports.aiohttp")),
    "telemetry": (
        "Telemetry",
        (
            "dgspay.hooks",
            "dgspay.otel",
            "dgspay.metrics",
            "dgspay.metrics.opentelemetry",
            "dgspay.metrics.prometheus",
        ),
    ),
    "testing": ("Fixtures for pytest", ("dgspay.testing",)),
    "models": ("Models and settings", ("dgspay", "dgspay.models.standing", "dgspay.money")),
}

# Classes of Python whose methods a page need not repeat.
FOREIGN: Final = "object, BaseException, Exception, ValueError, tuple, str, int, Enum, Generic"


def public_names(module: Any) -> list[str]:
    """Return what a module offers: its `__all__`, or what it defines itself."""
    if hasattr(module, "__all__"):
        return list(module.__all__)
    return [
        name
        for name, value in vars(module).items()
        if not name.startswith("_")
        and (isinstance(value, type) or inspect.isroutine(value))
        and value.__module__ == module.__name__
    ]


def home(name: str, value: object) -> str:
    """Return the module whose source has the docstring of a value that is no class or function."""
    for module_name, module in sorted(sys.modules.items()):
        if not module_name.startswith("dgspay.") or vars(module).get(name) is not value:
            continue
        if re.search(rf"^{name}\b.*?=", inspect.getsource(module), re.MULTILINE):
            return module_name
    raise LookupError(name)


def directive(value: object) -> str:
    """Return the directive of autodoc that describes a value."""
    if isinstance(value, type):
        return "autoexception" if issubclass(value, BaseException) else "autoclass"
    return "autofunction" if inspect.isroutine(value) else "autodata"


def api_pages() -> Iterator[tuple[str, str]]:
    """Yield the pages of the API, as file name and reStructuredText; warn of a name without one."""
    told: set[int] = set()
    for page, (title, modules) in API.items():
        text = f"{title}\n{'=' * len(title)}\n\n"
        for name in modules:
            module = importlib.import_module(name)
            text += f".. automodule:: {name}\n   :no-members:\n\n"
            for public in public_names(module):
                value = getattr(module, public)
                if inspect.ismodule(value) or id(value) in told or public == "__version__":
                    continue
                told.add(id(value))
                kind = directive(value)
                place = home(public, value) if kind == "autodata" else name
                text += f".. {kind}:: {place}.{public}\n"
                if isinstance(value, type):
                    text += "   :members:\n"
                    text += f"   :inherited-members: {FOREIGN}\n"
                text += "\n"
        yield f"{page}.rst", text
    for found in pkgutil.iter_modules(dgspay.__path__, "dgspay."):
        if found.name in {"dgspay.__main__", "dgspay.cli"}:
            continue  # a program: it has the page of its commands
        module = importlib.import_module(found.name)
        for public in getattr(module, "__all__", ()):
            value = getattr(module, public)
            if not inspect.ismodule(value) and id(value) not in told:
                logger.warning("%s.%s has no page", found.name, public)


def row(*cells: object) -> str:
    """Return a row of a table in Markdown."""
    return "| " + " | ".join(str(cell).replace("|", "\\|").strip() for cell in cells) + " |\n"


def plain(text: str) -> str:
    """Return help as one line of Markdown."""
    line = re.sub(r"\s+", " ", text.replace("\b", "")).strip()
    return re.sub(r"([<>*_\[\]{}$])", r"\\\1", line)


def commands(command: Any, name: str) -> str:
    """Return the sections of a command and of those below it."""
    text = f"## `{name}`\n\n{plain(command.help or '')}\n\n"
    options = [one for one in command.params if one.name != "help"]
    if options:
        text += row("option", "what it does") + row("---", "---")
        for one in options:
            names = ", ".join(f"`{each}`" for each in one.opts)
            text += row(names, plain(getattr(one, "help", None) or ""))
        text += "\n"
    if hasattr(command, "list_commands"):
        context = typer.Context(command)
        for below in command.list_commands(context):
            text += commands(command.get_command(context, below), f"{name} {below}")
    return text


def command_line_page() -> str:
    """Return the page of the commands and their exit codes."""
    codes = row("code", "meaning") + row("---", "---")
    codes += "".join(row(code.value, code.meaning) for code in ExitCode)
    return (
        f"# The command line\n\n{commands(get_command(build()), 'dgspay')}## Exit codes\n\n{codes}"
    )


def fidelity_page() -> str:
    """Return the page that says how like DGS-Pay the emulator is."""
    table = row("area", "what the emulator does", "basis", "source") + row(*["---"] * 4)
    table += "".join(
        row(one.area, plain(one.does), one.basis, plain(one.source)) for one in FIDELITY
    )
    return (
        "# How like DGS-Pay the emulator is\n\n*Documented* is in the vendor's guide, *upstream* "
        f"is known of the service that it is built on, *assumed* is neither.\n\n{table}"
    )


STEPS: Final = {
    None: "nothing",
    "auth_pin": "the PIN",
    "auth_3ds": "a code",
    "auth_pin_3ds": "the PIN, then a code",
    "auth_avs": "an address",
}


def ending(how: PhoneBehaviour) -> str:
    """Return how a payment from a magic phone number ends."""
    when = "before the charge is answered" if how.at_once else "after it has rung"
    if how.decline is not None:
        return f"declined {when}: {how.decline.processor_response}"
    return f"approved {when}" if how.answers else "not at all: the payer does not answer"


def test_data_page() -> str:
    """Return the page of the cards and phone numbers that decide how a payment ends."""
    cards = row("number", "network", "asks for", "then") + row(*["---"] * 4)
    cards += "".join(
        row(
            f"`{grouped(number)}`",
            card.brand.capitalize(),
            STEPS[card.auth],
            card.issuer.replace("_", " "),
        )
        for number, card in TEST_CARDS.items()
    )
    phones = row("last seven digits", "how it ends") + row("---", "---")
    phones += "".join(row(f"`{digits}`", ending(how)) for digits, how in MAGIC_PHONES.items())
    phones += row("any other", "approved, once it has rung for as long as `--settle-after` says")
    words = row("kind of call", "scenario") + row("---", "---")
    for kind, listed in {
        "card": scenario.CARD_AUTHORIZATIONS,
        "mobile money": scenario.MOBILE_MONEY_SCENARIOS,
        "disbursement": scenario.TRANSFER_SCENARIOS,
    }.items():
        words += row(kind, ", ".join(f"`scenario:{word}`" for word in listed))
    words += row(
        "card, with or without one of its own",
        ", ".join(f"`issuer:{word}`" for word in scenario.ISSUERS),
    )
    return (
        "# Test cards and phone numbers\n\nFor the emulator; of these the guide has the scenarios "
        "alone, which DGS-Pay's sandbox obeys too. None of them may be used in production.\n\n"
        f"## Cards\n\nAny expiry date and CVV. The PIN is `{PIN}`, the code `{OTP}`; another one "
        f"declines the payment.\n\n{cards}\n## Phone numbers\n\nOn either network: the first of "
        f"these is 0789000001 on MTN, 0729000001 on Airtel.\n\n{phones}\n## Scenarios\n\nA call's "
        '`scenario=`, as text or as a `Scenario`; guide, "Simulating Scenarios with '
        f'scenario_key".\n\n{words}'
    )


def write_pages(app: Sphinx) -> None:
    """Write the pages of the reference among the sources of the site."""
    del app
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir()
    pages = {
        **dict(api_pages()),
        "command-line.md": command_line_page(),
        "fidelity.md": fidelity_page(),
        "test-data.md": test_data_page(),
    }
    for name, text in pages.items():
        (FOLDER / name).write_text(text, encoding="utf-8")


def write_texts(app: Sphinx, exception: Exception | None) -> None:
    """Write `llms.txt`, which lists the pages, and `llms-full.txt`, which is all of them."""
    if exception is not None or app.builder.name != "html":
        return
    out = Path(app.outdir)
    lists, whole = ["# dgspay\n\n", "The Python SDK for DGS-Pay.\n\n"], []
    for page in sorted(app.env.found_docs):
        lists.append(f"- [{app.env.titles[page].astext()}]({page}.html)\n")
        whole.append(Path(app.env.doc2path(page)).read_text(encoding="utf-8"))
    (out / "llms.txt").write_text("".join(lists), encoding="utf-8")
    (out / "llms-full.txt").write_text("\n\n".join(whole), encoding="utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    """Hook into the build."""
    app.connect("builder-inited", write_pages)
    app.connect("build-finished", write_texts)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
