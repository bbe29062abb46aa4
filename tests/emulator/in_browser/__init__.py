"""The emulator's pages in a real Chromium."""
