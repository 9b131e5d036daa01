"""Claims on the paper's examples, and on one of our own."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...contraction.claims import Claim, Draw, Instance, Outcome
from ...system import Array


def _example_2_1(case: Instance) -> Outcome:
    from .creation import grow
    from .data import corners
    from .law import learn
    from .theory import POLYGON_CORNERS, POLYGON_COSTS, polygon

    data = polygon()
    w = learn(data, np.zeros((1, 2))).end
    outcomes = [Outcome.close(data.cost(w), float(POLYGON_COSTS["one neuron"]), tolerance=1e-10)]
    for at, name in ((6.0, "two neurons"), (5.0, "two neurons, other")):
        pair, v = grow(data, w, [at])
        v = learn(pair, v).end
        outcomes += [
            Outcome.close(pair.cost(v), float(POLYGON_COSTS[name]), tolerance=1e-10),
            Outcome.close(corners(v)[0], float(POLYGON_CORNERS[name]), tolerance=1e-9),
        ]
        four, u = grow(pair, v, [3.0, 9.0])
        u = learn(four, u).end
        outcomes += [
            Outcome.at_most(four.cost(u), 1e-20),
            Outcome.at_most(float(np.max(np.abs(corners(u) - (3, 6, 9)))), 1e-9),
        ]
    return Outcome.every(outcomes)


def _without_split(case: Instance) -> Outcome:
    from .law import learn
    from .theory import POLYGON_COSTS, polygon

    data = polygon()
    path = learn(data, case["w"])
    return Outcome.close(data.cost(path.end), float(POLYGON_COSTS["one neuron"]), tolerance=1e-9)


def _example_2_2(case: Instance) -> Outcome:
    from .law import learn
    from .theory import corner_data

    data, w = corner_data()
    path = learn(data, w + case["apart"])
    return Outcome.at_most(data.cost(path.end), 0.0, tolerance=1e-12)


def _dead_planes_stay(case: Instance) -> Outcome:
    """Return whether one plane fits all data, while those below them stay where they are."""
    from .law import learn
    from .theory import corner_data

    data, _ = corner_data()
    end = learn(data, case["w"]).end
    line = np.linalg.lstsq(data.X, data.y, rcond=None)[0]
    moved = float(np.max(np.abs(end[1:] - case["w"][1:])))
    return Outcome.every(
        [
            Outcome.at_most(moved, 0.0, tolerance=1e-12),
            Outcome.at_most(float(np.max(np.abs(end[0] - line))), 0.0, tolerance=1e-8),
        ]
    )


def _below(draw: Draw) -> dict[str, Any]:
    w = _dead_planes()
    w[0] = draw.reals(3, -1.0, 1.0)
    w[1:, 1:] = draw.reals((2, 2), -1.0, 1.0)
    return {"w": w}


def _every_corner(case: Instance) -> Outcome:
    from .law import learn
    from .theory import corner_data

    data, _ = corner_data()
    return Outcome.at_most(data.cost(learn(data, case["w"]).end), 0.0, tolerance=1e-9)


def _worked(case: Instance) -> Outcome:
    """Return whether the families found by enumeration are those derived in exact arithmetic."""
    from .equilibria import equilibria
    from .starts import label_of
    from .theory import H, worked_case, worked_data

    h = case["h"]
    data = worked_data(h)
    found: dict[str, Any] = {}
    for family in equilibria(data):
        if not family.is_border:
            found.setdefault(label_of(data, family), family)
    outcomes = []
    for name, known in worked_case().items():
        exists = bool(h >= known.lowest)
        if abs(h - float(known.lowest)) < 1e-6 if known.lowest.is_finite else False:
            return Outcome(None, detail="at a border collision")
        outcomes.append(Outcome((name in found) == exists, detail=f"{name} at h = {h:.6g}"))
        if exists and name in found:
            cost = float(known.cost.subs(H, h))
            outcomes.append(Outcome.close(found[name].V, cost, tolerance=1e-9))
            outcomes.append(Outcome(found[name].dimension == known.dimension))
    return Outcome.every(outcomes)


# ---- the list ----

_DESIGNED = Claim(
    key="example-2-2",
    statement="Three planar neurons converge to a corner, with vanishing error.",
    reference="Example 2.2, Figure 9",
    holds_in="49 data of a corner, starts within 0.2 of a designed one",
    instance=lambda draw: {"apart": draw.reals((3, 3), -0.2, 0.2)},
    check=_example_2_2,
    trials=4,
)


def _dead_planes() -> Array:
    return np.array([[0.0, 0.0, 0.0], [-9.0, 0.0, 0.0], [-9.0, 0.0, 0.0]])


CLAIMS: tuple[Claim, ...] = (
    Claim(
        key="example-2-1",
        statement="One neuron, two and four converge to the polygon: V falls to 0 by splitting.",
        reference="Example 2.1, Figure 6",
        holds_in="knots 0, 3, 6, 9, 12 with values 0, 3, 4, 1, -5, data at integers",
        check=_example_2_1,
        note=(
            "V = 8261/273; 43/45 with the corner 1527/241, or 737/630 with 255/43; and 0 with "
            "corners 3, 6, 9. Splits as `grow` makes them."
        ),
    ),
    Claim(
        key="example-2-1-one-neuron",
        statement="One neuron converges to one line, with V = 8261/273, from every start.",
        reference="Example 2.1, the red line of Figure 6",
        holds_in="one neuron, any start",
        instance=lambda draw: {"w": draw.reals((1, 2), -5.0, 5.0)},
        check=_without_split,
        trials=5,
    ),
    _DESIGNED,
    Claim(
        key="example-2-2-every-start",
        statement="Three planar neurons converge to a corner from every start.",
        reference="Example 2.2, section 2.4",
        holds_in="49 data of a corner",
        check=_every_corner,
        verdict="false",
        counterexample={"w": _dead_planes()},
        correction=Claim(
            key="example-2-2-dead-planes",
            statement="Planes below all data stay where they are; the other fits all data.",
            reference="Example 2.2, corrected",
            holds_in="49 data of a corner, two planes far below",
            instance=_below,
            check=_dead_planes_stay,
            trials=4,
        ),
        note="Planes that answer no datum stay dead.",
    ),
    Claim(
        key="worked-case",
        statement=(
            "Two maxima with x = (-2, -1, 1, 2), y = (2, 1, 1, h) rest in families 2+2 (V = 0, "
            "h >= 1), 1+3 (V = (h - 1)^2 / 7, h >= -4/3), 3+1 (V = 1/7, h >= 4/7) and 4+0 "
            "(V = (7 h^2 - 8 h + 8) / 40)."
        ),
        reference="equation 1 with two neurons; an example of our own",
        holds_in="every h",
        instance=lambda draw: {"h": draw.choice((draw.real(-4.0, 4.0), -1.0, 0.0, 0.5, 2.0))},
        check=_worked,
        trials=4,
    ),
)
"""Claims on examples."""
