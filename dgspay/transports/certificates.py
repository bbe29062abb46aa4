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


def checked_verify(verify: Verify) -> ssl.SSLContext | bool:
    """Return it with a path made into a context, so that nothing of it is wrong later on.

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
        return _context_of(Path(verify))
    raise ConfigError(
        "verify must be True, False, an ssl.SSLContext or the path of a file of certificates, "
        f"not {verify!r:.40}"
    )


def _context_of(path: Path) -> ssl.SSLContext:
    try:
        if path.is_dir():
            return ssl.create_default_context(capath=path)
        return ssl.create_default_context(cafile=path)
    except ssl.SSLError:
        reason = "holds no certificates (they are expected in PEM form)"
    except (OSError, ValueError) as error:
        reason = f"cannot be read ({getattr(error, 'strerror', None) or error})"
    raise ConfigError(
        f"verify must be True, False, an ssl.SSLContext or the path of a file of certificates; "
        f"{str(path)!r} {reason}"
    )


def read(make: Callable[[], ssl.SSLContext], *, trust_env: bool) -> ssl.SSLContext:
    """Make the context of the public authorities, or of those that the environment names.

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
    where = f"that {named[0]} names" if named else "of the public authorities"
    return misconfigured(f"the certificates {where} cannot be read ({reason})")
