"""The browser's module in Node: the same vectors, in another engine's WebCrypto."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from dgspay.browser import script_path
from dgspay.encryption import decrypt_field

HERE = Path(__file__).parent
OLDEST_NODE = 20

SEAL = """
import { encryptCard, encryptPin } from "%s";
const { key, card } = JSON.parse(process.argv[1]);
console.log(JSON.stringify([await encryptCard(card, { key }), await encryptPin("1234", { key })]));
"""


@pytest.fixture(scope="module")
def node() -> str:
    executable = shutil.which("node")
    if executable is None:
        pytest.skip("node is not installed")
    version = subprocess.run([executable, "--version"], capture_output=True, text=True, check=True)
    if int(version.stdout.removeprefix("v").partition(".")[0]) < OLDEST_NODE:
        pytest.skip(f"node is older than {OLDEST_NODE}: it has no WebCrypto of its own")
    return executable


@pytest.mark.acceptance(
    36, "odd-encryption-key", 37, "odd-card-digits", 38, "nonce-reuse", 39, "known-answer"
)
def test_the_module_passes_its_own_tests(node: str) -> None:
    check(node, "dgspay-card.test.mjs")


def test_the_checkout_passes_its_own_tests(node: str) -> None:
    check(node, "dgspay-checkout.test.mjs")


def check(node: str, tests: str) -> None:
    done = subprocess.run(
        [node, "--no-warnings", "--test", str(HERE / tests)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "# fail 0" in done.stdout
    assert "# pass 0" not in done.stdout


@pytest.mark.acceptance(39, "known-answer")
def test_what_node_encrypts_opens_in_python(node: str, vectors: dict[str, Any]) -> None:
    key = vectors["cards"][0]["key"]
    card = {"number": "4111-1111 1111 1111", "expiryMonth": 3, "expiryYear": "29", "cvv": "012"}
    done = subprocess.run(
        [
            node,
            "--no-warnings",
            "--input-type=module",
            "--eval",
            SEAL % script_path().as_uri(),
            json.dumps({"key": key, "card": card}),
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    opened = []
    for wire in json.loads(done.stdout):
        *ciphertexts, nonce = wire.values()
        opened += [decrypt_field(text, key=key, nonce=nonce) for text in ciphertexts]
    assert opened == ["4111111111111111", "03", "2029", "012", "1234"]
