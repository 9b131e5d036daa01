"""The floor of P3: assembly and one banded bordered solve by LAPACK, without any continuation.

``python banded.py N``: one Newton iteration is residual, Jacobian and a tridiagonal solve with two
right-hand sides (block elimination of the border).
"""

from __future__ import annotations

import statistics

import numpy as np
from scipy.linalg import solve_banded
from stopwatch import named, repeats_from_environment, report, samples


def main(interior: int) -> None:
    mesh = 1 / (interior + 1)
    u = 1.2 * np.sin(np.pi * np.arange(1, interior + 1) * mesh)
    lam, scale = 3.4, 1 / mesh**2
    bands, right = np.empty((3, interior)), np.empty((interior, 2))
    bands[0] = bands[2] = scale
    row, last = np.ones(interior) / np.sqrt(interior + 1), 1 / np.sqrt(interior + 1)

    def assemble() -> None:
        growth = np.exp(u)
        residual = -2 * u
        residual[1:] += u[:-1]
        residual[:-1] += u[1:]
        residual *= scale
        residual += lam * growth
        bands[1] = lam * growth - 2 * scale
        right[:, 0], right[:, 1] = -residual, growth

    def solve() -> tuple[np.ndarray, float]:
        both = solve_banded((1, 1), bands, right, check_finite=False)
        change = (0.1 - row @ both[:, 0]) / (last - row @ both[:, 1])
        return both[:, 0] - change * both[:, 1], change

    assemble()
    step, change = solve()
    # The bordered system is solved: its last row, and its first rows at the ends.
    assert abs(row @ step + last * change - 0.1) < 1e-9
    repeats = repeats_from_environment()
    parts = {
        "assemble_us": 1e6 * statistics.median(samples([assemble], repeats)[0]),
        "solve_us": 1e6 * statistics.median(samples([solve], repeats)[0]),
    }
    iteration = sum(parts.values())
    report(
        "floor: banded solve", f"P3_{interior}", unknowns=interior, points=1, repeats=repeats,
        gross_us=3 * iteration, net_us=3 * iteration, **parts,
        note="three solves a point: two Newton iterations and a tangent",
    )  # fmt: skip


if __name__ == "__main__":
    main(int(named().removeprefix("P3_")))
