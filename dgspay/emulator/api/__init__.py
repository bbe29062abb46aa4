"""Endpoints of the emulated API, one file for each area, as in `dgspay.api`.

A new endpoint is a function here and a row in `routes.py`. What it keeps goes into `domain`, its
response into `openapi/response_schemas.py`, and an example into `openapi/examples.py`; its request
is described by running it. Tests: `tests/emulator/api`.
"""
