"""Fidelity of the emulator to DGS-Pay: each behaviour, and where the knowledge comes from."""

from __future__ import annotations

from typing import Final, Literal

import attrs

Basis = Literal["documented", "upstream", "assumed"]
"""In the vendor's guide; known of Flutterwave, which it is built on; or neither."""


@attrs.frozen
class Behaviour:
    """One thing the emulator does.

    Attributes:
        area: Which part of the API.
        does: What the emulator does.
        basis: How sure it is that the real service does the same.
        source: Where that is from, or why it was chosen.
    """

    area: str
    does: str
    basis: Basis
    source: str


# fmt: off
FIDELITY: Final = (
    # --- every request ---
    Behaviour("requests", "needs X-DGS-API-Key and X-DGS-ACCOUNT-NUMBER, else 91",
              "documented", "guide, Required Headers; the number can be made optional"),
    Behaviour("requests", "rejects sk_live_ keys with 91", "assumed",
              "a live key has no business on a test machine"),
    Behaviour("requests", "HTTP 400, 401, 404, 409, 500 for 90, 91, 92, 93, 99; 200 otherwise, "
              "declined payments too", "assumed", "only error_code is documented"),
    Behaviour("requests", "a refusal is status failed, message and error_code", "documented",
              "guide, Currency Conversion, example of a failure"),
    Behaviour("requests", "JSON that is not strictly JSON, duplicate keys and bodies over 1 MiB "
              "are rejected with 90", "assumed", "guide, Error Codes: invalid JSON structure"),
    Behaviour("requests", "amounts are JSON numbers above 0, never text", "documented",
              "guide, parameter tables"),
    Behaviour("requests", "fields not in the guide are ignored", "assumed",
              "the guide says what is required, and not what is rejected"),
    Behaviour("requests", "dates without a zone are UTC", "assumed", "the zone is not said"),
    Behaviour("requests", "a path that is there gets 405 for a method it does not have, one "
              "that is not gets 404 and 92", "assumed", "HTTP; the guide does not say"),
    Behaviour("requests", "there is no rate limit unless a fault asks for 429", "assumed",
              "rate limits are not documented"),
    Behaviour("requests", "no IP address is rejected", "documented",
              "guide, IP Whitelisting: not enforced in sandbox"),
    Behaviour("requests", "an answer comes at once unless latency is asked for", "assumed",
              "upstream waits up to 28 s for a provider"),
    Behaviour("requests", "one outcome has the words of its place: successful in a charge, "
              "success in the transaction list and in events", "documented",
              "guide, Response Format, List Response, Payment Event Payloads"),
    Behaviour("requests", "every amount in an answer is a number, but for those of "
              "recent_charges, which are text such as 500.00", "documented",
              "guide, Get Link Details & Stats, example"),
    # --- idempotency ---
    Behaviour("idempotency", "the key comes in Idempotency-Key or X-Idempotency-Key, on POST, "
              "PATCH and DELETE", "assumed", "upstream has X-Idempotency-Key on POST; the guide "
              "names no header"),
    Behaviour("idempotency", "the same request again gets the first answer byte for byte, with "
              "X-Idempotency-Cache-Hit: true", "upstream", "Flutterwave v4"),
    Behaviour("idempotency", "another request with the key, or one while the first is in "
              "flight, gets 93", "assumed", "guide, Error Codes: key conflict"),
    Behaviour("idempotency", "only what was carried out is remembered, and for good", "assumed",
              "a refusal changed nothing"),
    Behaviour("idempotency", "keys have 1 to 255 printable ASCII characters", "assumed",
              "upstream: 12 to 255, alphanumeric"),
    # --- mobile money ---
    Behaviour("mobile money", "a charge is pending with a redirect URL", "documented",
              "guide, Response Format"),
    Behaviour("mobile money", "it settles by itself after settle_after seconds", "assumed",
              "stands for the customer's approval"),
    Behaviour("mobile money", "scenario:auth_pin answers Payment completed at once",
              "documented", "guide: payment auto-approved; that it is at once is assumed"),
    Behaviour("mobile money", "scenario:auth_redirect waits for a decision on the page its URL "
              "leads to", "documented", "guide: redirect flow triggered; the page is the "
              "emulator's"),
    Behaviour("mobile money", "phones that end in 9000001 to 9000004 decline at once, decline "
              "later, are rejected by the customer, or never answer", "assumed",
              "the guide has no scenario for a decline"),
    Behaviour("mobile money", "mobile_money_phone is nine digits from 72, 73, 78 or 79",
              "assumed", "guide: phone number without country code"),
    # --- cards ---
    Behaviour("cards", "fields are AES-256-GCM, the IV is the nonce's 12 ASCII characters",
              "documented", "guide, Encryption Implementation: its code, not its prose"),
    Behaviour("cards", "a nonce may come twice", "assumed",
              "the guide says never; whether it is enforced is unknown"),
    Behaviour("cards", "only published test cards are accepted, else 90", "assumed",
              "a real card number must not end up here"),
    Behaviour("cards", "next_action_type is requires_pin, requires_otp or "
              "requires_additional_fields", "upstream", "Flutterwave v4"),
    Behaviour("cards", "auth_3ds asks for an OTP; auth_pin_3ds for the PIN, then the OTP",
              "assumed", "guide: OTP is 3DS OTP"),
    Behaviour("cards", "the PIN is 1234 and the OTP 123456; a wrong one declines the payment",
              "assumed", "the guide's examples"),
    Behaviour("cards", "issuer words decline with ISO 8583 codes after the last step, "
              "incorrect_pin at the PIN", "assumed", "the guide shows code 05 only"),
    Behaviour("cards", "a wrong auth_type, or a payment that awaits nothing, is rejected with 90",
              "assumed", "guide, Error Codes: 90 is a validation error"),
    Behaviour("cards", "the expiry date is read and not compared with today", "assumed",
              "tests should not fail in a later year"),
    # --- links ---
    Behaviour("payment links", "the list has data and pagination, as transactions do",
              "assumed", "guide: paginated"),
    Behaviour("payment links", "status is active, archived, expired or completed", "assumed",
              "the guide shows active"),
    Behaviour("payment links", "fields beyond the guide's example answer are shown when given",
              "assumed", "guide, Get Link Details: same fields as create response"),
    Behaviour("payment links", "PATCH takes the create fields; an archived link takes none",
              "assumed", "guide: Update a link"),
    Behaviour("payment links", "a pending payment holds one of max_uses until it fails",
              "assumed", "else two payers could both win the last use"),
    Behaviour("payment links", "one try of the page is one payment, whatever is entered when its "
              "answer was lost; a payment begun goes on after the link has ended", "assumed",
              "else a payer could pay twice, or lose sight of what was paid"),
    Behaviour("payment links", "the page takes whole amounts of a currency without a minor unit",
              "assumed", "RWF has none; the API itself takes fractions"),
    Behaviour("payment links", "the page offers mobile money for RWF only", "documented",
              "guide, Mobile Money API"),
    Behaviour("payment links", "ussd and bank_transfer wait for a decision, as mobile money does",
              "assumed", "the guide names them and shows no flow"),
    Behaviour("payment links", "the payer is sent to redirect_url without parameters", "assumed",
              "guide: where to send the payer after payment completes"),
    # --- disbursements ---
    Behaviour("disbursements", "the wallet pays the gross amount, the recipient gets it less "
              "the fee", "documented", "guide, Disburse Funds"),
    Behaviour("disbursements", "the fee is 100 RWF, and the amount must be above it",
              "assumed", "the guide's examples; no schedule is published"),
    Behaviour("disbursements", "the answer has dgs_reference, transaction_status, amount, fee, "
              "recipient_gets, currency and destination_type", "assumed",
              "guide: only confirms the transfer is queued"),
    Behaviour("disbursements", "more than the wallet holds is rejected as VALIDATION_ERROR",
              "assumed", "guide, Currency Conversion"),
    Behaviour("disbursements", "scenarios insufficient_balance and invalid_currency are queued "
              "and fail by webhook; the wallet is refunded", "upstream", "Flutterwave v4"),
    Behaviour("disbursements", "without a scenario a transfer succeeds", "assumed",
              "upstream leaves it pending: settle_transfers=False"),
    Behaviour("disbursements", "GET /transactions/{dgs_reference} finds a transfer, the list "
              "does not", "assumed", "transfers_in_lookup=False hides it"),
    Behaviour("disbursements", "mobile money goes to RW only", "documented",
              "guide: Rwanda; more is planned for v3"),
    Behaviour("banks", "countries other than RW get 92", "assumed",
              "guide, Error Codes: 92 is a resource that does not exist"),
    Behaviour("banks", "bk_rw, kcb_rw and mtn_rw are the guide's keys, the others are made up; "
              "bpr_rw needs a branch", "assumed", "guide, List Banks & Providers, examples"),
    # --- wallet ---
    Behaviour("wallet", "a collection costs 3 %", "assumed",
              "guide, Payment Event Payloads: 150 of 5,000"),
    Behaviour("wallet", "a successful payment is available at once, less the fee", "assumed",
              "the guide does not say when pending becomes available"),
    Behaviour("conversions", "the path is POST /convert", "documented",
              "the vendor's public wallet page"),
    Behaviour("conversions", "1 USD is 0.945 EUR; other rates are made up and fixed",
              "documented", "guide, Currency Conversion, example"),
    Behaviour("conversions", "the target is pending until the conversion settles", "assumed",
              "guide: will be credited shortly"),
    Behaviour("conversions", "a failed conversion is refunded", "documented",
              "guide, Currency Conversion"),
    Behaviour("conversions", "a preview does not look at the balance", "assumed",
              "guide, Currency Conversion: read-only rate check"),
    # --- transactions ---
    Behaviour("transactions", "newest first; a limit over 100 is rejected with 90", "assumed",
              "guide: max 100"),
    Behaviour("transactions", "a single transaction has the row's fields, the fees, the "
              "customer, the method and the decline", "assumed", "guide: full details"),
    # --- webhooks ---
    Behaviour("webhooks", "X-DGS-Signature is the lowercase hex HMAC-SHA256 of the body",
              "documented", "guide, Signature Verification"),
    Behaviour("webhooks", "events for a callback_url are signed with the same secret",
              "assumed", "the guide knows one webhook secret"),
    Behaviour("webhooks", "anything but 2xx is tried again after 5 s, 30 s, 2 min, 10 min and "
              "1 h; redirects are not followed", "assumed", "guide: automatic retries"),
    Behaviour("webhooks", "none leaves before the call that caused it is answered", "assumed",
              "the real service gives no such promise"),
    Behaviour("webhooks", "the same event comes at least once, and may come twice "
              "(the mode duplicate)", "documented",
              "guide, Signature Verification: delivery is at-least-once"),
    Behaviour("webhooks", "events may come late, never, or in another order than they arose "
              "(the modes delay, drop and reorder)", "assumed",
              "guide: webhooks can be retried on network failure; it promises no order"),
    Behaviour("webhooks", "an event may be signed wrongly (the mode wrong_signature), as someone "
              "else's would be", "documented",
              "guide, Signature Verification: always verify before processing"),
    Behaviour("webhooks", "the environment of an event is test", "documented",
              "guide, Payment Event Payloads: test or production"),
    Behaviour("webhooks", "an answer is waited for so long: 5 s", "assumed",
              "guide: respond immediately, delayed responses trigger retries"),
    # --- merchants ---
    Behaviour("merchants", "each has its own key, account number, webhook secret, encryption key, "
              "wallet and history; what is another's gets 92", "documented",
              "guide, Authentication, and Error Codes: belongs to a different account"),
    Behaviour("merchants", "a key with another merchant's account number gets 91", "assumed",
              "guide, Required Headers: both on every request"),
    Behaviour("merchants", "the slugs of all merchants' links are in one address space",
              "assumed", "guide, Create a Payment Link: the URL has the slug alone"),
    Behaviour("merchants", "the guide's placeholder credentials are taken only when asked for "
              "(guide_credentials)", "assumed", "so that its examples run as they stand"),
    # --- what is not DGS-Pay's ---
    Behaviour("emulator only", "faults are injected on request: lost answers, closed connections, "
              "requests sent on twice, slow and dripping answers, half a JSON, 429, 502 in HTML, "
              "redirects, error codes, repeated rows", "assumed",
              "what networks and proxies do; the guide has error codes "
              "only"),
    Behaviour("emulator only", "the time can be moved on; everything due on the way happens at "
              "its own moment", "assumed", "for tests; the real service has no such thing"),
    Behaviour("emulator only", "a state file, snapshots and a reset", "assumed",
              "for tests; the real service keeps everything"),
)
# fmt: on
