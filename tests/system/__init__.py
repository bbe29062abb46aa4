"""Suites of the whole system: network faults, state machines, fuzzing, secrets, the guide."""
