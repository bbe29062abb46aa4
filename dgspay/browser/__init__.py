"""The JavaScript modules of a payer's page: the checkout and the card form, and how to serve them.

They are ES modules without dependencies. A page loads them from the shop's own origin, so that a
strict Content-Security-Policy can hold, with the tags that `script_tags` makes:

    <script type="module" src="/dgspay/dgspay-card.js" integrity="sha384-..." ...></script>
    ...
    <script type="module" src="/checkout.js"></script>

`dgspay-checkout.js` is the whole checkout of an order (`dgspay.checkout`), whose routes serve all
of the modules. `dgspay-card.js` alone encrypts a card for a shop that has pages of its own; there
`/checkout.js` draws the form:

    import { mountCardForm, PaymentError } from "/dgspay/dgspay-card.js";
    mountCardForm(document.querySelector("#card"), { key: "...", onEncrypted: async (card) => {
      const response = await fetch("/pay", { method: "POST", body: JSON.stringify(card),
                                             headers: { "Content-Type": "application/json" } });
      if (response.status === 400) throw new PaymentError("The card was not accepted.");
      if (!response.ok) throw new Error(`the shop answered ${response.status}`);
    } });

`fetch` is content with any answer, an HTTP 500 too: without the two checks the form would empty
as if the card had been charged. A `PaymentError` shows its message to the payer, so throw it
where the shop is sure that nothing was charged (400 above). After any other error the form says
that the outcome is not known.

The tags have to stand before the script that imports a module: the browser then checks the
integrity hash once and gives every later import of the same address the checked module.
On the server, `EncryptedCard.from_mapping(posted)` takes what the page sends.

`dgspay.browser.starlette` (FastAPI too), `.flask` and `.django` serve them.
"""

from __future__ import annotations

import atexit
import base64
import functools
import hashlib
import html
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from tempfile import TemporaryDirectory

__all__ = [
    "CHECKOUT_NAMES",
    "SCRIPT_NAME",
    "integrity",
    "script",
    "script_path",
    "script_tag",
    "script_tags",
]

SCRIPT_NAME = "dgspay-card.js"
CHECKOUT_NAMES = (
    SCRIPT_NAME,
    "dgspay-amounts.js",
    "dgspay-countries.js",
    "dgspay-order.js",
    "dgspay-fields.js",
    "dgspay-payment-form.js",
    "dgspay-checkout-style.js",
    "dgspay-checkout-texts.js",
    "dgspay-checkout.js",
)
"""Modules of the checkout, each after those that it imports; the last one mounts it."""

MEDIA_TYPE = "text/javascript"

# The address does not change with the version, so a browser asks before it uses its copy.
HEADERS = {
    "Cache-Control": "no-cache",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
}


@functools.cache
def script_path(name: str = SCRIPT_NAME) -> Path:
    """Return where a module lies in the installed package.

    In a program that is one zip (zipapp, pex) it is a copy, for as long as the program runs.
    """
    packed = _packed(name)
    if isinstance(packed, Path):
        return packed
    folder = TemporaryDirectory(prefix="dgspay-")
    atexit.register(folder.cleanup)
    copy = Path(folder.name, name)
    copy.write_bytes(script(name))
    return copy


@functools.cache
def script(name: str = SCRIPT_NAME) -> bytes:
    """Return a module's text, as it is to be served: UTF-8, as `text/javascript`.

    Raises:
        LookupError: there is no module of this name.
    """
    return _packed(name).read_bytes()


def _packed(name: str) -> Traversable:
    if name not in CHECKOUT_NAMES:
        raise LookupError(f"there is no module {name!r}: the names are {', '.join(CHECKOUT_NAMES)}")
    return resources.files(__name__) / name


@functools.cache
def integrity(name: str = SCRIPT_NAME) -> str:
    """Return the Subresource Integrity value of a module, such as `sha384-...`."""
    return "sha384-" + base64.b64encode(hashlib.sha384(script(name)).digest()).decode()


def script_tag(src: str = f"/dgspay/{SCRIPT_NAME}", name: str = SCRIPT_NAME) -> str:
    """Return the HTML tag that loads a module from `src` and checks that it is untouched."""
    return (
        f'<script type="module" src="{html.escape(src)}" '
        f'integrity="{integrity(name)}" crossorigin="anonymous"></script>'
    )


def script_tags(base: str = "/dgspay") -> str:
    """Return the HTML tags that load the checkout's modules from below `base`, all checked."""
    return "\n".join(script_tag(f"{base}/{name}", name) for name in CHECKOUT_NAMES)


@functools.cache
def etag(name: str = SCRIPT_NAME) -> str:
    """Return a module's HTTP entity tag, in quotes."""
    return f'"{hashlib.sha256(script(name)).hexdigest()[:32]}"'
