"""What a batch and a payout are, and the table of what may become of a payout."""
