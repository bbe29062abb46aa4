"""How one request is carried out: authenticated, matched, claimed, executed, logged."""
