"""The console: a web page that shows what the emulator has, and lets a person act on it.

A new tab is a file in `web/static/console/` that exports `id`, `render(state)` and `bind(look)`,
its line in `TABS` of `web/static/console.js`, its `<section>` and link in
`web/templates/console.html`, and one function in `state_json.py` for what it shows. What its
buttons do is a function and a row in `actions.py`. Tests: `tests/emulator/in_browser`.
"""

from __future__ import annotations

from dgspay.emulator.console.routes import console_routes

__all__ = ["console_routes"]
