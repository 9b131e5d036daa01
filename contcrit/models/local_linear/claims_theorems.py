"""Claims on contraction: Theorems 1 to 3, and what is true in their place."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...contraction.claims import Claim, Draw, Instance, Outcome
from ...system import Array
from .claims_draws import data_of, upwards
from .claims_law import FIXED


def _linear(draw: Draw) -> dict[str, Any]:
    n = draw.integer(1, 3)
    return {
        "A": draw.reals((n, n), -1.0, 1.0),
        "rate": draw.real(0.2, 1.0),
        "gain": draw.real(0.0, 1.0),
        "x": draw.reals(n, -2.0, 2.0),
        "other": draw.reals(n, -2.0, 2.0),
    }


def _theorem_1(case: Instance) -> Outcome:
    """Return whether two solutions of a contracting system approach each other fast enough."""
    from scipy.integrate import solve_ivp

    A, n = case["A"], len(case["x"])
    # Skew and negative parts, a nonlinear term with Jacobian <= 0, and forcing in time.
    M = (A - A.T) - A @ A.T - case["rate"] * np.eye(n)
    gain = case["gain"]

    def field(t: float, z: Array) -> Array:
        pair = z.reshape(2, n)
        return (pair @ M.T - gain * np.tanh(pair) * (1.5 + np.sin(t)) + np.cos(t)).ravel()

    times = np.linspace(0.0, 4.0, 9)
    start = np.concatenate([case["x"], case["other"]])
    found = solve_ivp(field, (0.0, 4.0), start, t_eval=times, rtol=1e-9, atol=1e-11)
    gaps = np.linalg.norm(found.y[:n] - found.y[n:], axis=0)
    bound = gaps[0] * np.exp(-case["rate"] * times)
    return Outcome.at_most(float(np.max(gaps - bound)), 0.0, tolerance=1e-7)


def _theorem_2(case: Instance) -> Outcome:
    """Return whether two starts of one linear region stay as close as they are."""
    from .law import learn
    from .theory import theorem_2_counterexample

    ends = []
    starts = []
    for side in (1.0, -1.0):
        data, w = theorem_2_counterexample(side * case["offset"])
        starts.append(w)
        ends.append(learn(data, w).end)
    before, after = (float(np.linalg.norm(pair[0] - pair[1])) for pair in (starts, ends))
    same = np.array_equal(data.owners(starts[0]), data.owners(starts[1]))
    if not same:
        return Outcome(None, detail="not in one region")
    return Outcome.at_most(after, before, tolerance=1e-9, detail=f"{before:.6g} to {after:.6g}")


def _excluded_set(case: Instance) -> Outcome:
    """Return whether the law keeps away from kinks with sign ytilde < 0."""
    from .law import learn
    from .theory import theorem_2_counterexample

    data, w = theorem_2_counterexample(case["offset"])
    path = learn(data, w)
    met = [float(np.min(data.errors(point))) for point in path.points[1:-1]]
    worst = min(met, default=0.0)
    return Outcome.at_most(-worst, 0.0, tolerance=1e-9, detail=f"error {worst:.4g} at the kink")


def _one_sided(case: Instance) -> Outcome:
    """Return whether the one-sided law is monotone: its potential convex, distances falling."""
    data = data_of(case)

    def law(w: Array) -> tuple[float, Array]:
        over = np.maximum(data.errors(w), 0.0)
        return float(over @ over) / 2.0, data.selection(w).T @ (over[:, None] * data.X)

    (cost, slope), (far, other) = law(case["w"]), law(case["other"])
    middle, _ = law((case["w"] + case["other"]) / 2.0)
    apart = case["w"] - case["other"]
    return Outcome.every(
        [
            Outcome.at_most(middle, (cost + far) / 2.0, tolerance=1e-10),
            Outcome.at_most(-float(np.sum((slope - other) * apart)), 0.0, tolerance=1e-10),
        ]
    )


def _dead_neuron(case: Instance) -> Outcome:
    """Return whether the law reaches V = 0, which the network can represent."""
    from .law import learn
    from .theory import dead_neuron

    data, w = dead_neuron()
    path = learn(data, w + case["apart"])
    return Outcome.at_most(data.cost(path.end), 0.0, tolerance=1e-9)


def _dead_basin(case: Instance) -> Outcome:
    from .law import learn
    from .theory import dead_neuron

    data, w = dead_neuron()
    path = learn(data, w + case["apart"])
    stays = float(np.max(np.abs(path.end[1] - (w + case["apart"])[1])))
    return Outcome.every(
        [
            Outcome.close(data.cost(path.end), 1.0 / 3.0, tolerance=1e-9),
            Outcome.at_most(stays, 0.0, tolerance=1e-12),
        ]
    )


# ---- the list ----

_ONE_SIDED = Claim(
    key="one-sided-cost",
    statement=(
        "With edges that bend up, the cost sum max(0, yhat - y)^2 / 2 is convex, so that its law "
        "is semi-contracting in the Euclidean distance."
    ),
    reference="Theorem 3, corrected",
    holds_in="maxima of any neurons, any data, any two weights",
    instance=upwards,
    check=_one_sided,
    trials=60,
)

_BASIN = Claim(
    key="dead-neuron-basin",
    statement=(
        "With x = (-1, 0, 1), y = (1, 0, 1), a neuron below all data stays where it is, and the "
        "other one fits all of them: V tends to 1/3 from an open set."
    ),
    reference="section 2.2, corrected",
    holds_in="starts within 0.1 of the minimum",
    instance=lambda draw: {"apart": draw.reals((2, 2), -0.1, 0.1)},
    check=_dead_basin,
)

_OFFSET = {"offset": 1e-6}

CLAIMS: tuple[Claim, ...] = (
    Claim(
        key="theorem-1",
        statement="Jacobians with symmetric part at most -rate I bring trajectories together.",
        reference="Theorem 1",
        holds_in="differentiable right-hand sides on a convex invariant set",
        instance=_linear,
        check=_theorem_1,
        trials=5,
        note="Differentiable f: with jumps the generalised Jacobian at them counts as well.",
    ),
    Claim(
        key="theorem-2",
        statement="The law is semi-contracting on the set without kinks at which ytilde < 0.",
        reference="Theorem 2",
        holds_in="K >= 2 data; two starts in one linear region",
        check=_theorem_2,
        verdict="false",
        counterexample=_OFFSET,
        correction=FIXED,
        note=(
            "x = (0, 1), y = (1, -0.3), w_1 = (0.5, 0), w_2 = (m +- 1e-6, -10), with m = 0.458... "
            "the least offset that neuron 1 takes: a distance of 2e-6 grows to 1.27."
        ),
    ),
    Claim(
        key="theorem-2-invariant-set",
        statement="The set without kinks at which ytilde < 0 is invariant.",
        reference="Theorem 2",
        holds_in="K >= 2 data",
        check=_excluded_set,
        verdict="false",
        counterexample=_OFFSET,
        correction=Claim(
            key="theorem-2-invariant-set-without-graze",
            statement="Passing the kink below the grazing level changes nothing.",
            reference="Theorem 2, corrected",
            holds_in="the same data, offsets below zero",
            instance=lambda draw: {"offset": -draw.choice((1e-9, 1e-6, 1e-3, 1.0))},
            check=_excluded_set,
            trials=4,
        ),
        note="With one datum it is invariant; see figures-4-and-5-inflowing.",
    ),
    Claim(
        key="theorem-3",
        statement="The law is globally semi-contracting but for edges at which ytilde < 0.",
        reference="Theorem 3",
        holds_in="inputs in space; two starts in one linear region",
        check=_theorem_2,
        verdict="false",
        counterexample=_OFFSET,
        correction=_ONE_SIDED,
        note="The counterexample to Theorem 2, whose inputs lie on a line.",
    ),
    Claim(
        key="no-separated-regions",
        statement="No finite region of weights is kept from a solution that exists.",
        reference="sections 2.2 and 2.3",
        holds_in="data that the network can represent",
        check=_dead_neuron,
        verdict="false",
        counterexample={"apart": np.zeros((2, 2))},
        correction=_BASIN,
    ),
)
"""Claims on contraction."""
