"""jaxcont: the whole loop compiled; ``P1_engine`` and so on call that loop alone."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import jaxcont
import numpy as np
from jax.scipy.linalg import expm
from shared import MATRIX_X0, QUARTER, SPIRAL_X0, outcome, time_tool
from stopwatch import named

jax.config.update("jax_enable_x64", True)


def spiral(u: Any, lam: Any, more: Any) -> Any:
    grow = jnp.exp(u[0])
    return jnp.array(
        [lam * u[0] - grow * jnp.sin(u[1]) + grow * grow, lam * u[1] - grow * jnp.cos(u[1])]
    )


def matrix_equation(u: Any, lam: Any, more: Any) -> Any:
    C = u.reshape(2, 2)
    F = expm(C - C.T) @ expm(C.T)
    return (lam * C - F.T @ (jnp.asarray(QUARTER) - F)).ravel()


def bratu(u: Any, lam: Any, more: Any) -> Any:
    padded = jnp.pad(u, 1)
    scale = float((u.shape[0] + 1) ** 2)
    return (padded[2:] - 2 * u + padded[:-2]) * scale + lam * jnp.exp(u)


# The number of steps is that which just reaches the end: a lower bound of the parameter after a
# fold does not stop the tool.
CASES: dict[str, tuple[Any, Any, float, float, float, int, float]] = {
    "P1": (spiral, SPIRAL_X0, 1e-3, 0.01, 0.03, 277, 1e-9),
    "P2": (matrix_equation, MATRIX_X0, 1e-3, 0.01, 0.03 * 2**0.5, 277, 1e-9),
    "P3_50": (bratu, np.zeros(50), 0.0, 0.05, 0.4, 126, 1e-7),
    "P3_1000": (bratu, np.zeros(1000), 0.0, 0.05, 2.0, 100, 1e-5),
}


def main(name: str) -> None:
    problem, engine = name.removesuffix("_engine"), name.endswith("_engine")
    function, start, lam, first, longest, largest, tolerance = CASES[problem]
    frozen = lambda u, p: function(u, p, None)  # noqa: E731

    def run(steps: int) -> dict[str, Any]:
        if engine:
            from jaxcont.core.scan_continuation import pseudo_arclength_scan

            numbers = (lam, 10.0, first, 1e-6, longest, tolerance)
            given = [jnp.asarray(start), *(jnp.asarray(value) for value in numbers)]
            found = pseudo_arclength_scan(frozen, *given, steps, jnp.asarray(10))
            count = int(found.n_valid)
            return outcome(np.asarray(found.params)[:count])
        settings = jaxcont.ContinuationPar(
            ds=first, ds_min=1e-6, ds_max=longest, max_steps=steps, newton_tol=tolerance,
            newton_max_iter=10, compute_stability=False,
        )  # fmt: skip
        found = jaxcont.continuation(
            jaxcont.bif_problem(function, jnp.asarray(start), lam), p_span=(lam, 10.0),
            settings=settings, events=[jaxcont.Fold()],
        )  # fmt: skip
        events = [(event.kind, float(event.p)) for event in found.events]
        folds = [p for kind, p in events if "fold" in kind.lower() or kind.lower() == "lp"]
        return outcome(np.asarray(found.branch.params), events, folds[0] if folds else None)

    label = "jaxcont, compiled loop alone" if engine else "jaxcont, with folds"
    if engine:
        time_tool(label, problem, run, largest, one=None)
    else:  # every call compiles anew
        time_tool(label, problem, run, largest, repeats=1)


if __name__ == "__main__":
    main(named())
