"""Endpoints of the emulated API: a new one is a function here and a row in `routes.py`."""
