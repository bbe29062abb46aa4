"""Keys of an inbox: account, environment and event.

    [ACC-1/production]payment.success:dgs_1     all of it known
    [ACC-1/]payment.success:dgs_1               no environment known
    [/test]payment.success:dgs_1                no account named
    payment.success:dgs_1                       neither, as every key was until version 0.2

What was done under a key that leaves something open counts for whatever it may have meant: to
name the account of a receiver, or its environment, has no event handled once more.

    <ACC-1>dgs_1                                all events of a reference, while one is handled
    <>dgs_1                                     no account named

Not every event of a reference says its environment, so that a group has both.
"""

from __future__ import annotations

import hashlib
import re
from urllib.parse import quote, unquote

from dgspay.errors import ConfigError

_ACCOUNT_NUMBER = re.compile(r"[\x21-\x7e]{1,128}", re.ASCII)
_KNOWN_ENVIRONMENTS = ("test", "production")
_SCOPED = re.compile(r"\[(?P<account>[^/\]]*)/(?P<environment>[^\]]*)\](?P<event>.*)", re.DOTALL)


def check_account_number(account_number: str) -> None:
    """Reject what cannot be part of a key.

    Raises:
        ConfigError: saying what an account number looks like.
    """
    if not isinstance(account_number, str) or not _ACCOUNT_NUMBER.fullmatch(account_number):
        raise ConfigError("account_number must be 1 to 128 printable ASCII characters, no space")
    if account_number.startswith("sk_"):
        # It stands in databases and logs, where a key must not.
        raise ConfigError("account_number is an API key: the two have been swapped")


def scoped_key(dedupe_key: str, *, account_number: str, environment: str) -> str:
    """Return the key of an event of an account and an environment; "" where one is not known."""
    if not account_number and not environment and not dedupe_key.startswith(("[", "<")):
        return dedupe_key
    if environment and environment not in _KNOWN_ENVIRONMENTS:
        # Any text of any length can stand in an event; a key of a database has bounds.
        environment = hashlib.sha256(environment.encode()).hexdigest()[:16]
    return f"[{quote(account_number, safe='')}/{environment}]{dedupe_key}"


def group_key(dgs_reference: str | None, *, account_number: str) -> str:
    """Return the key of all events of a reference; "" for an event that has none."""
    return "" if dgs_reference is None else f"<{quote(account_number, safe='')}>{dgs_reference}"


def wider_keys(key: str) -> list[str]:
    """Return the keys that may have meant the same event before its key said as much."""
    scoped = _SCOPED.fullmatch(key)
    if scoped is None:
        return []
    account, environment, event = unquote(scoped["account"]), scoped["environment"], scoped["event"]
    keys = (
        scoped_key(event, account_number=known_account, environment=known_environment)
        for known_account in dict.fromkeys((account, ""))
        for known_environment in dict.fromkeys((environment, ""))
    )
    return [wider for wider in keys if wider != key]
