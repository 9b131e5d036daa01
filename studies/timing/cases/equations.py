"""P1 and P2: the spiral equation, and the same branch of the full 2x2 matrix equation.

``python equations.py P1|P2|P1_long|P2_long [gear]``; the long runs take steps a hundred times
shorter, which leaves the cost of one more point alone.
"""

from __future__ import annotations

import sys
from typing import Any

from own import spiral, steps, timed_trace
from references import SPIRAL_FOLD, SPIRAL_START

import contcrit as cc

SPAN = (1e-4, 0.2)


def main(name: str, gear: str) -> None:
    real, imaginary = SPIRAL_START
    kind, _, long = name.partition("_")
    problem: Any
    if kind == "P1":
        problem, start, scale = spiral(), [real, imaginary], 1.0
    else:
        problem = cc.models.get("linear-network").build(R=[[0.0, -1.0], [1.0, 0.0]])
        start, scale = [real, -imaginary, imaginary, real], 2**0.5
    if long:
        scale /= 100
    settings = steps(0.01 * scale, 0.03 * scale, len(start), gear=gear, maximum_points=200_000)

    def call(chosen: cc.Settings) -> cc.Branch:
        return cc.trace(
            problem, start, "lam", SPAN, values={"lam": 1e-3}, direction="forward",
            settings=chosen, classify=False, progress=False,
        )  # fmt: skip

    repeats = 3 if gear == "python" or long else None
    tool = "contcrit" if gear == "native" else f"contcrit ({gear} gear)"
    timed_trace(
        name, call, settings, SPIRAL_FOLD, unknowns=len(start), repeats=repeats, tool=tool
    )  # fmt: skip


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "native")
