"""Webhook deliveries of the emulator. A new way to deliver wrongly: `modes.py`."""
