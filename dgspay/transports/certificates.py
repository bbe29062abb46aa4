"""By which certificates a server is known: checked when a transport is made, read when needed."""

from __future__ import annotations

import os
import ssl
from collections.abc import Callable
from pathlib import Path

from dgspay.core.messages import TransportFailure
from dgspay.errors import ConfigError
from dgspay.transports.errors import misconfigured

Verify = ssl.SSLContext | bool | str | os.PathLike[str]
"""True: the public authorities; a path: those in a file or folder; False: anybody; or a context."""

_ENVIRONMENT = ("SSL_CERT_FILE", "SSL_CERT_DIR")


def checked_verify(verify: Verify) -> ssl.SSLContext | bool | Path:
    """Return it, once it is seen that what is at a path can be read.

    A path stays one: a forked child must not go on with a context that another thread of its
    parent's may have been in the midst of, and reads the certificates anew.

    Raises:
        ConfigError: when it is none of what it may be, or nothing can be read at its path.
    """
    if isinstance(verify, bool):
        return verify
    if isinstance(verify, ssl.SSLContext):
        if verify.protocol is ssl.PROTOCOL_TLS_SERVER:
            raise ConfigError(
                "verify is an ssl.SSLContext for servers: make it with ssl.create_default_context()"
            )
        return verify
    if isinstance(verify, str | os.PathLike) and os.fspath(verify):
        path = Path(verify)
        _require_readable(path)
        return path
    raise ConfigError(
        "verify must be True, False, an ssl.SSLContext or the path of a file of certificates, "
        f"not {verify!r:.40}"
    )


def check_environment(verify: object) -> None:
    """See that what the environment names in place of the public authorities is there.

    Raises:
        TransportFailure: when it is not: no server could be verified.
    """
    if verify is not True:
        return
    file, folders = (os.environ.get(name) for name in _ENVIRONMENT)
    if file and not os.access(file, os.R_OK):
        raise misconfigured(f"SSL_CERT_FILE names {file!r}, which cannot be read")
    if not file and folders and not any(map(os.path.isdir, folders.split(os.pathsep))):
        raise misconfigured(f"SSL_CERT_DIR names {folders!r}, which is no folder")


def context_of(path: Path) -> ssl.SSLContext:
    """Make a context that trusts the authorities in a file or folder."""
    if path.is_dir():
        return ssl.create_default_context(capath=path)
    return ssl.create_default_context(cafile=path)


def _require_readable(path: Path) -> None:
    try:
        context_of(path)
    except ssl.SSLError:
        reason = "holds no certificates (they are expected in PEM form)"
    except (OSError, ValueError) as error:
        reason = f"cannot be read ({getattr(error, 'strerror', None) or error})"
    else:
        return
    if str(path).lower() in ("true", "false"):
        reason += ": it is a word, and no bool"
    raise ConfigError(
        f"verify must be True, False, an ssl.SSLContext or the path of a file of certificates; "
        f"{str(path)!r} {reason}"
    )


def read(make: Callable[[], ssl.SSLContext], *, trust_env: bool) -> ssl.SSLContext:
    """Make the context of the authorities that are trusted.

    Raises:
        TransportFailure: when they cannot be read; nothing was sent, and nothing will be.
    """
    try:
        return make()
    except (FileNotFoundError, NotADirectoryError, PermissionError, ssl.SSLError) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
    raise _unreadable(reason, trust_env=trust_env)


def _unreadable(reason: str, *, trust_env: bool) -> TransportFailure:
    named = [name for name in _ENVIRONMENT if trust_env and os.environ.get(name)]
    where = f"that {named[0]} names" if named else "to verify the server by"
    return misconfigured(f"the certificates {where} cannot be read ({reason})")
