"""Card and PIN encryption, and the values that carry it."""
