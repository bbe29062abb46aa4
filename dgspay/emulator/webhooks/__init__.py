"""Webhook deliveries of the emulator: signed, at least once, and wrongly where that is asked for.

A new mode, a way to deliver wrongly, is a row of `MODES` and what it does to a delivery in
`modes.py`, and a method of `Webhooks` in `control.py`; the console lists it from `MODES`.
Tests: `tests/emulator/webhooks/test_modes.py`.
"""
