"""bice: pseudo-arclength steps; bifurcations by counting eigenvalues, located on request.

``P1_detect`` and ``P3_50_detect`` ask for them, the others march only.
"""

from __future__ import annotations

import contextlib
import io
from typing import Any

import numpy as np
from bice import Equation, Problem
from shared import (
    MATRIX_X0,
    PITCHFORK_X0,
    SPIRAL_X0,
    Bratu,
    matrix_equation,
    outcome,
    pitchfork,
    pitchfork_jacobian,
    spiral,
    spiral_jacobian,
    time_tool,
)
from stopwatch import named


class Rows(Equation):
    """An equation given by functions of the unknowns and the parameter."""

    def __init__(self, function: Any, derivative: Any, start: Any, lam: float) -> None:
        super().__init__()
        self.function, self.derivative, self.u, self.lam = function, derivative, start.copy(), lam

    def rhs(self, u: Any) -> Any:
        return self.function(u, self.lam)

    def jacobian(self, u: Any) -> Any:
        return self.derivative(u, self.lam) if self.derivative else super().jacobian(u)


class Whole(Problem):
    """A problem of one equation."""

    def __init__(self, rows: Rows) -> None:
        super().__init__()
        self.rows = rows
        self.add_equation(rows)
        self.continuation_parameter = (rows, "lam")

    def norm(self) -> float:
        return float(np.linalg.norm(self.rows.u))


def main(name: str) -> None:
    problem, detect = name.removesuffix("_detect"), name.endswith("_detect")
    start, lam, steps, sign = SPIRAL_X0, 1e-3, (0.01, 0.03), -1.0
    function, derivative = spiral, spiral_jacobian
    past: Any = lambda u, lam: lam < 1e-4  # noqa: E731
    if problem == "P2":
        function, derivative, start = matrix_equation, None, MATRIX_X0
        steps = (0.01, 0.03 * 2**0.5)
    elif problem.startswith("P3"):
        bratu = Bratu(int(problem.removeprefix("P3_")))
        function, derivative, start = bratu.residual, bratu.jacobian, np.zeros(bratu.interior)
        lam, steps, sign = 0.0, (0.05, 0.4 if bratu.interior == 50 else 2.0), 1.0
        past = lambda u, lam: u.max() > 8  # noqa: E731
    elif problem.startswith("P4"):
        function, derivative, detect, steps = pitchfork, pitchfork_jacobian, True, (0.005, 0.01)
        start, lam = (PITCHFORK_X0, 0.01) if problem == "P4" else (np.zeros(2), 0.5)
        past = lambda u, lam: not 0.005 <= lam <= 1.2  # noqa: E731

    def run(largest: int) -> dict[str, Any]:
        slope = (lambda u, lam: sign * derivative(u, lam)) if derivative else None
        whole = Whole(Rows(lambda u, lam: sign * function(u, lam), slope, start, lam))
        stepper = whole.continuation_stepper
        stepper.ds, stepper.ds_max = steps
        stepper.convergence_tolerance, stepper.ndesired_newton_steps = 1e-8, 3
        whole.settings.neigs = (6 if problem == "P3_50" else None) if detect else 0
        whole.settings.always_locate_bifurcations = detect
        lams, events = [lam], []
        with contextlib.redirect_stdout(io.StringIO()):
            for _ in range(largest):
                whole.continuation_step()
                lams.append(whole.get_continuation_parameter())
                if past(whole.u, lams[-1]):
                    break
            if detect:
                found = whole.bifurcation_diagram.active_branch.bifurcations()
                events = [(str(item.bifurcation_type()), float(item.p)) for item in found]
        return outcome(lams, events, fold=events[0][1] if events else None)

    label = "bice, with detection" if detect else "bice, march only"
    largest = 250 if problem.startswith("P4") else 600
    time_tool(label, problem, run, largest, repeats=1 if problem == "P3_1000" else None)


if __name__ == "__main__":
    main(named())
