"""Adapters for web frameworks: raw body in, the receiver's response out."""
