"""`python -m dgspay`: the same as the `dgspay` command."""

from __future__ import annotations

from dgspay.cli import main

if __name__ == "__main__":
    main()
