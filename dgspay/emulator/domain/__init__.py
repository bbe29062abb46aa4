"""Accounts, payments, balances and links of a merchant, and the rules about them."""
