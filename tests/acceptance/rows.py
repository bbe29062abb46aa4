"""The rows of the acceptance list, one line each: a bad input or a fault, and what must happen."""

from __future__ import annotations

from itertools import zip_longest
from typing import NamedTuple


class Row(NamedTuple):
    """A row of the acceptance list."""

    name: str
    text: str


ROWS = {
    # Building a request
    1: Row(
        "odd-reference",
        "a reference that leaves its path (`..`, empty, control characters, too long): ValueError",
    ),
    2: Row(
        "encoded-reference",
        "a reference with `?`, `#`, `/` or `%`: percent-encoded, always one segment of the path",
    ),
    3: Row(
        "foreign-url",
        "an absolute URL where a path is expected: refused, the key never leaves our origin",
    ),
    4: Row(
        "odd-api-key",
        "an API key with line breaks, spaces, typographic quotes: ConfigError that hides it",
    ),
    5: Row(
        "odd-idempotency-key",
        "an idempotency key that is empty, not ASCII, broken over lines, too long: ValueError",
    ),
    6: Row(
        "odd-amount",
        "an amount that is a bool, a float, NaN, 0, negative, huge: refused; others exact",
    ),
    7: Row("rwf-fraction", "RWF with a fraction: refused, with a documented switch"),
    8: Row(
        "odd-network", "mobile money in another currency or network: refused; `mtn` becomes `MTN`"
    ),
    9: Row(
        "odd-base-url",
        "a base URL without TLS off loopback, with userinfo, query, bad port: ConfigError",
    ),
    10: Row(
        "wrong-environment-key",
        "a live key against sandbox or emulator, a test key against production: ConfigError",
    ),
    11: Row("scenario-in-production", "a scenario against production: refused"),
    12: Row(
        "odd-link-terms",
        "an expiry with a zone nobody can convert, amounts that do not fit the link: refused",
    ),
    # Transport
    13: Row("redirect", "a redirect: never followed; a POST is UNKNOWN"),
    14: Row(
        "not-reached",
        "refused, no such name: NOT_SENT and tried again; a bad certificate: raised at once",
    ),
    15: Row(
        "lost-answer",
        "reset, closed, timed out or stalled after sending: UNKNOWN, with the key on the error",
    ),
    16: Row("dripping-server", "a server that drips: the total deadline ends it"),
    17: Row(
        "oversized-answer",
        "a compressed, endless or huge answer: an error of ours, in bounded memory",
    ),
    18: Row(
        "ambient-settings",
        "proxy variables, .netrc, cookies: ignored unless asked for (cookies always)",
    ),
    19: Row(
        "cancelled-under-contention",
        "500 requests cancelled under contention: the client works, no connection is lost",
    ),
    20: Row(
        "cancelled-post",
        "cancelled in mid-POST: re-raised as it came; a payout ledger says UNKNOWN",
    ),
    21: Row(
        "shared-client",
        "one client in two loops, 20 threads, after fork, after close: works, or a clear error",
    ),
    # Reading an answer
    22: Row(
        "no-json-answer",
        "502 in HTML, 204, an empty or cut body: server error or UNKNOWN, with a short excerpt",
    ),
    23: Row(
        "error-in-200",
        "200 with an error code: an exception by code; 4xx with `status: success`: an error",
    ),
    24: Row("declined-payment", "a declined payment: returned, not raised"),
    25: Row("unseen-status", "a status never seen: kept as it came, never counts as paid"),
    26: Row(
        "odd-fields",
        "unknown fields: kept; missing optional: None; missing reference of a charge: UNKNOWN",
    ),
    27: Row(
        "exact-values",
        "amounts in each notation: the same exact Decimal; other types: refused, not coerced",
    ),
    28: Row(
        "hostile-json",
        "NaN, 1e400, duplicate keys, huge numbers, deep nests, bad UTF-8: DecodeError only",
    ),
    # Retrying
    29: Row("same-bytes-again", "every attempt: the key and the bytes of the first"),
    30: Row(
        "retry-after",
        "Retry-After in any form: clamped; past the deadline: raised with `retry_after`",
    ),
    31: Row("retry-table", "codes 93 and 99: the whole table, for each kind of operation"),
    32: Row("retry-budget", "an outage: the retry budget fails fast, and says so"),
    33: Row("key-with-two-bodies", "one key at once with two bodies: the second is refused here"),
    # Pages
    34: Row(
        "moving-pages",
        "pages that move, repeat, are empty or lie about themselves: ends, no row twice",
    ),
    35: Row("failed-page", "a failure on page 3: resumable, nothing twice, nothing skipped"),
    # Encryption
    36: Row("odd-encryption-key", "a bad encryption key: ConfigError; a bad nonce: ValueError"),
    37: Row("odd-card-digits", "a bad card number, month or CVV: ValueError without its digits"),
    38: Row("nonce-reuse", "a nonce used twice, or for a PIN after its card: refused"),
    39: Row(
        "known-answer", "the known-answer test of the wire format, in Python and in the browser"
    ),
    # Webhooks
    40: Row(
        "bad-signature",
        "a signature missing, malformed or one bit off: SignatureError, never another exception",
    ),
    41: Row(
        "webhook-secrets",
        "an empty secret: ConfigError; two secrets during a rotation: either passes",
    ),
    42: Row("raw-body-only", "a body that is not bytes: refused; a re-serialised one fails"),
    43: Row(
        "handled-once",
        "the same event twice, at once in two processes: handled once; again after a failure",
    ),
    44: Row(
        "events-in-any-order", "events in any order: each delivered, in a way the program can order"
    ),
    45: Row(
        "foreign-event",
        "an unknown event: delivered; of the other environment: refused; 10 MB: 413",
    ),
    # Emulator
    46: Row(
        "emulator-is-local",
        "the emulator: loopback only, no live key, no card off its published list, none stored",
    ),
    47: Row(
        "idempotent-replay",
        "the same key at once, replayed, with another body: 93, the same bytes, 93",
    ),
    48: Row("odd-scenario", "a malformed scenario: 90; its parts in either order"),
    49: Row(
        "link-limits", "a link expired, archived, used up, its last use raced for: exactly one wins"
    ),
    50: Row("hostile-page-text", "markup in a title, a script as redirect: escaped, refused"),
    51: Row(
        "webhook-redelivery",
        "a webhook target that fails in any way: delivered again on a schedule",
    ),
    # Bulk payouts
    52: Row(
        "killed-run",
        "`kill -9` at any moment: nobody paid twice, nobody forgotten, the key on disk first",
    ),
    53: Row("two-workers", "two workers on one batch: each row is sent by one of them"),
    54: Row(
        "held-in-doubt",
        "a row whose answer was lost: held until it is settled, never sent again blindly",
    ),
    55: Row(
        "edited-sheet",
        "the file edited after the start: refused; duplicate rows: flagged before sending",
    ),
    56: Row(
        "preflight",
        "too small a balance, an amount under the fee, a missing branch: found before sending",
    ),
    57: Row(
        "pause-and-full-disk",
        "many lost answers in a row: the run pauses; a full disk: nothing is sent",
    ),
    58: Row(
        "contradicting-evidence",
        "an event before its answer, failed after success: merged, the contradiction shown",
    ),
    # Calls, again
    59: Row(
        "conflict-on-own-key",
        "93 on a generated key: the same key and bytes again; at the end UNKNOWN, likely accepted",
    ),
    60: Row(
        "one-rule-for-paid",
        "one rule for paid everywhere; what contradicts itself is neither paid nor failed",
    ),
    61: Row(
        "unclear-refusal",
        "99 to the end, a bare `status: failed`, a 4xx without a code: UNKNOWN where money moves",
    ),
    62: Row(
        "nothing-left",
        "nothing can have left: NOT_SENT; a transport set up wrongly: ConfigError when made",
    ),
    63: Row(
        "leftover-bytes",
        "bytes behind an answer, in socket, TLS record or parser: the connection is dropped",
    ),
    64: Row(
        "endless-answer",
        "a status below 200, endless 1xx, a huge nested answer: our error, the loop goes on",
    ),
    65: Row(
        "shared-pager", "one pager in ten tasks: no row is lost, or the second walker is refused"
    ),
    66: Row(
        "broken-output",
        "money moved, stdout full, closed or gone: the exit code and stderr tell what was done",
    ),
    67: Row(
        "no-secret-in-dumps",
        "rich, structlog, `attrs.asdict`, foreign frames: no key, OTP, PIN or card in them",
    ),
    68: Row(
        "hostile-server-text",
        "control characters and secrets in any word of a server: masked and printable",
    ),
    69: Row(
        "no-leak",
        "1,000 runs of `asyncio.run`, 1,000 clients in one loop: no file, no memory is kept",
    ),
    70: Row("fork-at-any-moment", "a fork at any moment of another thread's call: no child hangs"),
    71: Row(
        "raising-signal-handler",
        "a signal handler that raises in a wait: its exception comes out, no slot is lost",
    ),
    72: Row(
        "slow-name-server",
        "a dead first address, a silent name server: connected, or ended at the deadline",
    ),
    73: Row("fair-slots", "60 threads on 10 slots: first come, first served"),
    74: Row(
        "django-connections",
        "Django: connections of a plain handler are closed; LoginRequiredMiddleware lets it in",
    ),
    # Orders
    75: Row("double-click", "a double click, two tabs, three processes: one attempt, one prompt"),
    76: Row(
        "lost-charge-answer",
        "a charge's answer lost: in doubt until its webhook; a second try gets the first answer",
    ),
    77: Row(
        "webhook-at-any-moment",
        "a webhook before the answer, before the commit, twice, after the sweep: one transition",
    ),
    78: Row(
        "contradicting-events",
        "`failed` and `success` in either order, a second attempt open: paid once, problem noted",
    ),
    79: Row(
        "paid-twice",
        "two attempts both paid: one counts, the other is a problem with a refund offered",
    ),
    80: Row("other-amount", "an amount or currency other than the order's: not paid, a problem"),
    81: Row(
        "late-payment",
        "a payment after expiry or cancellation: a problem, never silently dropped or shipped",
    ),
    82: Row(
        "handler-once",
        "a handler that raises, is killed, outlives its lease: run again; once it succeeded: never",
    ),
    83: Row(
        "killed-attempt",
        "`kill -9` at any moment of an attempt: nothing twice, nothing lost after a sweep",
    ),
    84: Row(
        "foreign-order-event",
        "an event with a foreign token, or about no known order: refused, or kept and listed",
    ),
    85: Row(
        "racing-sweeps",
        "sweeps in three processes, one racing a webhook: one look-up a round, one transition",
    ),
    86: Row(
        "code-sent-once",
        "a PIN, OTP or address submitted twice, late, for another attempt: sent at most once",
    ),
    87: Row("other-terms", "an order opened again with other terms: refused, naming them"),
    88: Row(
        "too-many-attempts",
        "too many attempts for an order, a page token, an address: 429 with what to do",
    ),
    89: Row(
        "page-without-token",
        "page endpoints without a token, with another order's, cross-site: refused",
    ),
    90: Row(
        "racing-refunds",
        "two refunds of 60 of 100 at once: one is refused; one whose answer is lost is held",
    ),
    91: Row(
        "database-lost",
        "a database gone, full or read-only: a clear error; nothing sent that is not on disk",
    ),
    92: Row(
        "shared-database",
        "two accounts, or sandbox and production, in one database: equal references kept apart",
    ),
    93: Row(
        "abandoned-page",
        "a redirect that never returns, a page that is closed: ended by webhook, sweep or expiry",
    ),
    94: Row(
        "wrong-clock",
        "one machine's clock an hour off: no second prompt, no early expiry of what is paid",
    ),
    # Payroll
    95: Row(
        "reference-paid-elsewhere",
        "a reference that another batch may have paid: not taken, unless allowed by name",
    ),
    96: Row(
        "same-account-and-sum",
        "one account in any spelling, one sum, within N days: not taken, unless allowed by name",
    ),
    97: Row(
        "paid-once-when-resumed",
        "two open questions, a resumed batch, the rest of a stopped one as a sheet: paid once",
    ),
    98: Row(
        "same-sheet-next-month",
        "the same sheet next month: told as paid with its date, or paid under its own keys",
    ),
    99: Row(
        "lost-history",
        "a ledger or database that went back in time or lost its files: nothing sent blindly",
    ),
    100: Row(
        "every-way-of-paying",
        "every way of paying (run, work, pay_chunk, the API) obeys rows 95 to 99",
    ),
    101: Row(
        "database-trouble",
        "a database error, a lock holder without power, few connections: recovers, or says so",
    ),
    102: Row(
        "payroll-exit-codes", "unsent and in doubt at once are both told; a healthy run ends with 0"
    ),
    103: Row(
        "unknown-batch-event",
        "a webhook for a batch this listener does not know: not answered with 200",
    ),
    104: Row("reconcile-never-repeats", "`reconcile` never invites to pay again who was paid"),
    105: Row("slow-pace-stop", "stopped at a slow pace: what never left is new again"),
    106: Row(
        "odd-sheets",
        "sheets as offices make them: read rightly, or a fault with its line, name and value",
    ),
    107: Row(
        "approval-broken",
        "an approved batch that changed, approved by its preparer, expired, forged: refused",
    ),
    108: Row("log-tampered", "a log with a line changed, removed or added: `--verify` says which"),
    109: Row(
        "cancelled-payee",
        "a payee cancelled before or during the run: never sent afterwards, or told it had left",
    ),
    110: Row(
        "limits-and-prefixes",
        "limits, networks and prefixes that disagree: a warning that names the row",
    ),
}

NOT_YET: frozenset[int] = frozenset()
"""Rows whose code is still being written: a row leaves with its first test, and none comes back."""


def named(*arguments: object) -> list[int]:
    """Read the rows of a mark `acceptance(53, "two-workers", ...)`.

    Raises:
        ValueError: A number without a row, or without that row's name behind it.
    """
    rows = []
    for number, name in zip_longest(arguments[::2], arguments[1::2]):
        if not isinstance(number, int) or number not in ROWS:
            raise ValueError(f"the acceptance list has no row {number!r}")
        if name != (right := ROWS[number].name):
            raise ValueError(f'row {number} is acceptance({number}, "{right}"), not {name!r}')
        rows.append(number)
    return rows
