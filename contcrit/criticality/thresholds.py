"""When a number counts as zero, when as clearly not, and when as neither."""

from __future__ import annotations

from dataclasses import dataclass

FLOOR = 1e-14
"""Rounding of sums of numbers of size 1: a gradient this small counts as zero."""

BAND = 100.0
"""Numbers within this factor of the threshold of zero decide nothing."""


@dataclass(frozen=True)
class Thresholds:
    """Thresholds of zero for gradients of a stated size.

    Parameters
    ----------
    zero : float
        Numbers of modulus up to this count as zero.
    clear : float
        Numbers of modulus above this count as not zero.

    Examples
    --------
    >>> thresholds = Thresholds.of(tolerance=1e-8, size=2.0)
    >>> thresholds.sign(-0.5), thresholds.sign(1e-9), thresholds.sign(1e-7)
    (-1, 0, None)
    """

    zero: float
    clear: float

    @classmethod
    def of(cls, tolerance: float, size: float, unit: float = 0.0) -> Thresholds:
        """Return thresholds for numbers of a size; those below `unit` are never clear."""
        return cls(max(tolerance * size, FLOOR), max(BAND * tolerance * max(size, unit), FLOOR))

    def is_zero(self, value: float) -> bool | None:
        """Return whether a value counts as zero; None when it decides nothing."""
        sign = self.sign(value)
        return None if sign is None else sign == 0

    def sign(self, value: float) -> int | None:
        """Return -1, 0 or 1, or None when the value decides nothing."""
        if abs(value) <= self.zero:
            return 0
        if abs(value) > self.clear:
            return 1 if value > 0 else -1
        return None
