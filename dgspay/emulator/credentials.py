"""The emulator's credentials: published, worth nothing, and of use nowhere else."""

from __future__ import annotations

import attrs

API_KEY = "sk_test_emulator_published_worth_nothing"
ACCOUNT_NUMBER = "ACC-EMULATOR"
WEBHOOK_SECRET = "emulator-webhook-secret-published-worth-nothing"  # noqa: S105 - published
# The bytes 0 to 31, as in the known-answer test of the card wire format.
ENCRYPTION_KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="

LIVE_KEY_PREFIX = "sk_live_"


@attrs.frozen
class Credentials:
    """What a merchant finds under Settings > API Settings in the portal."""

    api_key: str = API_KEY
    account_number: str = ACCOUNT_NUMBER
    webhook_secret: str = WEBHOOK_SECRET
    encryption_key: str = ENCRYPTION_KEY
