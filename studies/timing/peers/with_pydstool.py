"""PyDSTool: PyCont's curves of equilibria; all special points located."""

from __future__ import annotations

import contextlib
import io
import itertools
from typing import Any

import numpy as np
from PyDSTool import ContClass, Generator, args
from references import SPIRAL_START
from shared import PITCHFORK_X0, outcome, time_tool
from stopwatch import named


def main(problem: str) -> None:
    numbers = itertools.count()
    options: dict[str, Any] = {"StepSize": 0.01, "MaxStepSize": 0.03}
    tolerances = {"FuncTol": 1e-9, "VarTol": 1e-9, "TestTol": 1e-8}
    direction, largest = "backward", 280
    if problem == "P1":
        rows = {"a": "-lam*a+exp(a)*sin(b)-exp(2*a)", "b": "-lam*b+exp(a)*cos(b)"}
        lam, start = 1e-3, dict(zip("ab", SPIRAL_START, strict=True))
    elif problem == "P3_50":
        scale = 51.0**2
        rows, lam = {}, 0.0
        for i in range(1, 51):
            left, right = f"u{i - 1}" if i > 1 else "0", f"+u{i + 1}" if i < 50 else ""
            rows[f"u{i}"] = f"{scale!r}*({left}-2*u{i}{right})+lam*exp(u{i})"
        start = dict.fromkeys(rows, 0.0)
        options = {"StepSize": 0.05, "MaxStepSize": 0.4, "LocBifPoints": ["LP"]}
        tolerances |= {"FuncTol": 1e-6, "VarTol": 1e-6}
        direction, largest = "forward", 40
    else:
        rows = {"x": "-((x*y-1)*y+lam*x)", "y": "-((x*y-1)*x+lam*y)"}
        value, lam = (float(PITCHFORK_X0[0]), 0.01) if problem == "P4" else (0.0, 0.5)
        start = {"x": value, "y": value}
        options["MaxStepSize"] = 0.01
        direction, largest = ("backward", 250) if problem == "P4" else ("forward", 75)

    def run(steps: int) -> dict[str, Any]:
        model = Generator.Vode_ODEsystem(
            args(name=f"m{next(numbers)}", varspecs=rows, pars={"lam": lam}, ics=start)
        )
        curves = ContClass(model)
        given = args(
            name="EQ1", type="EP-C", freepars=["lam"], MinStepSize=1e-6, MaxNumPoints=steps,
            LocBifPoints="all", SaveEigen=False, verbosity=0,
        )  # fmt: skip
        for name, value in (tolerances | options).items():
            setattr(given, name, value)
        curves.newCurve(given)
        with contextlib.redirect_stdout(io.StringIO()):
            getattr(curves["EQ1"], direction)()
        events = []
        for kind, k in itertools.product(("LP", "BP", "H"), (1, 2, 3)):
            point = None
            with contextlib.suppress(Exception):  # the tool raises where there is no such point
                point = curves["EQ1"].getSpecialPoint(f"{kind}{k}")
            if point:
                events.append((kind, float(point["lam"])))
        lams = np.asarray(curves["EQ1"].sol["lam"], float)
        return outcome(lams, events, next((p for kind, p in events if kind == "LP"), None))

    slow = problem.startswith("P3")
    time_tool("PyDSTool", problem, run, largest, one=None if slow else 2, repeats=1 if slow else 2)


if __name__ == "__main__":
    main(named())
