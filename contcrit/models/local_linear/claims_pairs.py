"""Claims on pairs of neurons with one datum (sections 2.1 and 2.2), and on the law's kinks."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...contraction.claims import Claim, Draw, Instance, Outcome
from ...errors import Status
from ...system import Array

_TIMES = (0.05, 0.2, 0.5, 1.0, 2.0, 4.0)


def _pair(case: Instance) -> Any:
    from .theory import pair

    return pair(case["y"], case.get("units", "local"), case.get("sign", 1))


def _paths(case: Instance, *starts: str) -> list[Any] | None:
    """Return the law's solutions from some starts, or None if one could not be followed."""
    from .law import learn

    data = _pair(case)
    paths = [learn(data, np.reshape(case[name], (2, 1))) for name in starts]
    return paths if all(path.status is Status.END_OF_TIME for path in paths) else None


def _point(draw: Draw) -> Array:
    """Return a point of the plane: anywhere, on a kink, or at the origin."""
    kind = draw.choice(("any", "any", "any", "axis", "diagonal", "origin"))
    # Points next to rounding from a kink count as on it: where it repels, either side is right.
    z = np.round(draw.reals(2, -3.0, 3.0), 6)
    if kind == "axis":
        z[draw.integer(0, 1)] = 0.0
    elif kind == "diagonal":
        z[1] = z[0]
    return z * (kind != "origin")


def _one(draw: Draw) -> dict[str, Any]:
    return {"z": _point(draw), "y": round(draw.real(-2.0, 2.0), 6), "sign": draw.choice((1, -1))}


def _two(draw: Draw) -> dict[str, Any]:
    return {**_one(draw), "other": _point(draw)}


# ---- ReLU pairs ----------------------------------------------------------------------------------


def _relu_towards(y: float) -> Any:
    def instance(draw: Draw) -> dict[str, Any]:
        z, other = _point(draw), _point(draw)
        return {"z": z, "other": other, "y": y, "units": "relu"}

    return instance


def _figure_2(case: Instance) -> Outcome:
    from .theory import relu_pair_flow

    paths = _paths(case, "z")
    if paths is None:
        return Outcome(False, detail="the law could not be followed")
    frozen = bool(np.all(case["z"] <= 0))
    end = paths[0].end.ravel()
    left = _pair(case).cost(end)
    gaps = [
        float(np.max(np.abs(paths[0](t).ravel() - relu_pair_flow(case["z"], case["y"], t))))
        for t in _TIMES
    ]
    stays = float(np.max(np.abs(end - case["z"]))) if frozen else 0.0
    return Outcome.every(
        [
            Outcome.close(left, 0.5 if frozen else 0.0, tolerance=1e-9),
            Outcome.at_most(stays, 0.0, tolerance=1e-12),
            Outcome.at_most(max(gaps), 1e-9),
        ]
    )


def _figure_3(case: Instance) -> Outcome:
    paths = _paths(case, "z", "other")
    if paths is None:
        return Outcome(None)
    top = max(float(np.max(path.end)) for path in paths)
    distances = [_distance(paths, t) for t in (0.0, *_TIMES)]
    return Outcome.every(
        [
            Outcome.at_most(top, 0.0, tolerance=1e-9, detail=f"largest z at rest {top:.3g}"),
            Outcome.close(_pair(case).cost(paths[0].end), 0.5, tolerance=1e-9),
            Outcome.at_most(_rise(distances), 0.0, tolerance=1e-9),
        ]
    )


def _distance(paths: list[Any], time: float) -> float:
    return float(np.linalg.norm(paths[0](time) - paths[1](time)))


def _rise(values: list[float]) -> float:
    """Return the largest rise from one value to the next."""
    return float(np.max(np.diff(values)))


# ---- switching pairs -----------------------------------------------------------------------------


def _figures_4_and_5(case: Instance) -> Outcome:
    paths = _paths(case, "z")
    if paths is None:
        return Outcome(None)
    return Outcome.at_most(_pair(case).cost(paths[0].end), 0.0, tolerance=1e-18)


def _closed_form(case: Instance) -> Outcome:
    from .theory import switching_pair_flow

    paths = _paths(case, "z")
    if paths is None:
        return Outcome(False, detail="the law could not be followed")
    gaps = [
        np.abs(paths[0](t).ravel() - switching_pair_flow(case["z"], case["y"], t, case["sign"]))
        for t in _TIMES
    ]
    return Outcome.at_most(float(np.max(gaps)), 1e-9)


def _path_metric(case: Instance) -> Outcome:
    from .theory import path_distance

    paths = _paths(case, "z", "other")
    if paths is None:
        return Outcome(None)
    lengths = [
        path_distance(paths[0](t).ravel(), paths[1](t).ravel(), case["y"], case["sign"])
        for t in (0.0, *_TIMES)
    ]
    return Outcome.at_most(_rise(lengths), 0.0, tolerance=1e-9)


def _off_slit(draw: Draw) -> dict[str, Any]:
    case = _two(draw)
    for name in ("z", "other"):
        z = case[name]
        if z[0] == z[1] and case["sign"] * (z[0] - case["y"]) < 0:
            case[name] = z + np.array([0.1, 0.0])  # a start on the slit has two solutions
    return case


def _beside_slit(draw: Draw) -> dict[str, Any]:
    y, sign = draw.real(-2.0, 2.0), draw.choice((1, -1))
    apart = draw.choice((1e-6, 1e-3, 0.1, 1.0)) * draw.choice((1.0, -1.0))
    return {"z": y - sign * draw.real(1.1, 4.0) + np.array([apart, 0.0]), "y": y, "sign": sign}


def _euclidean(case: Instance) -> Outcome:
    paths = _paths(case, "z", "other")
    if paths is None:
        return Outcome(None)
    distances = [_distance(paths, t) for t in (0.0, *_TIMES, 40.0)]
    return Outcome.at_most(
        max(distances), distances[0], tolerance=1e-9,
        detail=f"distance {distances[0]:.6g} at first, {distances[-1]:.6g} at last",
    )  # fmt: skip


def _slit_is_left_alone(case: Instance) -> Outcome:
    paths = _paths(case, "z")
    if paths is None:
        return Outcome(None)
    side = np.sign(case["z"][0] - case["z"][1])
    gaps = [side * float(np.diff(paths[0](t).ravel()[::-1])[0]) for t in (0.0, *_TIMES)]
    return Outcome.at_most(-float(np.min(np.diff(gaps))), 0.0)


# ---- kinks ---------------------------------------------------------------------------------------


def _kink(draw: Draw) -> dict[str, Any]:
    n = draw.integer(0, 2)
    return {
        "x": draw.reals((1, n), -2.0, 2.0),
        "y": draw.real(-2.0, 2.0),
        "w": draw.reals(n + 1, -2.0, 2.0),
        "tilt": draw.reals(n + 1, -1.0, 1.0),
        "sign": draw.choice((1, -1)),
    }


def _approach(case: Instance) -> tuple[float, float]:
    """Return by how much the law pushes two neighbours together at their kink, and the error."""
    from .data import LocalLinear
    from .graph import NeuronGraph

    data = LocalLinear(case["x"], np.array([case["y"]]), NeuronGraph.chain((case["sign"],)))
    row = data.X[0]
    # Two neurons with one value at the datum, apart elsewhere.
    tilt = case["tilt"] - row * (case["tilt"] @ row) / (row @ row)
    w = np.array([case["w"], case["w"] + tilt])
    beside = 1e-6 * np.array([row, -row]) / (row @ row)
    jump = data.law(w + beside) - data.law(w - beside)
    return float(np.sum(jump * np.array([row, -row]))), float(data.errors(w)[0])


def _kinks_by_error(case: Instance) -> Outcome:
    push, error = _approach(case)
    if abs(error) < 1e-3:
        return Outcome(None, detail="no error")
    return Outcome.at_most(np.sign(error) * push, 0.0, detail=f"push {push:.4g}, error {error:.4g}")


def _kinks_by_sign_and_error(case: Instance) -> Outcome:
    push, error = _approach(case)
    x = float(case["x"][0] @ case["x"][0]) + 1.0
    expected = -2.0 * case["sign"] * error * x
    return Outcome.close(push, expected, tolerance=1e-4 * (1.0 + abs(expected)))


# ---- the list ------------------------------------------------------------------------------------

_PATH = Claim(
    key="figures-4-and-5-path-metric",
    statement="Shortest paths that avoid the repelling half of the kink never grow longer.",
    reference="section 2.2, corrected",
    holds_in="a switching pair, one datum, any two starts off the repelling half",
    instance=_off_slit,
    check=_path_metric,
)

_SIGNED = Claim(
    key="kinks-by-sign-and-error",
    statement=(
        "Across the kink of two neighbours the law's velocity jumps along the normal by "
        "-2 sign ytilde |x|^2: attracting for sign ytilde > 0, repelling for sign ytilde < 0."
    ),
    reference="section 2.2, corrected",
    holds_in="any inputs, both signs of the edge",
    instance=_kink,
    check=_kinks_by_sign_and_error,
)

CLAIMS: tuple[Claim, ...] = (
    Claim(
        key="figure-2",
        statement=(
            "With y = 1 the lower left quadrant is frozen, with V = 1/2, and all other starts "
            "reach V = 0; in the first quadrant the difference stays and the sum relaxes at rate 2."
        ),
        reference="Figure 2",
        holds_in="two ReLUs, one datum, any start",
        instance=_relu_towards(1.0),
        check=_figure_2,
    ),
    Claim(
        key="figure-3",
        statement="With y = -1 all trajectories end in the lower left quadrant, at V = 1/2.",
        reference="Figure 3",
        holds_in="two ReLUs, one datum, any two starts",
        instance=_relu_towards(-1.0),
        check=_figure_3,
        note=(
            "V is convex there: no region is kept from the minimum, and distances never grow. The "
            "failure is one of representation, since yhat >= 0 > y."
        ),
    ),
    Claim(
        key="figures-4-and-5",
        statement="The pair leaves no region frozen: from every start V tends to 0.",
        reference="Figure 4, Figure 5",
        holds_in="a switching pair, one datum, any start",
        instance=_one,
        check=_figures_4_and_5,
    ),
    Claim(
        key="figures-4-and-5-flow",
        statement=(
            "The neuron in charge relaxes at rate 1; on the attracting half of the kink both slide "
            "to (y, y) at rate 1/2."
        ),
        reference="equation 3, Figure 4, Figure 5",
        holds_in="a switching pair, one datum, any start",
        instance=_one,
        check=_closed_form,
    ),
    Claim(
        key="figures-4-and-5-semi-contraction",
        statement="The distance of two trajectories off the repelling half-line never grows.",
        reference="section 2.2, Figure 4, Figure 5",
        holds_in="a switching pair, one datum, any two starts off the repelling half",
        instance=_off_slit,
        check=_euclidean,
        verdict="false",
        counterexample={
            "z": np.array([1e-6, -1e-6]),
            "other": np.array([-1e-6, 1e-6]),
            "y": 1.0,
            "sign": 1,
        },
        correction=_PATH,
        note="Beside the kink the distance grows from 2 sqrt(2) e to sqrt(2) (1 + e).",
    ),
    Claim(
        key="figures-4-and-5-inflowing",
        statement="The law leads away from both sides of the repelling half-line.",
        reference="section 2.2",
        holds_in="a switching pair, one datum, starts beside the half-line",
        instance=_beside_slit,
        check=_slit_is_left_alone,
    ),
    Claim(
        key="kinks-by-error",
        statement="Transitions are semi-contracting for ytilde > 0, semi-diverging for ytilde < 0.",
        reference="equation 4 and the Dirac terms of sections 2.2 and 2.3",
        holds_in="any inputs, both signs of the edge",
        instance=_kink,
        check=_kinks_by_error,
        verdict="false",
        counterexample={
            "x": np.array([[1.0]]),
            "y": 0.0,
            "w": np.array([1.0, 0.0]),
            "tilt": np.array([0.5, -0.5]),
            "sign": -1,
        },
        correction=_SIGNED,
        note="True where the function bends up; where it bends down the sign is the other one.",
    ),
)
"""Claims on pairs."""
