"""Activations with flat regions, and the forward-only law."""
