"""Text that must never be printed: its holders, and masks for text it may have slipped into."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Generic, NoReturn, Self, TypeVar, final
from urllib.parse import quote, quote_plus

T = TypeVar("T")

MASK = "***"

# Field names of the vendor's API whose values are secret or as good as card data.
SECRET_FIELDS = frozenset(
    {
        "card_encrypted_number",
        "card_encrypted_expiry_month",
        "card_encrypted_expiry_year",
        "card_encrypted_cvv",
        "card_nonce",
        "auth_pin_encrypted",
        "auth_pin_nonce",
        "auth_otp",
        "x-dgs-api-key",
        "authorization",
        "api_key",
        "pin",
        "otp",
        "cvv",
    }
)

_FEWEST_CARD_DIGITS = 13

# A key of the vendor's, or a run of digits long enough to be a card number.
_SECRET_LOOKING = re.compile(
    r"\bsk_[A-Za-z0-9_-]+|(?<!\d)(?:\d[ -]?){12,18}\d(?!\d)", re.IGNORECASE
)

_SHORTEST_CARD = 10**12

# What is shorter may be a part of something harmless.
_SHORTEST_ANYWHERE = 12


def take_name(cls: type, name: str) -> tuple[Callable[[Any, Any], None], Callable[[Any], Any]]:
    """Take the name of a slot away, and return what sets the slot and what reads it.

    What has no name is found by no printer, be it one that knows attrs classes, slots or `vars()`.
    """
    slot = cls.__dict__[name]
    delattr(cls, name)
    slots: tuple[str, ...] = cls.__dict__["__slots__"]
    cls.__slots__ = tuple(named for named in slots if named != name)  # type: ignore[attr-defined]
    return slot.__set__, slot.__get__


class Sealed(Generic[T]):
    """A value without a printable form; `reveal()` is the one way to it."""

    __slots__ = ("_value",)

    def __init__(self, value: T) -> None:
        _set_value(self, value)

    def reveal(self) -> T:
        """Return the value. Use it in the expression that needs it and keep it in no variable."""
        return _value_of(self)  # type: ignore[no-any-return]

    def __eq__(self, other: object) -> bool:
        """Compare in constant time where it is text."""
        if type(other) is not type(self):
            return NotImplemented
        return _are_equal(self.reveal(), other.reveal())

    def __hash__(self) -> int:
        return hash((type(self), self.reveal()))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({MASK!r})"

    def __str__(self) -> str:
        return MASK

    def __format__(self, spec: str) -> str:
        return MASK

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self

    def __reduce__(self) -> NoReturn:
        msg = "a secret cannot be pickled"
        raise TypeError(msg)


_set_value, _value_of = take_name(Sealed, "_value")


@final
class Secret(Sealed[str]):
    """A string without a printable form."""

    __slots__ = ("_probes",)

    def __init__(self, text: str) -> None:
        _set_value(self, text)
        _set_probes(self, None)


_set_probes, _probes_of = take_name(Secret, "_probes")


def sealed_text(value: object) -> Secret:
    """Return text as a Secret; anything else as an empty one, which is rejected as malformed."""
    return Secret(value if isinstance(value, str) else "")


def _are_equal(one: object, other: object) -> bool:
    if isinstance(one, str) and isinstance(other, str):
        one, other = one.encode("utf-8", "surrogatepass"), other.encode("utf-8", "surrogatepass")
        if len(one) != len(other):  # which `compare_digest` does not hide either
            return False
        from hmac import compare_digest  # noqa: PLC0415 - it loads OpenSSL, which few calls need

        return compare_digest(one, other)
    return one == other


# --- masks ----------------------------------------------------------------------------------


def masked(value: Any, secrets: Iterable[Secret] = ()) -> Any:
    """Return parsed JSON fit to be shown: no secret field, known secret or card-like number.

    Its texts and keys are printable, too.
    """
    without = _remover(secrets)
    return _masked(value, without, lambda text: _fit_to_be_shown(without(text)))


def masked_data(value: Any) -> Any:
    """Return parsed JSON fit to be kept: no secret field or card-like number, else as it came.

    A line break in a narration is a part of it. Whatever shows the value makes it printable.
    """
    return _masked(value, str, _without_secret_looking)


def _masked(value: Any, without: Callable[[str], str], mask: Callable[[str], str]) -> Any:
    if isinstance(value, Mapping):  # metadata may be any
        return {
            _masked(key, without, mask): (
                MASK
                if str(key).lower() in SECRET_FIELDS and item is not None
                else _masked(item, without, mask)
            )
            for key, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [_masked(item, without, mask) for item in value]
    if isinstance(value, str):
        return mask(value)
    if type(value) is int and (value >= _SHORTEST_CARD or without(str(value)) == MASK):
        return MASK
    return value


def masked_text(text: str, secrets: Iterable[Secret] = ()) -> str:
    """Return foreign text fit to be shown, in a log or on a terminal.

    The given secrets, in whatever form they were written, API keys and card-like numbers are
    masked; line breaks become spaces, and other characters that cannot be printed (ESC, those
    that turn the direction of text) replacement characters.
    """
    return _fit_to_be_shown(_remover(secrets)(text))


def _fit_to_be_shown(text: str) -> str:
    text = _without_secret_looking(text)
    if text.isprintable():
        return text
    return "".join([_printable(char) for char in text])


def _without_secret_looking(text: str) -> str:
    # Shorter than the shortest card number: most texts are, and need no search.
    if len(text) >= _FEWEST_CARD_DIGITS or "sk_" in text.lower():
        text = _SECRET_LOOKING.sub(MASK, text)
    return text


def _printable(char: str) -> str:
    if char.isprintable():
        return char
    return " " if char.isspace() else "\N{REPLACEMENT CHARACTER}"


def without_echoes(value: Any, secrets: Sequence[Secret], *, decisive: frozenset[str]) -> Any:
    """Return parsed JSON in which no given secret stands any more, in keys and values.

    A short one may by chance be equal to an amount or stand in a reference: fields named in
    `decisive` are only rid of the long ones, and so are keys that can be the name of a field.
    """
    long = _remover(secret for secret in secrets if len(secret.reveal()) >= _SHORTEST_ANYWHERE)
    return _without_echoes(value, _remover(secrets), long, decisive)


def _without_echoes(
    value: Any,
    without: Callable[[str], str],
    without_long: Callable[[str], str],
    decisive: frozenset[str],
) -> Any:
    if isinstance(value, dict):
        return {
            (without_long if key.isidentifier() else without)(key): _without_echoes(
                item, without_long if key in decisive else without, without_long, decisive
            )
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [_without_echoes(item, without, without_long, decisive) for item in value]
    return without(value) if isinstance(value, str) else value


def may_hold(body: bytes, secrets: Iterable[Secret]) -> bool:
    """Return whether one of the secrets may stand in an answer. It may say so where none does."""
    text = _small(body)
    for secret in secrets:
        for probe in _probes_of(secret) or (_core(secret.reveal()),):
            if probe in text:
                return True
    return "\\u" in text  # letters written as numbers


def watch_closely(secret: Secret) -> None:
    """Make `may_hold` look for a secret in base64 and hex, too. Worth it for one that stays."""
    if _probes_of(secret) is not None:
        return
    text = secret.reveal()
    encoded = [form for form, _ in _forms(text) if _core(text) not in form]
    _set_probes(secret, (_core(text), *encoded))


def _core(text: str) -> str:
    """Return the longest part that is written in the same way wherever special characters are not.

    Percent-encoded, in JSON within JSON and in HTML.
    """
    small = text.lower()
    return small if small.isalnum() else max(_SPECIAL.split(small), key=len)


_SPECIAL = re.compile(r"[^a-z0-9_.-]+", re.ASCII)


_MOST_ECHOES = 1_000


def _remover(secrets: Iterable[Secret]) -> Callable[[str], str]:
    """Return what masks the secrets in one text after another, in whatever form they stand there.

    Their forms are made once, and held by a function, for that shows nothing. An honest server
    does not repeat them a thousand times: from then on, a text with one of them in it is masked
    as a whole.
    """
    left = _MOST_ECHOES
    forms = [form for secret in secrets for form in _forms(secret.reveal())]
    shortest = min((len(form) for form, _ in forms), default=0)

    def without(text: str) -> str:
        if len(text) < shortest or not forms:
            return text
        # In plain ASCII, or its bytes as letters: a small letter stands where the capital did.
        letters = text if text.isascii() else _as_letters(text)
        small = text.lower() if text.isascii() else _small(letters.encode("latin-1"))
        found = [(form, is_alone) for form, is_alone in forms if form in small]
        if not found:
            return text
        nonlocal left
        for form, is_alone in found:
            left -= small.count(form)
            if left < 0:
                return MASK
            letters, small = _cut_out(form, letters, small, is_alone=is_alone)
        return letters if text.isascii() else _as_text(letters)

    return without


def _as_letters(text: str) -> str:
    return text.encode("utf-8", "surrogatepass").decode("latin-1")


def _small(raw: bytes) -> str:
    """Return bytes as letters, those of ASCII as small ones: much faster than those of text."""
    return raw.lower().decode("latin-1")


def _as_text(letters: str) -> str:
    return letters.encode("latin-1").decode("utf-8", "surrogatepass")


def _cut_out(form: str, letters: str, small: str, *, is_alone: bool) -> tuple[str, str]:
    """Mask a form of a secret wherever it stands, all at once: the text may be long."""
    kept: list[slice] = []
    begin, start = 0, small.find(form)
    while start >= 0:
        end = start + len(form)
        # An OTP such as 123456 must not eat into a reference such as dgs_123456789.
        if is_alone and _is_within_a_word(small, start, end):
            start = small.find(form, start + 1)
            continue
        kept.append(slice(begin, start))
        begin, start = end, small.find(form, end)
    kept.append(slice(begin, None))
    return MASK.join([letters[part] for part in kept]), MASK.join([small[part] for part in kept])


def _is_within_a_word(text: str, start: int, end: int) -> bool:
    before, after = text[start - 1 : start], text[end : end + 1]
    return any(char.isascii() and (char.isalnum() or char == "_") for char in (before, after))


# As `html.escape`, whose module loads the names of all the characters there are.
_IN_HTML = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#x27;"})


def _forms(text: str) -> list[tuple[str, bool]]:
    """Return what a secret may be written as, in small letters, and whether it must stand alone."""
    if not text:
        return []
    raw = text.encode("utf-8", "surrogatepass")
    written = {text, json.dumps(text)[1:-1], text.replace("/", "\\/"), text.translate(_IN_HTML)}
    written |= {quote(raw, safe=""), quote(raw), quote_plus(raw), raw.hex()}
    # Every character as a number: percent-encoded, for HTML, for JSON within JSON.
    for each in ("%{:02x}", "&#{};", "&#x{:x};", "\\u{:04x}"):
        written.add("".join([each.format(byte) for byte in raw]))
    forms = {form.lower(): len(text) < _SHORTEST_ANYWHERE for form in written}
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        whole = encode(raw).decode().lower()
        forms |= {whole: False, whole.rstrip("="): len(whole) < _FEWEST_OF_BASE64}
        forms |= dict.fromkeys(_within_base64(encode, raw), False)
    # The longest first: what is left of it after a shorter one could not be known any more.
    small = {_small(form.encode("utf-8", "surrogatepass")): alone for form, alone in forms.items()}
    return sorted(small.items(), key=lambda form: (-len(form[0]), form))


def _within_base64(encode: Callable[[bytes], bytes], raw: bytes) -> list[str]:
    """Write bytes in base64 from any of three places within other bytes.

    The first and the last characters are partly those of the others, and left out.
    """
    padded = [(shift, encode(b"\0" * shift + raw).decode().lower()) for shift in range(3)]
    forms = [form[-(-shift * 4 // 3) : (shift + len(raw)) * 4 // 3] for shift, form in padded]
    return [form for form in forms if len(form) >= _FEWEST_OF_BASE64]


# Of fewer letters and digits, some may stand in a reference by chance.
_FEWEST_OF_BASE64 = 6
