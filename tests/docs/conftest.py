"""The pages' programs find the PostgreSQL and the folders of the payout tests."""

from __future__ import annotations

from tests.payouts.conftest import folder_of_ledgers, payout_postgres, postgres_ledger_url

__all__ = ["folder_of_ledgers", "payout_postgres", "postgres_ledger_url"]
