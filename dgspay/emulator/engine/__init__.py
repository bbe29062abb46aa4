"""Execution of one request: authenticated, matched, claimed, executed, logged."""
