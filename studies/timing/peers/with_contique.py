"""contique: Newton continuation controlled by components."""

from __future__ import annotations

import contextlib
import io
from typing import Any

import contique
import numpy as np
import scipy.sparse.linalg
from shared import (
    MATRIX_X0,
    SPIRAL_X0,
    Bratu,
    matrix_equation,
    outcome,
    spiral,
    spiral_jacobian,
    spiral_slope,
    time_tool,
)
from stopwatch import named


def main(problem: str) -> None:
    start, lam, options = SPIRAL_X0, 1e-3, {"dxmax": 0.03, "dlpfmax": 0.003, "tol": 1e-9}
    jacobian: Any = None
    past = lambda z: z[-1] < 1e-4  # noqa: E731
    if problem == "P1":
        function: Any = spiral
        jacobian = [
            lambda u, lam, *rest: spiral_jacobian(u, lam),
            lambda u, lam, *rest: spiral_slope(u, lam),
        ]
    elif problem == "P2":
        function, start = matrix_equation, MATRIX_X0
    else:
        bratu = Bratu(int(problem.removeprefix("P3_")))
        function, start, lam = bratu.residual, np.zeros(bratu.interior), 0.0
        jacobian = [
            lambda u, lam, *rest: bratu.jacobian(u, lam),
            lambda u, lam, *rest: bratu.slope(u, lam),
        ]
        tolerance = 1e-7 if bratu.interior < 1000 else 1e-5
        options = {"dxmax": 0.08, "dlpfmax": 0.08, "tol": tolerance}
        options["solve"] = scipy.sparse.linalg.spsolve
        past = lambda z: z[:-1].max() > 8  # noqa: E731

    def run(largest: int) -> dict[str, Any]:
        lams = []
        with contextlib.redirect_stdout(io.StringIO()):
            for step in contique.solve(
                fun=function, x0=start, lpf0=lam, jac=jacobian, maxsteps=largest, maxcycles=4,
                maxiter=10, overshoot=1.05, **options,
            ):  # fmt: skip
                lams.append(step.x[-1])
                if past(step.x):
                    break
        return outcome(lams)

    time_tool("contique", problem, run, 600, repeats=1 if problem == "P3_1000" else None)


if __name__ == "__main__":
    main(named())
