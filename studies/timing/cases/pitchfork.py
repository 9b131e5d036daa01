"""P4: a scalar network of two layers with ridge, whose branches cross at lam = 1.

``python pitchfork.py P4|P4_trivial``: along the bent branch the crossing looks like a fold to a
tool that trusts one signal; along w = 0 it is a change of two unknowns' sign of curvature.
"""

from __future__ import annotations

import numpy as np
import sympy as sp
from own import described, steps
from stopwatch import measure, named, repeats_from_environment, report

import contcrit as cc


def main(name: str) -> None:
    u, v, lam = sp.symbols("u v lam")
    potential = (u * v - 1) ** 2 / 2 + lam * (u**2 + v**2) / 2
    problem = cc.Problem.from_potential(potential, [u, v], [lam])
    start, value = ([np.sqrt(0.99)] * 2, 0.01) if name == "P4" else ([0.0, 0.0], 0.5)
    settings = steps(0.01, 0.01, 2, gear="native")

    def call(chosen: cc.Settings) -> dict[str, object]:
        return described(
            cc.trace(
                problem, start, "lam", (0.005, 1.2), values={"lam": value}, direction="forward",
                settings=chosen, classify=False, progress=False,
            )
        )  # fmt: skip

    found = measure(
        lambda: call(settings),
        lambda: call(settings.replace(maximum_points=1)),
        repeats_from_environment(),
    )
    errors = [abs(p - 1.0) for kind, p in found["events"] if kind == "branch-point"]
    report("contcrit", name, unknowns=2, **found, branch_point_error=min(errors, default=None))


if __name__ == "__main__":
    main(named())
