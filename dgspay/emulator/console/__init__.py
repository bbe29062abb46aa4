"""The console: the emulator's page at its root, and the routes that steer it over HTTP."""

from __future__ import annotations

from dgspay.emulator.console.routes import console_routes

__all__ = ["console_routes"]
