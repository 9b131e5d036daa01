"""Claims about losses of many classes: equations 3 to 15 and Figure 5."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...contraction.claims import Claim, Draw, Outcome
from .claims_instances import (
    Case,
    any_network,
    judged,
    network_of,
    sampled,
    scenario_case,
)
from .claims_penalty import replicate_verdicts, separable_classes
from .scenarios import figure_5, one_versus_all_sum
from .theory import enclosure_bound, seen_and_unsolved


def _figure_5(case: Case) -> Outcome:
    local, best = (scenario_case(figure_5(), label) for label in ("local", "global"))
    network, x = network_of(local), local["x"]
    loss, bound = float(network.loss(x)), enclosure_bound(network, x)
    seen = seen_and_unsolved(network, x).tolist()
    right = abs(loss - 0.5) < 1e-12 and abs(bound - loss) < 1e-12 and seen == [2]
    least = float(network.loss(best["x"]))
    detail = f"loss {loss:g} = lower bound {bound:g}, least loss {least:g}, seen {seen}"
    return Outcome(right and least == 0.0, detail=detail)


def _figure_5_around(case: Case) -> Outcome:
    local = scenario_case(figure_5(), "local")
    network = network_of(local)
    near = local["x"] + case["reach"] * np.clip(sampled(network, case["seed"], 200), -1.0, 1.0)
    least = float(np.min(network.loss(near)))
    return Outcome.at_most(0.5, least, tolerance=1e-12)


def _sum_over(case: Case) -> Outcome:
    """Compare the loss of one class with the sum of its terms over the data, or over classes."""
    scenario = one_versus_all_sum()
    network = network_of({"constants": dict(scenario.constants)})
    x = sampled(network, case["seed"], 1)[0]
    yhat, weights = network.predictions(x), network.criterion.weights.reshape(3, 3)
    signs = np.where(np.asarray(scenario.constants["y"])[:, None] == np.arange(3), 1.0, -1.0)
    terms = weights * np.maximum(1.0 - signs * yhat, 0.0)
    whole = float(network.loss(x))
    if case["over"] == "data":
        total = sum(float(np.sum(terms[:, r])) for r in range(3))
    else:  # over r, for one datum, then over r once more
        total = sum(float(np.sum(terms[0])) for _ in range(3))
    return Outcome.close(total, whole, tolerance=1e-10 * (1.0 + whole))


def _cancelling(case: Case) -> Outcome:
    """Compare a point's verdict for the sum with those for the classes."""
    together = scenario_case(one_versus_all_sum(), "cancelling")
    apart = scenario_case(one_versus_all_sum("penalised"), "cancelling")
    network = network_of(apart)
    whole = judged(network_of(together), together["x"]).evidence.get("critical")
    answers = [found.evidence.get("critical") for found in replicate_verdicts(network, apart["x"])]
    detail = f"critical for the sum: {whole}, for the classes: {answers}"
    right = whole is True and answers == [False, False, True] and separable_classes(network)
    return Outcome(right, detail=detail)


def _rewritten(case: Case) -> Outcome:
    network, x = network_of(case), case["x"]
    yhat, classes = network.predictions(x), np.asarray(case["constants"]["y"])
    own = np.take_along_axis(yhat, classes[:, None], axis=1)
    total = float(case["mu"] @ np.sum(np.maximum(1.0 + yhat - own, 0.0), axis=1)) - 1.0
    return Outcome.close(total, float(network.loss(x)), tolerance=1e-9 * (1.0 + abs(total)))


def _weighted(draw: Draw, total: float | None) -> dict[str, Any]:
    case = any_network(draw, ("multiclass",))
    mu = 0.1 + draw.reals(len(case["constants"]["y"]), 0.0, 1.0)
    if total is not None:
        mu = mu / np.sum(mu) * total
    return {**case, "constants": {**case["constants"], "mu": mu}, "mu": mu}


_UNEQUAL = {
    "X": [[1.0], [2.0]], "y": [0, 1], "loss": "multiclass", "mu": [1.0, 1.0], "alpha": 0.5,
}  # fmt: skip


CLAIMS: tuple[Claim, ...] = (
    Claim(
        key="equation-3",
        statement="The loss (5), written with one-hot targets, is the weighted sum of the "
        "multiclass hinge losses (2).",
        reference="equation 2; equation 3; equation 5",
        holds_in="any weights of the data",
        check=_rewritten,
        instance=lambda draw: _weighted(draw, None),
        verdict="false",
        counterexample={"constants": _UNEQUAL, "x": np.zeros(6), "mu": np.ones(2)},
        note="The constant -1 of equation 5 stands for minus the sum of the weights.",
        correction=Claim(
            key="equation-3-normalised",
            statement="The loss (5) is the weighted sum of the losses (2) if the weights sum to "
            "one, as the text after it supposes.",
            reference="equation 5",
            holds_in="weights that sum to one; up to three layers",
            check=_rewritten,
            instance=lambda draw: _weighted(draw, 1.0),
        ),
    ),
    Claim(
        key="figure-5",
        statement="With three classes a sub-optimal local minimum may see what it has not solved.",
        reference="Figure 5; equation 2; section 4",
        holds_in="four data of three classes in the plane, one unit, loss 1/2",
        check=_figure_5,
        note="The picture's data are not given; these are an example of ours.",
    ),
    Claim(
        key="figure-5-is-minimal",
        statement="No point close to that minimum has a smaller loss.",
        reference="Figure 5",
        holds_in="boxes of half-width up to 0.08 around it",
        check=_figure_5_around,
        instance=lambda draw: {
            "reach": draw.real(1e-5, 0.08),
            "seed": draw.integer(0, 2**32 - 1),
        },
    ),
    Claim(
        key="sum-is-critical",
        statement="A point may be critical for the one-versus-all sum and for no class that it "
        "comes from.",
        reference="equation 11; equation 12; equation 14, the text after it",
        holds_in="three data of three classes, alpha = 1/2; hidden gradients that cancel",
        check=_cancelling,
    ),
    Claim(
        key="equation-15",
        statement="In equation 15 the loss of class r is a sum over the classes r, as printed.",
        reference="equation 15",
        holds_in="three classes",
        check=_sum_over,
        verdict="false",
        counterexample={"over": "classes", "seed": 0},
        note="A misprint for the sum over the data i, as in equation 12.",
        correction=Claim(
            key="equation-15-over-data",
            statement="In equation 15 the loss of class r is the sum over the data i.",
            reference="equation 15; equation 12",
            holds_in="three classes, random parameters",
            check=_sum_over,
            instance=lambda draw: {"over": "data", "seed": draw.integer(0, 2**32 - 1)},
        ),
    ),
)
"""Claims about losses of many classes."""
