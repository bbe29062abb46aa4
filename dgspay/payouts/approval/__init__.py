"""Approval by another person: keys, signatures, the ledger's policy, and what a signature is of."""
