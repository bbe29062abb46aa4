"""An OpenAPI 3.1 description of the emulated API, made from the code that answers.

The fields of a request are those its handler declares (`emulator/api`), the answers are dgspay's
models.
"""

from __future__ import annotations

from dgspay.emulator.openapi.document import OPENAPI_PATH, describe

__all__ = ["OPENAPI_PATH", "describe"]
