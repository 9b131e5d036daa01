"""Random parities."""
