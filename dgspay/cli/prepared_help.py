"""The help of the whole command line as it was made, which no command need be imported for."""

from __future__ import annotations

from pathlib import Path

HELP = Path(__file__).with_name("help.txt")
