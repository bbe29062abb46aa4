"""Credentials, environments, origins and keys: refused before a client exists, never shown."""

from __future__ import annotations

import copy
import pickle
import traceback
from enum import Enum
from typing import Any

import attrs
import pytest

from dgspay import AsyncDGSPay, DGSPay, RetryPolicy
from dgspay.api import payment_links
from dgspay.errors import ConfigError
from dgspay.secret import Secret
from dgspay.settings import from_env
from tests.support.recorders import ACCOUNT, API_KEY, MOBILE_MONEY, Recorder, recording

CLIENTS = [AsyncDGSPay, DGSPay]

BAD_KEYS = {
    "newline": "sk_test_4eC39H\n",
    "carriage return": "sk_test_4eC39H\r\nX-Evil: 1",
    "space": "sk_test 4eC39H",
    "leading space": " sk_test_4eC39H",
    "typographic quotes": "\u201csk_test_4eC39H\u201d",
    "no-break space": "sk_test_4eC39H\u00a0",
    "zero-width space": "sk_test_4eC39H\u200b",
    "byte order mark": "\ufeffsk_test_4eC39H",
    "full-width": "sk_test_\uff14eC39H",
    "NUL": "sk_test_4eC39H\0",
    "lone surrogate": "sk_test_4eC39H\udc80",
    "513 characters": "4eC39H" + "x" * 507,
    "bytes": b"sk_test_4eC39H",
    "number": 439,
}


@pytest.mark.acceptance(4, "odd-api-key")
@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("key", BAD_KEYS.values(), ids=BAD_KEYS)
def test_malformed_api_key_is_refused_unseen(client: Any, key: Any) -> None:
    with pytest.raises(ConfigError, match="api_key") as caught:
        client(api_key=key, account_number=ACCOUNT)
    shown = "".join(traceback.format_exception(caught.value)).replace(__file__, "")
    assert "4eC39H" not in shown
    assert caught.value.__context__ is None


@pytest.mark.acceptance(4, "odd-api-key")
@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("key", ["", None])
def test_missing_api_key_is_refused(client: Any, key: Any) -> None:
    with pytest.raises(ConfigError, match="api_key is missing"):
        client(api_key=key, account_number=ACCOUNT)


@pytest.mark.acceptance(4, "odd-api-key")
@pytest.mark.parametrize(
    "number", ["", None, "ACC 1", "ACC\n1", "ACC\u2019", "\uff11", 1234, b"ACC"]
)
def test_malformed_account_number_is_refused(number: Any) -> None:
    with pytest.raises(ConfigError, match="account_number"):
        DGSPay(api_key=API_KEY, account_number=number)


@pytest.mark.acceptance(4, "odd-api-key")
@pytest.mark.parametrize("key", ["sk_test_4eC39H", "SK_LIVE_4eC39H", " sk-4eC39H", '"sk_4eC39H'])
@pytest.mark.parametrize("place", ["account_number", "environment", "base_url"])
def test_a_key_in_another_place_is_refused_unseen(place: str, key: str) -> None:
    options: dict[str, Any] = {"api_key": ACCOUNT, "account_number": ACCOUNT, place: key}
    with pytest.raises(ConfigError, match=f"{place} is an API key") as raised:
        DGSPay(**options)
    assert "4eC39H" not in str(raised.value)


@pytest.mark.acceptance(4, "odd-api-key")
def test_one_text_for_both_credentials_is_refused() -> None:
    with pytest.raises(ConfigError, match="account_number is an API key"):
        DGSPay(api_key="0123456789", account_number="0123456789")


def test_environment_without_an_account_number_does_not_show_the_key(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DGSPAY_API_KEY", API_KEY)
    monkeypatch.delenv("DGSPAY_ACCOUNT_NUMBER", raising=False)
    with pytest.raises(ConfigError, match="DGSPAY_ACCOUNT_NUMBER") as caught:
        from_env()
    report = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    frames = [frame for frame in report.stack if "/dgspay/" in frame.filename]
    assert frames
    assert API_KEY not in "".join(str(frame.locals) for frame in frames)


def test_client_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DGSPAY_API_KEY", API_KEY)
    monkeypatch.setenv("DGSPAY_ACCOUNT_NUMBER", ACCOUNT)
    monkeypatch.setenv("DGSPAY_ENVIRONMENT", "emulator")
    monkeypatch.setenv("DGSPAY_BASE_URL", "http://localhost:9000/v2/")
    retry = RetryPolicy(attempts=1)
    for client in (DGSPay.from_env(retry=retry), AsyncDGSPay.from_env(retry=retry)):
        assert client.settings.api_key == Secret(API_KEY)
        assert client.settings.account_number == ACCOUNT
        assert client.settings.environment == "emulator"
        assert client.settings.base_url == "http://localhost:9000/v2"
        assert client.settings.retry is retry
        assert API_KEY not in repr(client) + repr(client.settings) + str(vars(client))


BAD_IDEMPOTENCY_KEYS = {
    "empty": "",
    "non-ASCII": "k\u00e9y",
    "CR": "key\rX: 1",
    "LF": "key\nX: 1",
    "trailing LF": "key\n",
    "space": "a key",
    "NUL": "key\0",
    "full-width": "\uff4bey",
    "over 255": "k" * 256,
}


@pytest.mark.acceptance(5, "odd-idempotency-key")
@pytest.mark.parametrize("key", BAD_IDEMPOTENCY_KEYS.values(), ids=BAD_IDEMPOTENCY_KEYS)
def test_malformed_idempotency_key_is_refused(key: str) -> None:
    dgs, recorder = recording()
    with pytest.raises(ValueError, match="idempotency_key"):
        dgs.charges.mobile_money(**MOBILE_MONEY, idempotency_key=key)
    with pytest.raises(ValueError, match="idempotency_key"):
        dgs.payment_links.archive("link_1", idempotency_key=key)
    assert recorder.requests == []


@pytest.mark.acceptance(5, "odd-idempotency-key")
@pytest.mark.parametrize("key", [b"key", 5, True])
def test_idempotency_key_that_is_not_text_is_refused(key: Any) -> None:
    dgs, recorder = recording()
    with pytest.raises(TypeError, match="idempotency_key"):
        dgs.charges.mobile_money(**MOBILE_MONEY, idempotency_key=key)
    assert recorder.requests == []


@pytest.mark.acceptance(5, "odd-idempotency-key")
@pytest.mark.parametrize("key", ["k", "k" * 255, "!~"])
def test_idempotency_key_is_sent_as_it_is(key: str) -> None:
    dgs, recorder = recording()
    dgs.charges.mobile_money(**MOBILE_MONEY, idempotency_key=key)
    assert recorder.requests[0].headers["Idempotency-Key"] == key


@pytest.mark.acceptance(5, "odd-idempotency-key")
@pytest.mark.parametrize("key", BAD_IDEMPOTENCY_KEYS.values(), ids=BAD_IDEMPOTENCY_KEYS)
def test_malformed_idempotency_key_of_an_operation_made_by_hand_is_refused(key: str) -> None:
    dgs, recorder = recording()
    operation = attrs.evolve(payment_links.archive("link_1"), idempotency_key=key)
    with pytest.raises(ValueError, match="idempotency_key"):
        dgs.execute(operation)
    with pytest.raises(ValueError, match="idempotency_key"):
        dgs.prepare(operation)
    assert recorder.requests == []


class Named(str, Enum):  # noqa: UP042 - formatted, a StrEnum is its text, and this one its name
    ORDER = "order-1"
    TEST_KEY = "sk_test_4eC39H"


@pytest.mark.acceptance(5, "odd-idempotency-key")
def test_a_member_of_a_text_enum_is_sent_as_its_text() -> None:
    recorder = Recorder()
    dgs = DGSPay(api_key=Named.TEST_KEY, account_number=Named.ORDER, transport=recorder)
    dgs.charges.mobile_money(**MOBILE_MONEY, idempotency_key=Named.ORDER)
    dgs.execute(attrs.evolve(payment_links.archive("link_1"), idempotency_key=Named.ORDER))
    for request in recorder.requests:
        sent = request.reveal_headers()
        assert f"{sent['Idempotency-Key']}" == f"{sent['X-DGS-ACCOUNT-NUMBER']}" == "order-1"
        assert f"{sent['X-DGS-API-Key']}" == "sk_test_4eC39H"


@pytest.mark.parametrize("switch", ["allow_rwf_fractions", "trust_env"])
@pytest.mark.parametrize("word", ["false", "no", 0, None])
def test_a_switch_is_true_or_false(switch: str, word: Any) -> None:
    with pytest.raises(ConfigError, match=f"{switch} must be True or False"):
        recording(**{switch: word})


@pytest.mark.parametrize("word", ["false", "", 1, None])
def test_keys_are_not_trusted_because_of_a_word(word: Any) -> None:
    # Any text is true, "false" too, and a key that is trusted wrongly pays twice.
    with pytest.raises(TypeError, match="trust_idempotency"):
        RetryPolicy(trust_idempotency=word)


@pytest.mark.acceptance(5, "odd-idempotency-key")
@pytest.mark.parametrize("header", ["X-DGS-API-Key", "content-type", "Host", "a b", "a:b", ""])
def test_idempotency_header_that_would_replace_another_is_refused(header: str) -> None:
    with pytest.raises(ConfigError, match="idempotency_header"):
        recording(idempotency_header=header)


REFUSED_URLS = [
    "http://pay.digitalservicescenter.rw/generation/v2",
    "http://127.0.0.1.evil.com",
    "http://localhost.evil.com",
    "http://evil-localhost",
    "http://2130706433",
    "http://0x7f.1",
    "http://127.1",
    "http://\uff11\uff12\uff17.0.0.1",
    "http://0.0.0.0",
    "http://[::]",
    "http://[::1%25lo]",
    "http://[::ffff:10.0.0.1]",
    "http://127.0.0.1%00.evil.com",
    "http://127.0.0.1\\@evil.com",
    "https://user@pay.example",
    "https://user:password@pay.example",
    "https://@pay.example",
    "https://:@pay.example",
    "http://127.0.0.1@evil.com",
    "http://evil.com#@127.0.0.1",
    "https://user%40pay.example",
    "https://pay.example?x=1",
    "https://pay.example/v2?",
    "https://pay.example/v2#",
    "https://pay.example/v2#f",
    "https://pay.example:99999",
    "https://pay.example:0",
    "https://pay.example:-1",
    "https://pay.example:",
    "https://pay.example:+443",
    "https://pay.example:\u0664\u0664\u0663",
    "https://pay.example:443:443",
    "https://pay.example/../v2",
    "https://pay.example/a/./b",
    "https://pay.example//v2",
    "https://pay.example/%2e%2e",
    "https://pay.example/v 2",
    "https://pay.example/v2\n",
    "\thttps://pay.example",
    "https:/pay.example",
    "https:pay.example",
    "https://",
    "https://:443",
    "//pay.example",
    "pay.example",
    "",
    "ftp://pay.example",
    "file:///etc/passwd",
    "javascript:alert(1)",
    "https://p\u0430y.example",
    "https://pay\u2025example",
    "https://pay..example",
    "https://.",
    "https://-",
    "https://*.example",
    "https://pay,example",
    "https://[::1",
    "https://[::1]evil.com",
    "https://[v1.x]",
    "https://[zz]",
    "https://" + "a" * 64 + ".example",
]
ACCEPTED_URLS = {
    "https://pay.example": "https://pay.example",
    "HTTPS://pay.example/v2/": "https://pay.example/v2",
    "https://pay.example:8443/a/b": "https://pay.example:8443/a/b",
    "https://xn--py-7kc.example": "https://xn--py-7kc.example",
    "http://localhost": "http://localhost",
    "http://LOCALHOST:8250/v2": "http://LOCALHOST:8250/v2",
    "http://127.0.0.1:8250": "http://127.0.0.1:8250",
    "http://127.255.0.9": "http://127.255.0.9",
    "http://[::1]:8250/v2": "http://[::1]:8250/v2",
    "https://[2001:db8::1]": "https://[2001:db8::1]",
    "https://dgs_emulator:8443": "https://dgs_emulator:8443",
}


@pytest.mark.acceptance(9, "odd-base-url")
@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("url", REFUSED_URLS)
def test_origin_the_key_must_not_go_to_is_refused(client: Any, url: str) -> None:
    with pytest.raises(ConfigError, match="base_url") as caught:
        client(api_key=API_KEY, account_number=ACCOUNT, base_url=url)
    assert "password" not in str(caught.value) or "user, password" in str(caught.value)


@pytest.mark.acceptance(9, "odd-base-url")
@pytest.mark.parametrize(("url", "origin"), ACCEPTED_URLS.items())
def test_origin_the_key_may_go_to(url: str, origin: str) -> None:
    dgs, recorder = recording(base_url=url)
    dgs.balances.list()
    assert recorder.requests[0].url == f"{origin}/balance"


@pytest.mark.acceptance(9, "odd-base-url")
@pytest.mark.parametrize("url", [5, b"https://pay.example", ["https://pay.example"]])
def test_base_url_that_is_not_text_is_refused(url: Any) -> None:
    with pytest.raises(ConfigError, match="base_url"):
        recording(base_url=url)


@pytest.mark.acceptance(10, "wrong-environment-key")
@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize(
    ("key", "environment"),
    [
        ("sk_live_4eC39H", "sandbox"),
        ("sk_live_4eC39H", "emulator"),
        ("sk_test_4eC39H", "production"),
        ("sk_sandbox_4eC39H", "production"),
    ],
)
def test_key_of_another_environment_is_refused(client: Any, key: str, environment: str) -> None:
    with pytest.raises(ConfigError, match="api_key is a") as caught:
        client(api_key=key, account_number=ACCOUNT, environment=environment)
    assert "4eC39H" not in str(caught.value)


@pytest.mark.acceptance(10, "wrong-environment-key")
def test_live_key_is_refused_by_the_default_environment() -> None:
    with pytest.raises(ConfigError, match="live key"):
        DGSPay(api_key="sk_live_4eC39H", account_number=ACCOUNT)


@pytest.mark.acceptance(10, "wrong-environment-key")
@pytest.mark.parametrize("environment", ["", "Production", "live", "test", None, 5, []])
def test_unknown_environment_is_refused(environment: Any) -> None:
    with pytest.raises(ConfigError, match="environment must be one of"):
        recording(environment=environment)


@pytest.mark.acceptance(10, "wrong-environment-key")
@pytest.mark.parametrize(
    ("key", "environment", "host"),
    [
        ("sk_live_4eC39H", "production", "https://pay.digitalservicescenter.rw/generation/v2"),
        ("sk_test_4eC39H", "sandbox", "https://test.pay.digitalservicescenter.rw/generation/v2"),
        ("4eC39H", "production", "https://pay.digitalservicescenter.rw/generation/v2"),
        ("4eC39H", "emulator", "http://127.0.0.1:8250/generation/v2"),
    ],
)
def test_environment_decides_the_origin(key: str, environment: str, host: str) -> None:
    dgs, recorder = recording(api_key=key, environment=environment)
    dgs.balances.list()
    assert recorder.requests[0].url == f"{host}/balance"


@pytest.mark.acceptance(10, "wrong-environment-key")
@pytest.mark.parametrize("end", ["", ".", ".:443"])
@pytest.mark.parametrize("environment", ["sandbox", "emulator"])
def test_the_host_of_production_is_refused_under_another_name(environment: str, end: str) -> None:
    url = f"https://PAY.digitalservicescenter.rw{end}/generation/v2"
    with pytest.raises(ConfigError, match="base_url is that of production"):
        recording(base_url=url, environment=environment)


@pytest.mark.parametrize("deadline", [0, -1, float("nan"), True, "100", None])
def test_deadline_that_is_no_time_is_refused(deadline: Any) -> None:
    with pytest.raises(ConfigError, match="deadline"):
        recording(deadline=deadline)


def test_settings_are_copied_and_a_pickle_of_them_says_what_to_do() -> None:
    with DGSPay(api_key=API_KEY, account_number=ACCOUNT) as dgs:
        assert copy.copy(dgs.settings) == dgs.settings == copy.deepcopy([dgs.settings])[0]
        with pytest.raises(TypeError, match=r"settings cannot be pickled.* from_env\(\)"):
            pickle.dumps(dgs.settings)
        for escape in (pickle.dumps, copy.copy, copy.deepcopy):
            with pytest.raises(TypeError, match=r"cannot be pickled or copied: .* one in each"):
                escape(dgs)
