"""Private keys on disk: for their owner alone, and of no use without the passphrase."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from dgspay.errors import ConfigError
from dgspay.payouts import create_key, load_key, public_key_in
from dgspay.secret import Secret

PASSPHRASE = Secret("correct horse")


def test_a_key_comes_back_with_its_passphrase_alone(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "jane.key"
    key = create_key(path, "Jane", PASSPHRASE)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert public_key_in(path) == key
    signer = load_key(path, PASSPHRASE)
    assert signer.key == key
    assert signer.sign({}).is_of(key)
    assert signer._private.private_bytes_raw().hex() not in path.read_text()
    with pytest.raises(ConfigError, match="is wrong"):
        load_key(path, Secret("correct Horse"))
    with pytest.raises(ConfigError, match="there already"):
        create_key(path, "Jane", PASSPHRASE)


def test_a_short_passphrase_is_refused_and_writes_nothing(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="at least 10"):
        create_key(tmp_path / "k", "Jane", Secret("123456789"))
    assert not [*tmp_path.iterdir()]


def test_a_key_that_others_may_read_or_that_was_renamed_inside_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "jane.key"
    create_key(path, "Jane", PASSPHRASE)
    path.chmod(0o640)
    with pytest.raises(ConfigError, match="others may read"):
        load_key(path, PASSPHRASE)
    path.chmod(0o600)
    fields = json.loads(path.read_text())
    path.write_text(json.dumps({**fields, "person": "Bob"}))
    with pytest.raises(ConfigError, match="was changed"):
        load_key(path, PASSPHRASE)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"version": 2}', "\udcff"])
def test_what_is_no_key_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "k"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    path.chmod(0o600)
    with pytest.raises(ConfigError, match="is no key"):
        load_key(path, PASSPHRASE)
    with pytest.raises(ConfigError, match="cannot be read"):
        load_key(tmp_path / "nothing", PASSPHRASE)
