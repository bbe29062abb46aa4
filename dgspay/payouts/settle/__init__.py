"""Settlement of payouts: look-ups, webhooks, reconciliation with DGS-Pay's list."""
