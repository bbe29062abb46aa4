"""Servers, clients and data that tests of several folders share."""
