"""Batches and payouts, and the table of a payout's transitions."""
