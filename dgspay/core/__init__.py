"""The rules of a call, as values: no I/O, no clock, no sleep and no randomness of its own."""
