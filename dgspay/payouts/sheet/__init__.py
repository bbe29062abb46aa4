"""Sheets of payouts: read, validated row by row, summed up."""
