"""What a merchant has (accounts, payments, balances, links) and the rules about it."""
