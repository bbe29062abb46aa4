"""Settings from a `.env` file, as the guide recommends to keep them."""

from __future__ import annotations

import os
from pathlib import Path

from dotenv import dotenv_values

from dgspay.errors import ConfigError

_PREFIX = "DGSPAY_"
DEFAULT = ".env"


def read_env_file(given: Path | None) -> None:
    """Set the DGSPAY_ variables of a file that are not set yet; others of it are left alone.

    Args:
        given: The file; `.env` of the working directory, where there is one, if left out.

    Raises:
        ConfigError: the file that was given cannot be read.
    """
    path = Path(DEFAULT) if given is None else given
    if given is None and not path.is_file():
        return
    try:
        with path.open(encoding="utf-8") as file:
            values = dotenv_values(stream=file, interpolate=False)
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise ConfigError(f"the settings in {path} cannot be read: {why}") from None
    for name, value in values.items():
        if name.startswith(_PREFIX) and value is not None:
            os.environ.setdefault(name, value)
