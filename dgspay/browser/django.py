"""Hands the modules of a payer's page to Django's static files.

    STATICFILES_FINDERS = [
        "django.contrib.staticfiles.finders.FileSystemFinder",
        "django.contrib.staticfiles.finders.AppDirectoriesFinder",
        "dgspay.browser.django.ScriptFinder",
    ]

Then `collectstatic` copies them and `{% static "dgspay/dgspay-card.js" %}` is the address of one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath
from typing import Any

# Django has no annotations of its own.
from django.contrib.staticfiles.finders import (  # type: ignore[import-untyped,import-not-found,unused-ignore]
    BaseFinder,
)
from django.contrib.staticfiles.utils import (  # type: ignore[import-untyped,import-not-found,unused-ignore]
    matches_patterns,
)
from django.core.files.storage import (  # type: ignore[import-untyped,import-not-found,unused-ignore]
    FileSystemStorage,
)

from dgspay.browser import CHECKOUT_NAMES, script_path

_FOLDER = PurePosixPath("dgspay")


class ScriptFinder(BaseFinder):  # type: ignore[misc,unused-ignore]
    """Finds the modules. A whole directory would publish what lies beside them, too."""

    def check(self, **kwargs: Any) -> list[Any]:
        """Nothing can be set up wrongly."""
        return []

    def find(self, path: str, find_all: bool = False, **kwargs: Any) -> Any:  # noqa: FBT001, FBT002 - Django's signature
        """Return where a module lies when it is asked for, else nothing."""
        # Until Django 5.2 the argument was called `all`, and both names may come.
        wants_list = find_all or kwargs.get("all", False)
        asked = PurePosixPath(path)
        is_ours = asked.parent == _FOLDER and asked.name in CHECKOUT_NAMES
        found = [str(script_path(asked.name))] if is_ours else []
        return found if wants_list or not found else found[0]

    def list(self, ignore_patterns: Iterable[str] | None) -> Iterator[tuple[str, Any]]:
        """Name the modules for `collectstatic`, each with a storage that it lies in."""
        for name in CHECKOUT_NAMES:
            if not matches_patterns(str(_FOLDER / name), ignore_patterns):
                yield name, _ScriptStorage(location=script_path(name).parent)


class _ScriptStorage(FileSystemStorage):  # type: ignore[misc,unused-ignore]
    """The directory of a module, under the name its copies get."""

    prefix = "dgspay"
