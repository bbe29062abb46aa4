"""Faults that an emulator injects on request.

A new fault is one class with `@kind` in `kinds.py`: its fields are its settings, and the files,
the HTTP interface and the console know it by its name. For a typed call, add a method to `Faults`
in `plan.py`; where it has settings, add their inputs to the tab "Faults" in `console.html`.
Tests: `tests/emulator/faults`.
"""
