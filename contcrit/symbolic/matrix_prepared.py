"""A compiled program all of whose inputs but the last are known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np


class PreparedProgram:
    """A program whose last input alone is open; made by `MatrixProgram.prepared`."""

    def __init__(
        self, values: list[Any], last: int, steps: list[Any], outputs: Sequence[int]
    ) -> None:
        self._values, self._last, self._steps, self._outputs = values, last, steps, outputs

    def early(self) -> list[Any]:
        """Return the outputs that do not depend on the last input; None for the others."""
        return [self._values[slot] for slot in self._outputs]

    def __call__(self, last: Any) -> list[Any]:
        """Return all outputs."""
        values = self._values.copy()
        values[self._last] = last
        with np.errstate(all="ignore"):
            for function, arguments, slot in self._steps:
                values[slot] = function(*[values[i] for i in arguments])
        return [values[slot] for slot in self._outputs]
