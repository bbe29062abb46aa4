"""Hostile input, made by Hypothesis: only documented exceptions come out, in bounded time."""
