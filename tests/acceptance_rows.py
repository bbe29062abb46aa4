"""The rows of the acceptance list, one line each: a bad input or a fault, and what must happen."""

from __future__ import annotations

ROWS = {
    # Building a request
    1: "a reference that leaves its path (`..`, empty, control characters, too long): ValueError",
    2: "a reference with `?`, `#`, `/` or `%`: percent-encoded, always one segment of the path",
    3: "an absolute URL where a path is expected: refused, the key never leaves our origin",
    4: "an API key with line breaks, spaces, typographic quotes: ConfigError that hides it",
    5: "an idempotency key that is empty, not ASCII, broken over lines, too long: ValueError",
    6: "an amount that is a bool, a float, NaN, 0, negative, huge: refused; others exact",
    7: "RWF with a fraction: refused, with a documented switch",
    8: "mobile money in another currency or network: refused; `mtn` becomes `MTN`",
    9: "a base URL without TLS off loopback, with userinfo, query, bad port: ConfigError",
    10: "a live key against sandbox or emulator, a test key against production: ConfigError",
    11: "a scenario against production: refused",
    12: "an expiry with a zone nobody can convert, amounts that do not fit the link: refused",
    # Transport
    13: "a redirect: never followed; a POST is UNKNOWN",
    14: "refused, no such name: NOT_SENT and tried again; a bad certificate: raised at once",
    15: "reset, closed, timed out or stalled after sending: UNKNOWN, with the key on the error",
    16: "a server that drips: the total deadline ends it",
    17: "a compressed, endless or huge answer: an error of ours, in bounded memory",
    18: "proxy variables, .netrc, cookies: ignored unless asked for (cookies always)",
    19: "500 requests cancelled under contention: the client works, no connection is lost",
    20: "cancelled in mid-POST: re-raised as it came; a payout ledger says UNKNOWN",
    21: "one client in two loops, 20 threads, after fork, after close: works, or a clear error",
    # Reading an answer
    22: "502 in HTML, 204, an empty or cut body: server error or UNKNOWN, with a short excerpt",
    23: "200 with an error code: an exception by code; 4xx with `status: success`: an error",
    24: "a declined payment: returned, not raised",
    25: "a status never seen: kept as it came, never counts as paid",
    26: "unknown fields: kept; missing optional: None; missing reference of a charge: UNKNOWN",
    27: "amounts in each notation: the same exact Decimal; other types: refused, not coerced",
    28: "NaN, 1e400, duplicate keys, huge numbers, deep nests, bad UTF-8: DecodeError only",
    # Retrying
    29: "every attempt: the key and the bytes of the first, but for one documented rotation",
    30: "Retry-After in any form: clamped; past the deadline: raised with `retry_after`",
    31: "codes 93 and 99: the whole table, for each kind of operation",
    32: "an outage: the retry budget fails fast, and says so",
    33: "one key at once with two bodies: the second is refused here",
    # Pages
    34: "pages that move, repeat, are empty or lie about themselves: ends, no row twice",
    35: "a failure on page 3: resumable, nothing twice, nothing skipped",
    # Encryption
    36: "a bad encryption key: ConfigError; a bad nonce: ValueError",
    37: "a bad card number, month or CVV: ValueError without its digits",
    38: "a nonce used twice, or for a PIN after its card: refused",
    39: "the known-answer test of the wire format, in Python and in the browser",
    # Webhooks
    40: "a signature missing, malformed or one bit off: SignatureError, never another exception",
    41: "an empty secret: ConfigError; two secrets during a rotation: either passes",
    42: "a body that is not bytes: refused; a re-serialised one fails",
    43: "the same event twice, at once in two processes: handled once; again after a failure",
    44: "events in any order: each delivered, in a way the program can order",
    45: "an unknown event: delivered; of the other environment: refused; 10 MB: 413",
    # Emulator
    46: "the emulator: loopback only, no live key, no card off its published list, none stored",
    47: "the same key at once, replayed, with another body: 93, the same bytes, 93",
    48: "a malformed scenario: 90; its parts in either order",
    49: "a link expired, archived, used up, its last use raced for: exactly one wins",
    50: "markup in a title, a script as redirect: escaped, refused",
    51: "a webhook target that fails in any way: delivered again on a schedule",
    # Bulk payouts
    52: "`kill -9` at any moment: nobody paid twice, nobody forgotten, the key on disk first",
    53: "two workers on one batch: each row is sent by one of them",
    54: "a row whose answer was lost: held until it is settled, never sent again blindly",
    55: "the file edited after the start: refused; duplicate rows: flagged before sending",
    56: "too small a balance, an amount under the fee, a missing branch: found before sending",
    57: "many lost answers in a row: the run pauses; a full disk: nothing is sent",
    58: "an event before its answer, failed after success: merged, the contradiction shown",
}
