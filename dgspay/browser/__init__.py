"""The JavaScript module that encrypts a card in the payer's browser, and how to serve it.

`dgspay-card.js` is one ES module without dependencies. A page loads it from the shop's own
origin, so that a strict Content-Security-Policy can hold, with the tag that `script_tag` makes:

    <script type="module" src="/dgspay/dgspay-card.js" integrity="sha384-..." ...></script>
    <script type="module" src="/checkout.js"></script>

and `/checkout.js` draws the form:

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

The tag has to stand before the script that imports the module: the browser then checks the
integrity hash once and gives every later import of the same address the checked module.
On the server, `EncryptedCard.from_mapping(posted)` takes what the page sends.

`dgspay.browser.starlette` (FastAPI too), `.flask` and `.django` serve it.
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

__all__ = ["SCRIPT_NAME", "integrity", "script", "script_path", "script_tag"]

SCRIPT_NAME = "dgspay-card.js"
MEDIA_TYPE = "text/javascript"

# The address does not change with the version, so a browser asks before it uses its copy.
HEADERS = {
    "Cache-Control": "no-cache",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
}


@functools.cache
def script_path() -> Path:
    """Return where the module lies in the installed package.

    In a program that is one zip (zipapp, pex) it is a copy, for as long as the program runs.
    """
    packed = _packed()
    if isinstance(packed, Path):
        return packed
    folder = TemporaryDirectory(prefix="dgspay-")
    atexit.register(folder.cleanup)
    copy = Path(folder.name, SCRIPT_NAME)
    copy.write_bytes(script())
    return copy


@functools.cache
def script() -> bytes:
    """Return the module's text, as it is to be served: UTF-8, as `text/javascript`."""
    return _packed().read_bytes()


def _packed() -> Traversable:
    return resources.files(__name__) / SCRIPT_NAME


@functools.cache
def integrity() -> str:
    """Return the Subresource Integrity value of the module, such as `sha384-...`."""
    return "sha384-" + base64.b64encode(hashlib.sha384(script()).digest()).decode()


def script_tag(src: str = f"/dgspay/{SCRIPT_NAME}") -> str:
    """Return the HTML tag that loads the module from `src` and checks that it is untouched."""
    return (
        f'<script type="module" src="{html.escape(src)}" '
        f'integrity="{integrity()}" crossorigin="anonymous"></script>'
    )


def etag() -> str:
    """Return the module's HTTP entity tag, in quotes."""
    return f'"{hashlib.sha256(script()).hexdigest()[:32]}"'
