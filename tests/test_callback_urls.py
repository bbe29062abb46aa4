"""Callback URLs: a token cannot be guessed, is compared in constant time, and is found again."""

from __future__ import annotations

import hmac
from typing import Any

import pytest

from dgspay.callback_urls import (
    callback_base,
    callback_url,
    is_same_token,
    last_segments,
    new_token_key,
    token_of,
)
from dgspay.errors import ConfigError
from dgspay.secret import Secret


def test_a_token_is_the_same_each_time_and_another_for_each_name_and_key() -> None:
    key = new_token_key()
    names: list[tuple[str | int, ...]] = [("b", 1), ("b", 2), ("c", 1), ("b",), ("b1",)]
    tokens = {token_of(key, *each) for each in names}
    assert len(tokens) == len(names)
    assert token_of(Secret(key.reveal()), "b", 1) == token_of(key, "b", "1")
    assert token_of(new_token_key(), "b", 1) not in tokens
    assert key.reveal() not in repr(key)


def test_tokens_that_dgspay_holds_already_stay_what_they_are() -> None:
    """Batches and their webhooks outlive an upgrade."""
    assert token_of(Secret("ab" * 32), "salaries", 7) == "WGt1ewJ0O9ceSBrNEfnZA2lKRpzRGw8R"


def test_names_cannot_run_into_each_other() -> None:
    with pytest.raises(ValueError, match="one line"):
        token_of(new_token_key(), "b\n1", 2)


def test_tokens_are_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[Any, ...]] = []

    def compare(*both: bytes) -> bool:
        compared.append(both)
        return both[0] == both[1]

    monkeypatch.setattr(hmac, "compare_digest", compare)
    token = token_of(new_token_key(), "b")
    assert is_same_token(token, token)
    assert not is_same_token(token, "\udcff")
    assert not is_same_token(token, "")
    assert len(compared) == 3


def test_what_was_put_into_a_callback_url_is_found_in_its_path() -> None:
    base = callback_base("https://shop.rw/dgspay/")
    token = token_of(new_token_key(), "b", 1)
    url = callback_url(base, "b", 1, token)
    assert url == f"https://shop.rw/dgspay/b/1/{token}"
    path = url.removeprefix("https://shop.rw")
    for way in (path, f"{path}/", f"{path}?from=dgs/pay", url):
        assert last_segments(way, 3) == ("b", "1", token)
        assert last_segments(way, 1) == (token,)


@pytest.mark.parametrize(
    ("path", "count"), [("", 1), ("/", 1), ("/b/1", 3), ("//1/t", 3), ("/b//t", 3), ("?a/b/c", 1)]
)
def test_a_path_without_so_many_segments_names_nothing(path: str, count: int) -> None:
    assert last_segments(path, count) is None


@pytest.mark.parametrize("segment", ["", ".", "..", ".env", "a/b", "a b", "50%", "é", "a\n", "a?"])
def test_a_segment_that_would_come_back_otherwise_is_rejected(segment: str) -> None:
    with pytest.raises(ValueError, match="segment of a callback URL"):
        callback_url("https://shop.rw", segment)


@pytest.mark.parametrize(
    "url", ["shop.rw/p", "ftp://shop.rw", "https://shop.rw/?a=1", "https://a/#"]
)
def test_a_url_that_cannot_carry_a_token_is_rejected_by_name(url: str) -> None:
    with pytest.raises(ConfigError, match="webhook_url must"):
        callback_base(url, field="webhook_url")
