"""A minimal loop in numpy: fixed steps, no detection. The floor of an interpreted continuation.

``python numpy_loop.py P1``.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from shared import SPIRAL_X0, outcome, spiral, spiral_jacobian, spiral_slope, time_tool
from stopwatch import named


def march(largest: int) -> dict[str, Any]:
    z = np.append(SPIRAL_X0, 1e-3)
    n = z.size - 1
    tangent, last = np.eye(n + 1)[-1], np.eye(n + 1)[-1]
    matrix, right = np.empty((n + 1, n + 1)), np.empty(n + 1)
    lams = [z[-1]]

    def load() -> None:
        matrix[:n, :n] = spiral_jacobian(z[:n], z[n])
        matrix[:n, n] = spiral_slope(z[:n], z[n])
        matrix[n] = tangent

    for _ in range(largest):
        load()
        tangent = np.linalg.solve(matrix, last)
        tangent /= np.sqrt(tangent @ tangent)
        origin = z + 0.03 * tangent
        z = origin
        for _ in range(8):
            load()
            right[:n], right[n] = spiral(z[:n], z[n]), tangent @ (z - origin)
            increment = np.linalg.solve(matrix, right)
            z = z - increment
            if np.max(np.abs(increment)) < 1e-8:
                break
        lams.append(z[-1])
        if z[-1] < 1e-4:
            break
    return outcome(lams)


if __name__ == "__main__":
    assert named() == "P1"
    time_tool("numpy loop", "P1", march, 2000)
