"""Branches of problems with kinks: modes, and the borders at which they change."""
