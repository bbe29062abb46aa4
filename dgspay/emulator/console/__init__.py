"""The console: a web page that shows what the emulator has, and lets a person act on it.

A new tab is a file in `web/static/console/` that exports `id`, `title`, `render(state)`, `bind()`
and, where it has one, its `list`; its place in `TABS` of `web/static/console.js` and of
`routes.py`; and its `web/templates/console/<tab>.html`. What it lists is a row in `lists.py`, what
else it shows a function in `state_json.py`, and what its buttons do a function and a row in
`actions.py`. Tests: `tests/emulator/in_browser`.
"""

from __future__ import annotations

from dgspay.emulator.console.routes import console_routes

__all__ = ["console_routes"]
