"""Where a search starts: its box, and points that fill it evenly."""

from __future__ import annotations

import numpy as np

from ..errors import SpecificationError
from ..settings import Settings

Array = np.ndarray


class Starts:
    """Start points: consecutive pieces of one Sobol sequence, or the given ones.

    Parameters
    ----------
    starts : int or array_like of shape (m, n), optional
        How many in a batch, or the points themselves (default ``settings.search_starts``).
    low, high : ndarray of shape (n,)
        Corners of the box.
    settings : Settings
        Gives `search_starts` and `seed`.

    Raises
    ------
    SpecificationError
        If the starts are neither a positive number nor points of the right length.

    Examples
    --------
    >>> import numpy as np
    >>> from contcrit import Settings
    >>> supply = Starts(3, np.zeros(2), np.ones(2), Settings())
    >>> supply.next().shape, supply.is_random
    ((3, 2), True)
    """

    def __init__(
        self, starts: int | Array | None, low: Array, high: Array, settings: Settings
    ) -> None:
        n = len(low)
        self._given: Array | None = None
        self._count = settings.search_starts
        if starts is not None and np.ndim(starts) == 0:
            count = np.asarray(starts)
            if not (np.issubdtype(count.dtype, np.integer) and count >= 1):
                raise SpecificationError(
                    "starts", starts, "must be a whole number of at least 1.", "Give one."
                )
            self._count = int(count)
        elif starts is not None:
            points = np.atleast_2d(np.asarray(starts, dtype=float))
            if points.ndim != 2 or points.shape[1] != n or not np.all(np.isfinite(points)):
                raise SpecificationError(
                    "starts", points.shape, f"must hold finite rows of length {n}.", "Give (m, n)."
                )
            self._given = points
        self._low, self._high = low, high
        generator = np.random.default_rng(settings.seed)
        from scipy.stats import qmc  # slow to import

        self._sobol = qmc.Sobol(n, scramble=True, rng=generator) if n <= 1000 else None
        self._generator = generator

    @property
    def is_random(self) -> bool:
        """Whether the starts sample the box."""
        return self._given is None

    def next(self) -> Array:
        """Return the next batch of starts, shape (m, n)."""
        if self._given is not None:
            return self._given
        n = len(self._low)
        if self._sobol is None:
            draws = self._generator.random((self._count, n))
        else:
            # A piece that starts at a power of two and ends at one keeps the sequence balanced.
            draws = self._sobol.random(1 << (self._count - 1).bit_length())[: self._count]
        return self._low + draws * (self._high - self._low)
