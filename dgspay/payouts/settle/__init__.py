"""How a payout ended: look-ups, webhooks, reconciliation with DGS-Pay's list."""
