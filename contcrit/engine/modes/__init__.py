"""Continuation of nonsmooth problems: mode by mode, through every border."""
