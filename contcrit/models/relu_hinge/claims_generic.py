"""Claims about flat minima and generic data: Theorem 3 and Definition 1."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np

from ...contraction.claims import Claim, Draw, Outcome
from .cells import classify_in_cell, is_flat
from .claims_instances import (
    Case,
    labels,
    network_of,
    scenario_case,
)
from .network import HingeNetwork
from .scenarios import figure_4
from .theory import is_generic


def flat_patterns_with_loss(network: HingeNetwork) -> bool:
    """Tell whether some pattern of units and margins is flat while a margin is on."""
    hidden, kinks = len(network.X) * network.widths[0], len(network.criterion.weights)
    for units in product((0.0, 1.0), repeat=hidden):
        for margins in product((0.0, 1.0), repeat=kinks):
            if any(margins) and is_flat(network, [np.array(units), np.array(margins)]):
                return True
    return False


def _few(draw: Draw) -> dict[str, Any]:
    count = draw.integer(2, 3)
    return {
        "constants": {
            "X": [[float(draw.integer(-2, 3))] for _ in range(count)],
            "y": labels(draw, count),
            "alpha": draw.choice((0.5, 0.25)),
        }
    }


def _flat_is_optimal(case: Case) -> Outcome:
    constants = case["constants"]
    generic = is_generic(constants["X"], constants["y"], Fraction(constants["alpha"]))
    if not generic:
        return Outcome(None, detail="rare data")
    lossy = flat_patterns_with_loss(network_of(case))
    return Outcome(not lossy, detail="generic data: every flat cell has loss 0")


def _with_alpha(label: str, alpha: float) -> dict[str, Any]:
    case = scenario_case(figure_4(), label)
    return {**case, "constants": {**case["constants"], "alpha": alpha}}


def _flat_at_alpha(case: Case) -> Outcome:
    network, x = network_of(case), case["x"]
    loss = float(network.loss(x))
    flat = classify_in_cell(network, x).kind == "flat minimum"
    holds = not flat or loss <= 1e-12
    return Outcome(holds, -loss, f"alpha {network.alpha:g}: {'flat' if flat else 'not flat'}")


def has_rare_collection(
    X: list[list[float]], y: list[int], alpha: Fraction, *, literal: bool
) -> bool:
    """Tell by trying all whether equation 7 has a solution epsilon != 0, for L = 1.

    Parameters
    ----------
    X, y : list
        Data, and classes 0, ..., R - 1.
    alpha : Fraction
        Slope.
    literal : bool
        Whether epsilon^(i, y_i) counts among the N R scalars, as printed.
    """
    N, R = len(y), max(y) + 1
    vectors = [tuple(Fraction(value) for value in (*x, 1)) for x in X]
    for epsilon in product((0, 1), repeat=N * R):
        e = [epsilon[R * i : R * i + R] for i in range(N)]
        if not any(epsilon) or (not literal and any(e[i][y[i]] for i in range(N))):
            continue
        signs = [
            [sum(e[i]) - e[i][r] if y[i] == r else -e[i][r] for r in range(R)] for i in range(N)
        ]
        for scales in product({Fraction(1), alpha}, repeat=N):
            if all(
                sum(scales[i] * vectors[i][j] * signs[i][r] for i in range(N)) == 0
                for r in range(R)
                for j in range(len(vectors[0]))
            ):
                return True
    return False


def _rare_case(draw: Draw) -> dict[str, Any]:
    count = draw.integer(2, 3)
    return {
        "X": [[draw.integer(-2, 3)] for _ in range(count)],
        "y": [0, 1, *(draw.integer(0, 1) for _ in range(count - 2))],
        "alpha": draw.choice((Fraction(1), Fraction(1, 2), Fraction(1, 3))),
    }


def _literally_generic(case: Case) -> Outcome:
    rare = has_rare_collection(case["X"], case["y"], case["alpha"], literal=True)
    return Outcome(not rare, detail="rare" if rare else "generic")


def _generic_as_meant(case: Case) -> Outcome:
    rare = has_rare_collection(case["X"], case["y"], case["alpha"], literal=False)
    generic = is_generic(case["X"], case["y"], case["alpha"])
    return Outcome(generic is not rare, detail="rare" if rare else "generic")


def _seeded(draw: Draw) -> dict[str, Any]:
    count = draw.integer(2, 4)
    return {
        "seed": draw.integer(0, 2**32 - 1),
        "y": labels(draw, count),
        "alpha": draw.choice((Fraction(1, 2), Fraction(1, 3))),
        "twins": draw.choice((True, False)),
    }


def _almost_surely(case: Case) -> Outcome:
    generator = np.random.default_rng(case["seed"])
    y = case["y"]
    X = generator.standard_normal((len(y), 2))
    if not case["twins"]:
        return Outcome(is_generic(X.tolist(), y, case["alpha"]), detail="random inputs")
    # Opposite labels at one place are rare, unless the weights are moved.
    X[1] = X[0]
    weights = 1.0 + 1e-3 * generator.random(len(y))
    before = is_generic(X.tolist(), y, case["alpha"])
    after = is_generic(X.tolist(), y, case["alpha"], weights.tolist())
    return Outcome(not before and after, detail="rare, and generic with other weights")


CLAIMS: tuple[Claim, ...] = (
    Claim(
        key="flat-minima-are-optimal",
        statement="For generic data and alpha > 0 a fully connected network has no flat cell of "
        "positive loss.",
        reference="Theorem 3; Main Result 2",
        holds_in="two or three data on a line, all patterns of one unit and the margins",
        check=_flat_is_optimal,
        instance=_few,
        trials=12,
    ),
    Claim(
        key="flat-minima-without-leak",
        statement="The loss is zero at every flat local minimum, whatever the slope alpha.",
        reference="Theorem 3; Figure 4; Main Result 2",
        holds_in="alpha in [0, 1]",
        check=_flat_at_alpha,
        verdict="false",
        counterexample=scenario_case(figure_4(), "4c"),
        note="Theorem 3 asks for alpha > 0: without a leak all data may be dead.",
        correction=Claim(
            key="flat-minima-with-leak",
            statement="The cells of Figures 4b and 4c are not flat for any alpha > 0.",
            reference="Theorem 3; Figure 4",
            holds_in="alpha in [0.001, 1]",
            check=_flat_at_alpha,
            instance=lambda draw: _with_alpha(draw.choice(("4b", "4c")), draw.real(1e-3, 1.0)),
        ),
    ),
    Claim(
        key="definition-1",
        statement="With epsilon over all N R indices, as printed, Definition 1 leaves data generic "
        "that are not special.",
        reference="Definition 1; equation 7",
        holds_in="data and slopes that solve no equation with r other than the datum's class",
        check=_literally_generic,
        verdict="false",
        counterexample={"X": [[0], [1], [7]], "y": [0, 1, 0], "alpha": Fraction(1, 3)},
        note="The collection with the single entry epsilon^(i, y_i) = 1 solves equation 7.",
        correction=Claim(
            key="definition-1-as-meant",
            statement="With epsilon over r != y_i, data are rare exactly if one of finitely many "
            "sums vanishes.",
            reference="Definition 1; equation 7",
            holds_in="two or three data on a line, duplicates included, two classes",
            check=_generic_as_meant,
            instance=_rare_case,
        ),
    ),
    Claim(
        key="generic-with-probability-one",
        statement="Independent atomless inputs are generic with probability one, and a small "
        "change of the weights makes coinciding data generic.",
        reference="Definition 1, the text after it",
        holds_in="two to four Gaussian inputs in the plane; coinciding ones of opposite labels",
        check=_almost_surely,
        instance=_seeded,
    ),
)
"""Claims about flat minima and generic data."""
