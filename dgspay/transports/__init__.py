"""The only code that touches a socket: a package for each HTTP library, and what they share.

Another library: a package here that follows `base.py`, and a row in the matrix of the contract's
tests.
"""
