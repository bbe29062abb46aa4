"""The only code that touches a socket: one adapter per HTTP library."""
