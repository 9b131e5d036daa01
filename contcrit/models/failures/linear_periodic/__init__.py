"""Linear-periodic functions."""
