"""Hands `dgspay-card.js` to Django's static files.

    STATICFILES_FINDERS = [
        "django.contrib.staticfiles.finders.FileSystemFinder",
        "django.contrib.staticfiles.finders.AppDirectoriesFinder",
        "dgspay.browser.django.CardScriptFinder",
    ]

Then `collectstatic` copies it and `{% static "dgspay/dgspay-card.js" %}` is its address.
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

from dgspay.browser import SCRIPT_NAME, script_path

STATIC_NAME = f"dgspay/{SCRIPT_NAME}"


class CardScriptFinder(BaseFinder):  # type: ignore[misc,unused-ignore]
    """Finds one file. A directory in STATICFILES_DIRS would publish what lies beside it too."""

    def check(self, **kwargs: Any) -> list[Any]:
        """Nothing can be set up wrongly."""
        return []

    def find(self, path: str, find_all: bool = False, **kwargs: Any) -> Any:  # noqa: FBT001, FBT002 - Django's signature
        """Return where the module lies when it is asked for, else nothing."""
        # Until Django 5.2 the argument was called `all`, and both names may come.
        wants_list = find_all or kwargs.get("all", False)
        found = [str(script_path())] if PurePosixPath(path) == PurePosixPath(STATIC_NAME) else []
        return found if wants_list or not found else found[0]

    def list(self, ignore_patterns: Iterable[str] | None) -> Iterator[tuple[str, Any]]:
        """Name the module for `collectstatic`, with a storage that it lies in."""
        if not matches_patterns(STATIC_NAME, ignore_patterns):
            yield SCRIPT_NAME, _ScriptStorage(location=script_path().parent)


class _ScriptStorage(FileSystemStorage):  # type: ignore[misc,unused-ignore]
    """The directory of the module, under the name its copies get."""

    prefix = "dgspay"
