"""Contraction: rates, flows with sliding, metrics, and claims that can be tested."""
