"""The paper's scenarios with exact data, and the worked branches in alpha.

Every entry states the constants for `build` and the points in blocks. What they are is proved by
the tests and the studies, not here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...system import Array


@dataclass(frozen=True)
class Scenario:
    """Constants of one problem, and its points by label.

    Attributes
    ----------
    constants : mapping
        For `relu_hinge.build`.
    points : mapping of str to mapping
        Label -> blocks.
    losses : mapping of str to float
        Label -> loss, in exact form.
    """

    constants: Mapping[str, Any]
    points: Mapping[str, Mapping[str, Any]]
    losses: Mapping[str, float]


SQUARE: list[list[float]] = [[2.0, 1.0], [2.0, -1.0], [-2.0, 1.0], [-2.0, -1.0]]
"""Four separable data, the first two of class +1."""


def deep_linear() -> dict[str, Scenario]:
    """Return alpha = 1 on separable and on non-separable data (scenario 1).

    Examples
    --------
    >>> sorted(deep_linear())
    ['not separable', 'separable']
    """
    return {
        "separable": Scenario(
            {"X": [[-1.0], [1.0]], "y": [-1, 1], "alpha": 1.0},
            {
                "zero": {"W": [[0.0]], "b": [0.0], "v": [0.0], "c": 0.0},
                "global": {"W": [[1.0]], "b": [0.0], "v": [1.0], "c": 0.0},
            },
            {"zero": 1.0, "global": 0.0},
        ),
        "not separable": Scenario(
            {"X": [[-1.0], [0.0], [1.0]], "y": [1, -1, 1], "alpha": 1.0},
            {"global": {"W": [[0.0]], "b": [0.0], "v": [0.0], "c": 1.0}},
            {"global": 2.0 / 3.0},
        ),
    }


def unequal_classes(mu: float) -> Scenario:
    """Return alpha = 1/2 with weight mu of class -1: critical with v = 0 (scenario 2).

    The point is a sharp local minimum, and not global, exactly for mu < 1/2.
    """
    return Scenario(
        {
            "X": [[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0]],
            "y": [1, 1, -1],
            "alpha": 0.5,
            "mu": [(1 - mu) / 2, (1 - mu) / 2, mu],
            "class_weight": True,
        },
        {"constant": {"W": [[1.0, 0.0]], "b": [5.0], "v": [0.0], "c": 1.0}},
        {"constant": 2.0 * mu},
    )


def figure_4(output_bias: bool = False) -> Scenario:
    """Return the three local minima of Figure 4 (scenario 3); with a bias, 4b is not critical."""
    points: dict[str, dict[str, Any]] = {
        "4a": {"W": [[1.0, 0.0], [-1.0, 0.0]], "b": [0.0, 0.0], "v": [1.0, -1.0]},
        "4b": {"W": [[1.0, 0.0], [1.0, 0.5]], "b": [0.0, 0.0], "v": [1.0, 1.0]},
        "4c": {"W": [[0.0, 1.0], [1.0, 1.0]], "b": [-5.0, -5.0], "v": [1.0, -1.0]},
    }
    if output_bias:
        points = {label: {**blocks, "c": 0.0} for label, blocks in points.items()}
    return Scenario(
        {
            "X": SQUARE,
            "y": [1, 1, -1, -1],
            "hidden": 2,
            "output_bias": output_bias,
            "alpha": 0.0,
        },
        points,
        {"4a": 0.0, "4b": 0.5, "4c": 1.0},
    )


def chain_rule_counterexample() -> Scenario:
    """Return a point with 0 in its chain-rule set where the loss has a gradient that is not 0."""
    return Scenario(
        {
            "X": [[1.0], [1.0], [2.0], [3.0], [0.0]],
            "y": [1, -1, 1, -1, -1],
            "alpha": 0.0,
            "mu": np.array([1.0, 1.0, 2.0, 1.0, 1.0]) / 6.0,
        },
        {"kink": {"W": [[1.0]], "b": [-1.0], "v": [0.5], "c": 0.0}},
        {"kink": 1.0},
    )


def figure_5() -> Scenario:
    """Return a sub-optimal local minimum of the multiclass hinge loss that sees what it misses.

    One unit, four separable data, three classes. At ``"local"`` the third datum's class-1 score is
    at most its class-0 score, though the unit is on there: its feature lies between those of two
    data of class 0, of which one is dead, and V_0 = V_1. In the open set of parameters where it
    lies there, the loss is at least 1/2: see `relu_hinge.theory.enclosure_bound`.

    Examples
    --------
    >>> figure_5().losses
    {'local': 0.5, 'global': 0.0}
    """
    return Scenario(
        {
            "X": [[-1.0, 0.0], [2.0, -1.0], [1.0, 2.0], [3.0, 2.0]],
            "y": [0, 0, 1, 2],
            "loss": "multiclass",
            "alpha": 0.0,
        },
        {
            "local": {
                "W": [[1.0, 0.0]],
                "b": [0.0],
                "V": [[0.0], [0.0], [4.0]],
                "c": [1.0, 0.0, -9.0],
            },
            "global": {
                "W": [[1.0, 2.0]],
                "b": [3.0],
                "V": [[0.0], [1.0], [3.0]],
                "c": [0.0, -5.5, -24.0],
            },
        },
        {"local": 0.5, "global": 0.0},
    )


def one_versus_all_sum(loss: str = "one-versus-all") -> Scenario:
    """Return a point that is critical for the one-versus-all sum, yet for no class by itself.

    The hidden gradients of classes 0 and 1 are opposite. With ``loss="penalised"`` the same
    parameters are given to every replicate: not critical for E_gamma (Theorem 7).
    """
    W, b = np.array([[1.0, 0.0]]), np.array([1.0])
    V, c = np.array([[-2.0], [-2.0], [2.0]]), np.array([5.0, 5.0, -6.0])
    blocks: dict[str, Any] = {"W": W, "b": b, "V": V, "c": c}
    if loss == "penalised":
        blocks = {"W": np.array([W] * 3), "b": np.array([b] * 3), "v": V, "c": c}
    return Scenario(
        {
            "X": [[1.0, 1.0], [1.0, -1.0], [3.0, 0.0]],
            "y": [0, 1, 2],
            "loss": loss,
            "alpha": 0.5,
        },
        {"cancelling": blocks},
        {"cancelling": 1.0},
    )


# ---- the worked branches in alpha ----------------------------------------------------------------

LINE: list[list[float]] = [[-5.0], [-2.0], [1.0], [2.0], [3.0], [6.0]]
"""Six data on a line, labels + - + - - +, uniform weights: not separable."""

LABELS = [1, -1, 1, -1, -1, 1]


@dataclass(frozen=True)
class AlphaBranch:
    """One branch of vertices in alpha, on the slice v = `sign`.

    Attributes
    ----------
    sign : float
        v.
    interval : tuple of float
        Where in alpha it is a sharp local minimum: an open interval within [0, 1].
    point : callable
        alpha -> (w, b, c).
    loss : callable
        alpha -> loss.
    """

    sign: float
    interval: tuple[float, float]
    point: Callable[[float], Array]
    loss: Callable[[float], float]


def alpha_branches() -> dict[str, AlphaBranch]:
    """Return the closed forms of the branches A to D.

    Examples
    --------
    >>> branch = alpha_branches()["C"]
    >>> branch.interval, branch.loss(0.75)
    ((0.0, 0.75), 1.0)
    """
    return {
        "A": AlphaBranch(
            1.0,
            (0.0, 1.0),
            lambda a: np.array([-2.0, -4.0, 5.0 * a - 3.0]) / (5.0 * a + 3.0),
            lambda a: (17.0 * a + 6.0) / (3.0 * (5.0 * a + 3.0)),
        ),
        "B": AlphaBranch(
            1.0,
            (0.0, 1.0),
            lambda a: np.array([-2.0, 4.0, a - 7.0]) / (a + 7.0),
            lambda a: (6.0 * a + 17.0) / (3.0 * (a + 7.0)),
        ),
        "C": AlphaBranch(
            1.0,
            (0.0, 0.75),
            lambda a: np.array([2.0, -6.0, 5.0 * a - 3.0]) / (5.0 * a + 3.0),
            lambda a: (19.0 * a + 6.0) / (3.0 * (5.0 * a + 3.0)),
        ),
        "D": AlphaBranch(
            -1.0,
            (2.0 / 3.0, 1.0),
            lambda a: np.array([1.0, -1.0, 1.0 - 3.0 * a]) / (3.0 * a + 1.0),
            lambda a: (15.0 * a + 8.0) / (6.0 * (3.0 * a + 1.0)),
        ),
    }
