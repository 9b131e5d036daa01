"""What was computed at the last few points: locators ask for the same point many times."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

import numpy as np

Array = np.ndarray
Value = TypeVar("Value")


class Recent(Generic[Value]):
    """Values at the points asked for last.

    Parameters
    ----------
    compute : callable
        ``compute(z)``: the value at a point. Who asks must leave it as it is.
    count : int
        How many are kept.

    Examples
    --------
    >>> import numpy as np
    >>> asked = []
    >>> recent = Recent(lambda z: asked.append(z) or z.sum(), 2)
    >>> float(recent(np.array([1.0, 2.0]))), float(recent(np.array([1.0, 2.0]))), len(asked)
    (3.0, 3.0, 1)
    """

    def __init__(self, compute: Callable[[Array], Value], count: int) -> None:
        self._compute, self._count = compute, count
        self._kept: dict[tuple[str, bytes], Value] = {}

    def __call__(self, z: Array) -> Value:
        """Return the value at a point, computed now unless it is known."""
        key = _key(z)
        found = self._kept.get(key)
        if found is None:
            for oldest in list(self._kept)[: max(0, len(self._kept) + 1 - self._count)]:
                self._kept.pop(oldest, None)
            found = self._kept[key] = self._compute(z)
        return found

    def known(self, z: Array) -> Value | None:
        """Return the value at a point if it is known."""
        return self._kept.get(_key(z))


def _key(z: Array) -> tuple[str, bytes]:
    return z.dtype.char, z.tobytes()
