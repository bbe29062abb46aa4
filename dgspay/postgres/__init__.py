"""What payouts and orders share where they connect to PostgreSQL (psycopg 3)."""
