"""dgspay."""
