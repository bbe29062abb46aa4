"""Faults an emulator can be told to play. A new fault: a class and its row in `kinds.py`."""
