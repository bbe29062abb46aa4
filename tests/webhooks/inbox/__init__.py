"""Tests of the inboxes, each on its real server."""
