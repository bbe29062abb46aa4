"""Which of the two libraries a transport speaks with: httpx, or httpx2, its continuation."""

from __future__ import annotations

import importlib.util
import sys
from typing import Any, Literal, NamedTuple

from dgspay.errors import ConfigError
from dgspay.forks import undivided
from dgspay.transports.network_layer import NetworkLayer

LibraryName = Literal["httpx", "httpx2"]

_NETWORK_LAYERS = {"httpx": "httpcore", "httpx2": "httpcore2"}


class Library(NamedTuple):
    """One of the two, which have the same API. Neither is imported before it is used.

    Attributes:
        name: `httpx` or `httpx2`.
        network: The name of its network layer.
    """

    name: str
    network: str

    @classmethod
    def named(cls, name: str) -> Library:
        """Return the library of that name.

        Raises:
            ConfigError: when there is no such library, or it is not installed.
        """
        network = _NETWORK_LAYERS.get(name)
        if network is None:
            raise ConfigError(f"library must be one of {', '.join(_NETWORK_LAYERS)}")
        library = cls(name, network)
        if not is_installed(name):
            raise ConfigError(
                f"{name} is not installed: install the extra of that name, dgspay[{name}]"
            )
        return library

    @property
    def client(self) -> Any:
        """The library itself."""
        return _imported(self.name)

    @property
    def core(self) -> NetworkLayer:
        """Its network layer."""
        layer: NetworkLayer = _imported(self.network)
        return layer


def _imported(name: str) -> Any:
    with undivided:
        return importlib.import_module(name)


def is_installed(name: str) -> bool:
    """Say whether a module can be imported."""
    try:
        with undivided:
            return importlib.util.find_spec(name) is not None
    except ValueError:  # another module was put in its place
        return sys.modules.get(name) is not None


def is_async_client(client: object) -> bool:
    """Tell an `AsyncClient` of either library from a `Client`.

    Raises:
        ConfigError: when it is neither.
    """
    for name in _NETWORK_LAYERS:
        # Who has a client has imported its library.
        library = sys.modules.get(name)
        if library is not None and isinstance(client, library.AsyncClient):
            return True
        if library is not None and isinstance(client, library.Client):
            return False
    raise ConfigError(
        f"client must be an AsyncClient or a Client of httpx or httpx2, not {type(client).__name__}"
    )
