"""xpplab: the engine of XPPAUT from Python, a model given as text."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from typing import Any

import xpplab
from references import SPIRAL_START
from shared import PITCHFORK_X0, outcome, time_tool
from stopwatch import named

REAL, IMAGINARY = SPIRAL_START

MATRIX_ROWS = [
    "th=c12-c21", "mu=.5*(c11+c22)", "p=.5*(c11-c22)", "q=p*p+c21*c12", "r=sqrt(abs(q)+1e-300)",
    "ch=if(q>0)then(cosh(r))else(cos(r))", "sh=if(q>0)then(sinh(r)/r)else(sin(r)/r)",
    "em=exp(mu)", "e11=em*(ch+sh*p)", "e12=em*sh*c21", "e21=em*sh*c12", "e22=em*(ch-sh*p)",
    "ct=cos(th)", "st=sin(th)", "f11=ct*e11+st*e21", "f12=ct*e12+st*e22", "f21=-st*e11+ct*e21",
    "f22=-st*e12+ct*e22", "c11'=-lam*c11-f11*f11+f21*(1-f21)",
    "c12'=-lam*c12+f11*(-1-f12)-f21*f22", "c21'=-lam*c21-f12*f11+f22*(1-f21)",
    "c22'=-lam*c22+f12*(-1-f12)-f22*f22",
]  # fmt: skip


def text_of(rows: Sequence[str], lam: float, start: Mapping[str, float]) -> str:
    values = ",".join(f"{name}={value:.16g}" for name, value in start.items())
    return "\n".join([*rows, f"par lam={lam:.16g}", f"init {values}", "done", ""])


def bratu(interior: int) -> str:
    scale = float((interior + 1) ** 2)
    rows = []
    for i in range(1, interior + 1):
        left = f"u{i - 1}" if i > 1 else "0"
        right = f"+u{i + 1}" if i < interior else ""
        rows.append(f"u{i}'={scale:.16g}*({left}-2*u{i}{right})+lam*exp(u{i})")
    return text_of(rows, 0.0, {f"u{i}": 0.0 for i in range(1, interior + 1)})


def main(problem: str) -> None:
    options: dict[str, Any] = {
        "ds": 0.01, "dsmin": 1e-6, "dsmax": 0.03, "parmin": 1e-4, "parmax": 1.0, "normmin": -1e9,
        "normmax": 1e9, "epsl": 1e-9, "epsu": 1e-9, "epss": 1e-8, "itmx": 9, "itnw": 7, "nwtn": 3,
        "npr": 100_000, "mxbf": 0, "iid": 0,
    }  # fmt: skip
    largest = 2000
    if problem == "P1":
        rows = ["a'=-lam*a+exp(a)*sin(b)-exp(2*a)", "b'=-lam*b+exp(a)*cos(b)"]
        text = text_of(rows, 1e-3, {"a": REAL, "b": IMAGINARY})
    elif problem == "P2":
        start = {"c11": REAL, "c12": -IMAGINARY, "c21": IMAGINARY, "c22": REAL}
        text = text_of(MATRIX_ROWS, 1e-3, start)
        options["dsmax"] = 0.03 * 2**0.5
    elif problem == "P3_50":
        text, largest = bratu(50), 126
        options |= {"ds": 0.05, "dsmax": 0.4, "parmin": -1.0, "parmax": 10.0}
    else:
        rows = ["x'=-((x*y-1)*y+lam*x)", "y'=-((x*y-1)*x+lam*y)"]
        value, lam = (PITCHFORK_X0[0], 0.01) if problem == "P4" else (0.0, 0.5)
        text, largest = text_of(rows, lam, {"x": value, "y": value}), 400
        options |= {"dsmax": 0.01, "parmin": 0.005, "parmax": 1.2}

    def run(steps: int) -> dict[str, Any]:
        model = xpplab.Model.from_text(text)
        diagram = model.auto.equilibria("lam", from_equilibrium=False, nmax=steps, **options)
        events = [(point.type, point.value) for point in diagram.special()]
        lams = [point.value for point in diagram]
        with contextlib.suppress(AttributeError):  # not every release lets go of its engine
            model._engine.close()
        return outcome(lams, events, next((p for kind, p in events if kind == "LP"), None))

    time_tool("xpplab", problem, run, largest, one=2)


if __name__ == "__main__":
    main(named())
