"""The encoding of piecewise-linear curves, and its conditioning."""
