"""The emulator's credentials: published, worth nothing, and of use nowhere else."""

from __future__ import annotations

import base64
import hashlib
import re

import attrs

API_KEY = "sk_test_emulator_published_worth_nothing"
ACCOUNT_NUMBER = "ACC-EMULATOR"
WEBHOOK_SECRET = "emulator-webhook-secret-published-worth-nothing"  # noqa: S105 - published
# The bytes 0 to 31, as in the known-answer test of the card wire format.
ENCRYPTION_KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="

LIVE_KEY_PREFIX = "sk_live_"

# The placeholders of the guide's examples, letter for letter. The second looks like a live key
# and belongs to no account: it consists of the letter x.
GUIDE_API_KEYS = frozenset({"YOUR_API_KEY", "sk_live_xxxxxxxxxxxxxxxxxxxx", "YOUR_DGS_API_KEY"})
GUIDE_ACCOUNT_NUMBERS = frozenset({"ACC-0001234", "YOUR_DGS_ACCOUNT_NUMBER"})

FIRST_MERCHANT = "default"
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*", re.ASCII)


@attrs.frozen
class Credentials:
    """Credentials, as the portal shows them under Settings > API Settings."""

    api_key: str = API_KEY
    account_number: str = ACCOUNT_NUMBER
    webhook_secret: str = WEBHOOK_SECRET
    encryption_key: str = ENCRYPTION_KEY

    @classmethod
    def of_merchant(cls, name: str) -> Credentials:
        """Return the credentials of a merchant by its name: the same name has the same ones.

        Raises:
            ValueError: when the name is not small letters, digits and hyphens.
        """
        if name == FIRST_MERCHANT:
            return cls()
        if not _NAME.fullmatch(name):
            raise ValueError("a merchant's name is small letters and digits, such as shop-2")
        key = hashlib.sha256(f"dgspay emulator, {name}".encode()).digest()
        return cls(
            f"sk_test_emulator_{name.replace('-', '_')}_worth_nothing",
            f"ACC-{name.upper()}",
            f"emulator-webhook-secret-{name}-worth-nothing",
            base64.b64encode(key).decode(),
        )
