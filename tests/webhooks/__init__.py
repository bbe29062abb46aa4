"""Tests of the webhooks: signature, events, receiver, inboxes, adapters."""
