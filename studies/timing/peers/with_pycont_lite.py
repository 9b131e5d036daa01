"""pycont-lite: pseudo-arclength without a Jacobian, by Newton-Krylov."""

from __future__ import annotations

from typing import Any

import numpy as np
from pycont import Verbosity, arclengthContinuation
from shared import (
    MATRIX_X0,
    PITCHFORK_X0,
    SPIRAL_X0,
    Bratu,
    matrix_equation,
    outcome,
    pitchfork,
    spiral,
    time_tool,
)
from stopwatch import named


def main(problem: str) -> None:
    function: Any = spiral
    start, lam, first, longest, largest = SPIRAL_X0, 1e-3, 0.01, 0.03, 600
    options: dict[str, Any] = {"param_min": 1e-4}
    if problem == "P2":
        function, start, longest = matrix_equation, MATRIX_X0, 0.03 * 2**0.5
    elif problem.startswith("P3"):
        bratu = Bratu(int(problem.removeprefix("P3_")))
        function, start, lam, first, longest = bratu.residual, np.zeros(50), 0.0, 0.05, 0.4
        largest, options = 30, {"tolerance": 1e-7}
    elif problem.startswith("P4"):
        function, first, longest, largest = pitchfork, 0.005, 0.01, 200
        start, lam = (PITCHFORK_X0, 0.01) if problem == "P4" else (np.zeros(2), 0.5)
        options = {"param_min": 0.0, "param_max": 1.2}

    def run(steps: int) -> dict[str, Any]:
        found = arclengthContinuation(
            function, start, lam, 1e-6, longest, first, steps,
            {"analyze_stability": False, "initial_directions": "increase_p", "tolerance": 1e-9}
            | options,
            Verbosity.OFF,
        )  # fmt: skip
        lams = np.concatenate([branch.p_path for branch in found.branches])
        events = [(event.kind, float(event.p)) for event in found.events]
        return outcome(lams, events, next((p for kind, p in events if kind == "LP"), None))

    time_tool("pycont-lite", problem, run, largest, repeats=1)


if __name__ == "__main__":
    main(named())
