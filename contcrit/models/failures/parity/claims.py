"""What the paper claims of random parities, with its errors corrected."""

from __future__ import annotations

import math

import numpy as np

from ....contraction.claims import Claim, Draw, Instance, Outcome
from .theory import (
    LOSSES,
    Predictor,
    expected_gradients,
    gradient_variance,
    inputs,
    parity,
    spread,
    triangles,
    variance_bound,
    wave,
)


def _pair(draw: Draw) -> Instance:
    d = draw.integer(1, 6)
    v = np.array([draw.integer(0, 1) for _ in range(d)])
    other = np.array([draw.integer(0, 1) for _ in range(d)])
    return {"v": v, "other": draw.choice([v, other, other])}


def _product_check(case: Instance, factor: str) -> Outcome:
    """Compare E[h_v h_v'] with a product over coordinates."""
    v, other = np.asarray(case["v"]), np.asarray(case["other"])
    X = inputs(len(v))
    expected = float(np.mean(parity(X, v) * parity(X, other)))
    signs = (-1.0) ** (v + other)
    factors = (signs + 1 / signs) / 2 if factor == "printed" else (1 + signs) / 2
    return Outcome.close(float(np.prod(factors)), expected, tolerance=1e-12)


def _network(draw: Draw) -> Instance:
    """Draw a network on {0, 1}^d; units may be dead or at their kink, outputs at the hinge's."""
    d, width = draw.integer(1, 6), draw.integer(1, 4)
    scale = draw.choice([1.0, 1.0, 0.0])
    W = draw.reals((width, d), -2.0, 2.0)
    if draw.choice([True, False]):
        W = np.round(W)
    return {
        "W": W,
        "b": np.round(draw.reals(width, -2.0, 2.0)),
        "v": scale * draw.reals(width, -1.5, 1.5),
        "c": draw.choice([0.0, 1.0, -1.0, draw.real(-1.0, 1.0)]),
        "loss": draw.choice(LOSSES),
        "epsilon": draw.real(0.01, 2.0),
        "members": draw.integer(1, 2**d),
        "seed": draw.integer(0, 10_000),
        "parities": draw.choice([True, False]),
    }


def _predictor(case: Instance) -> Predictor:
    return Predictor(
        np.asarray(case["W"]), np.asarray(case["b"]), np.asarray(case["v"]), float(case["c"])
    )


def _all_gradients(case: Instance) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return predictions, derivatives, and the gradient for each parity as target."""
    network = _predictor(case)
    X = inputs(network.W.shape[1])
    p, g = network(X), network.jacobian(X)
    targets = np.array([parity(X, v) for v in X])
    return p, g, expected_gradients(p, g, case["loss"], targets)


def _check_identity(case: Instance) -> Outcome:
    p, g, gradients = _all_gradients(case)
    # At the hinge's kink the identity holds for any fixed choice of r', the same in both.
    exact = gradient_variance(p, g, case["loss"])
    return Outcome.close(exact, spread(gradients), tolerance=1e-11 * (1 + float(np.max(g**2))))


def _check_theorem_1(case: Instance) -> Outcome:
    """Bound the variance over some parities, or for the square loss over an orthogonal family."""
    network = _predictor(case)
    X = inputs(network.W.shape[1])
    p, g = network(X), network.jacobian(X)
    generator = np.random.default_rng(case["seed"])
    members = min(case["members"], len(X))
    if case["loss"] == "square" and not case["parities"]:
        axes = np.linalg.qr(generator.normal(size=(len(X), members)))[0]
        lengths = generator.uniform(0, 1, members)
        targets = (math.sqrt(len(X)) * axes * lengths).T
    else:
        chosen = generator.permutation(len(X))[:members]
        targets = np.array([parity(X, v) for v in X[chosen]])
    found = spread(expected_gradients(p, g, case["loss"], targets))
    return Outcome.at_most(found, variance_bound(g, members), tolerance=1e-12)


def _check_parities(case: Instance) -> Outcome:
    _, g, gradients = _all_gradients(case)
    return Outcome.at_most(spread(gradients), variance_bound(g, len(g)), tolerance=1e-12)


def _check_chebyshev(case: Instance) -> Outcome:
    _, g, gradients = _all_gradients(case)
    distances = np.linalg.norm(gradients - gradients.mean(axis=0), axis=1)
    share = float(np.mean(distances >= case["epsilon"]))
    bound = variance_bound(g, len(g)) / case["epsilon"] ** 2
    return Outcome.at_most(share, bound, tolerance=1e-12)


def _check_oracle(case: Instance) -> Outcome:
    """Descend by the mean gradient, and count the targets that an answer would have given away."""
    network = _predictor(case)
    X = inputs(network.W.shape[1])
    targets = np.array([parity(X, v) for v in X])
    shape = network.W.shape
    told, bound = np.zeros(len(X), dtype=bool), 0.0
    for _ in range(case["steps"]):
        p, g = network(X), network.jacobian(X)
        gradients = expected_gradients(p, g, case["loss"], targets)
        mean = gradients.mean(axis=0)
        told |= np.linalg.norm(gradients - mean, axis=1) > case["epsilon"]
        bound += variance_bound(g, len(X)) / case["epsilon"] ** 2
        W, b, v, c = np.split(mean, np.cumsum([network.W.size, shape[0], shape[0]]))
        eta = case["eta"]
        network = Predictor(
            network.W - eta * W.reshape(shape),
            network.b - eta * b,
            network.v - eta * v,
            network.c - eta * float(c[0]),
        )
    return Outcome.at_most(float(np.mean(told)), bound, tolerance=1e-12)


def _gradient_check(case: Instance, with_label: bool) -> Outcome:
    """Compare with differences of the expected logistic loss r(p h), r(t) = log(1 + exp(-t))."""
    network = _predictor(case)
    X = inputs(network.W.shape[1])
    G = X @ network.W.T + network.b
    if np.any(np.abs(G) < 1e-3):
        return Outcome(None, detail="a unit is at its kink")
    h = parity(X, np.asarray(case["target"]))
    shape = network.W.shape

    def loss(x: np.ndarray) -> float:
        W, rest = x[: shape[0] * shape[1]].reshape(shape), x[shape[0] * shape[1] :]
        moved = Predictor(W, rest[: shape[0]], rest[shape[0] : -1], float(rest[-1]))
        return float(np.mean(np.logaddexp(0.0, -moved(X) * h)))

    x = np.concatenate([network.W.ravel(), network.b, network.v, [network.c]])
    eye = 1e-5 * np.eye(len(x))
    slope = np.array([(loss(x + e) - loss(x - e)) / 2e-5 for e in eye])
    p, g = network(X), network.jacobian(X)
    pull = -1 / (1 + np.exp(p * h))
    stated = (pull * (h if with_label else 1.0)) @ g / len(X)
    return Outcome.close(float(np.max(np.abs(stated - slope))), 0.0, tolerance=1e-7)


def _labelled(draw: Draw) -> Instance:
    case = dict(_network(draw))
    case["b"] = draw.reals(len(case["b"]), -2.0, 2.0)
    case["target"] = np.array([draw.integer(0, 1) for _ in range(case["W"].shape[1])])
    return case


def _target(draw: Draw) -> Instance:
    d = draw.integer(1, 9)
    full = draw.choice([True, False, False])
    return {"v": np.array([1 if full else draw.integer(0, 1) for _ in range(d)])}


def _errors(network: Predictor, v: np.ndarray) -> float:
    X = inputs(len(v))
    return float(np.mean(network(X) * parity(X, v) <= 0))


def _check_triangles(case: Instance, first: int) -> Outcome:
    v = np.asarray(case["v"])
    network = triangles(v, first)
    width = 3 * (len(v) // 2 + (1 if first == 0 else 0))
    if len(network.v) != width:
        return Outcome(False, detail=f"width {len(network.v)}, expected {width}")
    return Outcome.at_most(_errors(network, v), 0.0, detail=f"errors of a network of width {width}")


def _check_width(case: Instance) -> Outcome:
    """Count units, and compare values rather than signs."""
    v = np.asarray(case["v"])
    network, X = wave(v), inputs(len(v))
    gap = float(np.max(np.abs(network(X) - parity(X, v))))
    return Outcome.every(
        [
            Outcome.at_most(len(network.v), max(1.0, 1.5 * len(v)), detail="width"),
            Outcome.close(gap, 0.0, tolerance=1e-9),
        ]
    )


def _check_one_unit(case: Instance) -> Outcome:
    """Ask the model's own calculus at W = (2, 2), b = -2, c = -1, v = 1."""
    from ....criticality.clarke import classify_pieces
    from .model import build

    alpha = case["alpha"]
    problem = build(d=2, output_weights=[1.0], alpha=alpha)
    point = problem.pack(W=[[2.0, 2.0]], b=[-2.0], c=-1.0)
    loss = float(problem.potential(point, {"alpha": alpha}))
    verdict = classify_pieces(problem.pieces(point, {"alpha": alpha}))
    return Outcome.every(
        [
            Outcome.close(loss, (1 + alpha) / 2, tolerance=1e-12),
            Outcome(verdict.kind == "sharp minimum", detail=verdict.kind),
        ]
    )


def _check_ties(case: Instance) -> Outcome:
    """Judge the best critical point with tied weights among all weights."""
    from ....criticality.clarke import classify_pieces
    from .model import build, starts

    v, alpha = np.asarray(case["v"]), case["alpha"]
    constants = {"d": len(v), "v": v, "output_weights": [1.0], "alpha": alpha}
    full = build(**constants)
    found = []
    for start in list(starts(build(**constants, tied=True)).values())[:1]:
        blocks = {**start.unknowns, "W": np.ravel(start.unknowns["W"])[0] * v[None, :]}
        verdict = classify_pieces(full.pieces(full.pack(**blocks), {"alpha": alpha}))
        holds = {"not critical": False, "undecided": None}.get(verdict.kind, True)
        found.append(Outcome(holds, detail=verdict.kind))
    return Outcome.every(found) if found else Outcome(None, detail="no vertex below loss 1")


_IDENTITY = Claim(
    key="product-formula",
    statement="E[h_v h_v'] is the product of (1 + (-1)^(v_i + v'_i)) / 2: 1 if v = v', else 0.",
    reference="section 2.2, corrected",
    holds_in="v, v' in {0, 1}^d",
    instance=_pair,
    check=lambda case: _product_check(case, "true"),
)

CLAIMS: tuple[Claim, ...] = (
    Claim(
        key="theorem-1",
        statement="Var(H, F, w) <= G(w)^2 / |H|.",
        reference="Theorem 1",
        holds_in=(
            "orthogonal targets with E h^2 <= 1 and the square loss, or with values +1 and -1 and "
            "a 1-Lipschitz margin loss"
        ),
        instance=_network,
        check=_check_theorem_1,
        trials=60,
    ),
    Claim(
        key="parities",
        statement="Over all parities the variance of the gradient is at most G(w)^2 / 2^d.",
        reference="section 2.2",
        holds_in="any network on {0, 1}^d",
        instance=_network,
        check=_check_parities,
        trials=40,
    ),
    Claim(
        key="variance-identity",
        statement=(
            "Over all parities Var = E |q g|^2 / 2^d - |q(0) g(0)|^2 / 4^d, with q = 1 for the "
            "square loss and q = (r'(p) + r'(-p)) / 2 for a margin loss r."
        ),
        reference="Theorem 1, made exact",
        holds_in="any network on {0, 1}^d",
        note="Parseval's identity; the check takes the gradients for all 2^d targets.",
        instance=_network,
        check=_check_identity,
        trials=40,
    ),
    Claim(
        key="chebyshev",
        statement=(
            "The share of parities whose gradient is epsilon or more away from the mean gradient "
            "is at most G(w)^2 / (2^d epsilon^2)."
        ),
        reference="section 2.2, by Chebyshev's inequality",
        holds_in="any network on {0, 1}^d",
        instance=_network,
        check=_check_chebyshev,
        trials=40,
    ),
    Claim(
        key="oracle",
        statement=(
            "Descent from one start, by gradients known up to epsilon, takes the same path for all "
            "parities but a share of T G^2 / (2^d epsilon^2) after T steps."
        ),
        reference="section 2.2, footnote 3; Shamir 2016, Theorem 4",
        holds_in="an oracle that answers with the mean gradient where it may; any network",
        note="Chebyshev's inequality at every step; G^2 is that of the step.",
        instance=lambda draw: {
            **_network(draw),
            "steps": draw.integer(1, 4),
            "eta": draw.real(0.01, 1.0),
        },
        check=_check_oracle,
        trials=20,
    ),
    Claim(
        key="product-formula-printed",
        statement=(
            "E[h_v h_v'] is the product of ((-1)^(v_i + v'_i) + (-1)^-(v_i + v'_i)) / 2, which is "
            "not zero if and only if v = v'."
        ),
        reference="section 2.2, orthogonality",
        holds_in="v, v' in {0, 1}^d",
        verdict="false",
        counterexample={"v": [0], "other": [1]},
        correction=_IDENTITY,
        note="The product as printed is +1 or -1; it would be right for x in {-1, 1}^d.",
        check=lambda case: _product_check(case, "printed"),
    ),
    Claim(
        key="margin-gradient-printed",
        statement="The gradient of E r(p h) is E[r'(p h) g].",
        reference="Appendix B.1, proof of Theorem 1 for classification losses",
        holds_in="margin losses",
        verdict="false",
        counterexample={
            "W": np.array([[1.0]]),
            "b": np.array([0.5]),
            "v": np.array([1.0]),
            "c": 0.0,
            "target": [1],
        },
        correction=Claim(
            key="margin-gradient",
            statement="It is E[r'(p h) h g].",
            reference="Appendix B.1, corrected",
            holds_in="margin losses, units off their kinks",
            instance=_labelled,
            check=lambda case: _gradient_check(case, with_label=True),
        ),
        note="A factor h is missing; what follows in the proof uses it.",
        check=lambda case: _gradient_check(case, with_label=False),
    ),
    Claim(
        key="lemma-3-network",
        statement="Triangles around the even numbers from 2 to d give every parity: width 3 d / 2.",
        reference="Lemma 3, proof",
        holds_in="v in {0, 1}^d",
        verdict="false",
        counterexample={"v": [1, 1]},
        correction=Claim(
            key="lemma-3-network-corrected",
            statement="Triangles around the even numbers from 0 do: width 3 (floor(d / 2) + 1).",
            reference="Lemma 3, corrected",
            holds_in="v in {0, 1}^d",
            instance=_target,
            check=lambda case: _check_triangles(case, 0),
        ),
        note="Inputs with v . x = 0 are given the label -1.",
        check=lambda case: _check_triangles(case, 2),
    ),
    Claim(
        key="lemma-3",
        statement="Networks of width 3 d / 2 (for d = 1, one unit) give every parity.",
        reference="Lemma 3; section 2.1",
        holds_in="v in {0, 1}^d",
        note="True by another construction, `wave`: as many units as v has ones, and one at least.",
        instance=_target,
        check=_check_width,
    ),
    Claim(
        key="ties",
        statement="What is Clarke critical among tied weights w_k = omega_k v is so among all.",
        reference="the ReLU hinge model on parity data",
        holds_in="one unit; no ridge, or v = (1, ..., 1)",
        note=(
            "Symmetric criticality under exchanges of bits in v and flips x_i -> 1 - x_i of "
            "others, a finite group of linear maps of (w, b)."
        ),
        instance=lambda draw: {
            "v": draw.choice([(1, 1), (1, 1), (1, 0, 1)]),
            "alpha": draw.choice([0.0, draw.real(0.01, 0.9)]),
        },
        check=_check_ties,
        trials=3,
    ),
    Claim(
        key="one-unit-for-two-bits",
        statement=(
            "For the parity of two bits one unit has a sub-optimal sharp local minimum of loss "
            "(1 + alpha) / 2, which does not move with alpha."
        ),
        reference="the ReLU hinge model on parity data",
        holds_in="d = 2, v = (1, 1), width 1, output weight 1, alpha in [0, 0.95]",
        instance=lambda draw: {"alpha": draw.choice([0.0, draw.real(0.01, 0.95)])},
        check=_check_one_unit,
        trials=5,
    ),
)
"""The claims."""
