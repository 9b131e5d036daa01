"""Say what a critical point is: records, inertia, verdicts with a margin."""
