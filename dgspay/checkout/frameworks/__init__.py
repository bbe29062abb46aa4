"""Routes of a checkout for web frameworks: what payers' pages call, and the webhooks."""
