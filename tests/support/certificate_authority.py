"""A certificate authority of the tests' own, trusted only where a test says so."""

from __future__ import annotations

import ssl

import trustme


class Authority(trustme.CA):
    """Makes the contexts of both sides."""

    def server_context(self, *names: str) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.issue_cert(*names).configure_cert(context)
        return context

    def trusting(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        self.configure_trust(context)
        return context


AUTHORITY = Authority()
