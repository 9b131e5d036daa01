"""The engine: one walk along solution branches, location, branch switching and search."""
