"""Sheets of payouts: read, validated row by row, summed up, and given back with their faults."""
