"""The card form and the module behind it, in Node and in a real Chromium."""
