"""Decomposition against end-to-end training."""
