"""Where orders are kept: the protocol of a store, and the scripts that every store runs."""
