"""A batch: its name, its terms, and the keys and tokens that follow from them."""

from __future__ import annotations

import hashlib
import re
import secrets
from typing import Any

import attrs

from dgspay import AsyncDGSPay, DGSPay
from dgspay.callback_urls import (
    callback_base,
    callback_url,
    is_same_token,
    new_token_key,
    token_of,
)
from dgspay.errors import ConfigError
from dgspay.payouts.errors import BatchChangedError
from dgspay.payouts.sheet.file import file_of
from dgspay.secret import Secret
from dgspay.settings import DEFAULT_IDEMPOTENCY_HEADER

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9._-]+", re.ASCII)

_PERIOD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}", re.ASCII)
# What a mistyped month looks like: its references would be those of a period of their own.
_DIGITS = re.compile(r"[0-9._-]+", re.ASCII)
_MONTH = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])", re.ASCII)

REPEAT_DAYS = 5.0
"""Days within which the same sum to the same account is taken for a mistake.

Less than the week from one payday to the next.
"""

_MOST_DAYS = 366

PAUSED_BY_A_PERSON = "by a person: "
"""What the reason of a pause begins with that ends by a person alone, and not with the next run."""

CHUNK_ROWS = 250
"""Rows a machine takes up at once where several share a batch."""


@attrs.frozen(kw_only=True)
class Terms:
    """Terms under which a batch is paid. They may not change once the batch has begun.

    Attributes:
        environment: The client's environment.
        base_url: The client's base URL.
        account_number: The merchant account that pays.
        callback_url: Where the webhooks of its payouts go, without the token; None leaves them
            to the URL configured in the portal.
        idempotency_header: The header that carries the keys: under another one a payout that is
            sent again would be a new one to DGS-Pay.
    """

    environment: str
    base_url: str
    account_number: str
    callback_url: str | None = None
    idempotency_header: str = DEFAULT_IDEMPOTENCY_HEADER

    @classmethod
    def of(cls, client: AsyncDGSPay | DGSPay, callback_url: str | None = None) -> Terms:
        """Return the terms a client pays under.

        Raises:
            ConfigError: when the callback URL cannot carry a token.
        """
        settings = client.settings
        return cls(
            environment=settings.environment,
            base_url=settings.base_url,
            account_number=settings.account_number,
            callback_url=None if callback_url is None else callback_base(callback_url),
            idempotency_header=settings.idempotency_header,
        )


@attrs.frozen(kw_only=True)
class Batch:
    """A batch as the ledger holds it.

    Attributes:
        name: Its name, unique in the ledger.
        digest: SHA-256 of what was read.
        terms: What it is paid under.
        token_secret: What the tokens of its rows are made with. It leaves the ledger never.
        count: How many payouts it has.
        total: Their sum, in RWF.
        created_at: Unix time.
        started: Whether it was confirmed; before that nothing can have been sent.
        paused: Why its run stopped by itself, until it is run again, or why a person has paused it,
            until a person lets it go on.
        id: The number the ledger gave it.
        period: What its references are unique within, such as `2026-12`; those of batches without
            one are unique together.
        repeat_days: Days within which the same sum to the same account is not sent again.
        key_seed: What its idempotency keys are made of, its own, so that another batch of the same
            rows is never answered with the payouts of this one. Empty for a batch that a dgspay
            began whose keys followed from name and rows.
        prepared_at: Unix time at which its rows were fixed, to be approved; None where not.
        exempt_at: Unix time at which, to the minute, it was last paid without approval, for it is
            little; or None.
        closed: Why nothing more of it is sent, once a person has closed it; or None.
    """

    name: str
    digest: str
    terms: Terms
    token_secret: Secret = attrs.field(factory=new_token_key)
    count: int = 0
    total: int = 0
    created_at: float = 0.0
    started: bool = False
    paused: str | None = None
    id: int = 0
    period: str | None = None
    repeat_days: float = REPEAT_DAYS
    key_seed: str = attrs.field(factory=lambda: secrets.token_hex(16), repr=False)
    prepared_at: float | None = None
    exempt_at: float | None = None
    closed: str | None = None

    @property
    def is_fixed(self) -> bool:
        """Whether its rows may not be read anew: they were confirmed, or prepared."""
        return self.started or self.prepared_at is not None

    @property
    def is_paused_by_a_person(self) -> bool:
        """Whether it goes on only once a person lets it."""
        return self.paused is not None and self.paused.startswith(PAUSED_BY_A_PERSON)

    @property
    def facts(self) -> dict[str, str | int | None]:
        """Description for the audit log."""
        return {
            "digest": self.digest,
            "count": self.count,
            "total": self.total,
            "account": self.terms.account_number,
            "environment": self.terms.environment,
        }

    def key_of(self, number: int) -> str:
        """Return the idempotency key of a row: the same at every attempt, on every machine."""
        origin = self.key_seed or f"{self.name}\n{self.digest}"
        text = f"dgspay payout\n{origin}\n{number}"
        return hashlib.sha256(text.encode()).hexdigest()[:32]

    def token_of(self, number: int) -> str:
        """Return a token that cannot be guessed without the row's callback URL."""
        return token_of(self.token_secret, self.name, number)

    def callback_of(self, number: int) -> str | None:
        """Return the URL for the webhook of a row: base, batch, row, token."""
        base = self.terms.callback_url
        return base and callback_url(base, self.name, number, self.token_of(number))

    def is_token_of(self, number: int, token: str) -> bool:
        """Compare in constant time."""
        return is_same_token(self.token_of(number), token)

    def require_payer(self, terms: Terms) -> None:
        """Refuse a client of another account: it would pay from the wrong wallet, or real money.

        The callback URL is the batch's own wherever it is paid, so that may differ.

        Raises:
            BatchChangedError: naming what differs.
        """
        self._require_terms(attrs.evolve(terms, callback_url=self.terms.callback_url))

    def require_same(self, digest: str, asked: Batch) -> None:
        """Refuse to go on with another file or other settings.

        Args:
            digest: SHA-256 of the rows.
            asked: The batch as it would be if it began now.

        Raises:
            BatchChangedError: naming what differs.
        """
        if asked.period != self.period:
            raise BatchChangedError(
                f"batch {self.name!r} began {_period_words(self.period)}, and it is run "
                f"{_period_words(asked.period)}: this run sends nothing. The pay of another period "
                "is a batch of another name"
            )
        if digest != self.digest:
            raise BatchChangedError(
                f"the rows are not those batch {self.name!r} began with: this run sends nothing. "
                "Put the file back as it was, or pay what is new as a batch of another name; the "
                "pay of another month has a period of its own (--period 2026-12)"
            )
        if asked.repeat_days != self.repeat_days:
            raise BatchChangedError(
                f"batch {self.name!r} began with {self.repeat_days:g} days within which the same "
                "sum is not sent to an account again: this run sends nothing"
            )
        self._require_terms(asked.terms)

    def _require_terms(self, terms: Terms) -> None:
        fields = attrs.asdict(terms)
        changed = [
            name for name, value in attrs.asdict(self.terms).items() if fields[name] != value
        ]
        if changed:
            raise BatchChangedError(
                f"batch {self.name!r} began with another {', '.join(changed)}, and is paid with "
                "what it began with"
            )


@attrs.frozen(kw_only=True)
class Chunk:
    """A range of rows that one worker has taken up.

    Attributes:
        batch: Its batch.
        first: The first row.
        last: The last row, included.
        index: Its number in the batch, from 0.
        epoch: How often it was claimed; a worker with a smaller epoch must not send any more.
    """

    batch: Batch
    first: int
    last: int
    index: int = 0
    epoch: int = 0


def closed_words(batch: Batch) -> str:
    """Say that nothing more of a closed batch is sent, and what to do."""
    return (
        f"batch {batch.name!r} was closed ({batch.closed}): nothing more of it is sent. Pay what "
        "is left as a batch of another name"
    )


def paused_words(batch: Batch) -> str:
    """Say who has paused a batch and why, and what to do."""
    return (
        f"batch {batch.name!r} was paused {batch.paused}: nothing more of it is sent before "
        f"`dgspay payouts resume {batch.name}`"
    )


def check_name(name: str) -> str:
    """Return a batch's name.

    Raises:
        ConfigError: when it could not stand in a URL and a file name.
    """
    if not _NAME.fullmatch(name):
        raise ConfigError(
            "a batch's name is 1 to 64 of A-Z, a-z, 0-9, dot, hyphen and underscore, and begins "
            "with a letter or a digit"
        )
    return name


def check_period(period: str | None) -> str | None:
    """Return a batch's period.

    Raises:
        ConfigError: when it could not stand in a batch's name, or is a month written otherwise
            than `2026-12`.
    """
    if period is None:
        return None
    if not isinstance(period, str) or not _PERIOD.fullmatch(period):
        raise ConfigError(
            "a period is 1 to 32 of A-Z, a-z, 0-9, dot, hyphen and underscore, such as 2026-12"
        )
    if _DIGITS.fullmatch(period) and not _MONTH.fullmatch(period):
        raise ConfigError(
            f"the period {period!r} is no month: write it as 2026-12. A mistyped period would "
            "pay the same references once more"
        )
    return period.lower()


def check_days(days: float) -> float:
    """Return the days within which an account is not sent the same sum again.

    Raises:
        ConfigError: it is no such number.
    """
    if isinstance(days, bool) or not isinstance(days, int | float) or not 0 <= days <= _MOST_DAYS:
        raise ConfigError(f"repeat_days must be a number from 0 to {_MOST_DAYS}")
    return float(days)


def _period_words(period: str | None) -> str:
    return "without a period" if period is None else f"for period {period}"


def name_from(source: Any, period: str | None = None) -> str:
    """Return the name a batch gets from its file, the sheet chosen in it, and its period.

    Raises:
        ConfigError: when the rows come from no file.
    """
    file = file_of(source)
    if file is None:
        raise ConfigError("rows that come from no file need a name for their batch")
    named = file.path.stem
    if file.sheet is not None:
        # As it may be typed in any case.
        named += f"-{file.sheet.strip().lower()}"
    stem = _NOT_IN_NAMES.sub("-", named).strip(".-_")
    ending = "" if period is None or stem.lower().endswith(period) else f"-{period}"
    return check_name((stem[: 64 - len(ending)] or "batch") + ending)


def chunk_ranges(count: int, size: int = CHUNK_ROWS) -> list[tuple[int, int]]:
    """Return first and last row of each chunk."""
    return [(first, min(first + size - 1, count)) for first in range(1, count + 1, size)]
