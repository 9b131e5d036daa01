"""Data sets for the tests of the ReLU unit: the reference instance and hypothesis strategies."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from contcrit.models.relu_regression.losses import NORMS, Penalty, ReluRegression

Array = np.ndarray

SHAPES = ("generic", "collinear", "duplicates", "opposite", "rank-deficient", "on an axis", "few")


def reference(norm: str = "l2", sign: int = -1) -> ReluRegression:
    """Return ten fixed inputs in the plane with w* = (1, 1)."""
    X = np.random.default_rng(0).standard_normal((10, 2))
    return ReluRegression(X, np.ones(2), Penalty(norm, sign))


def inputs(shape: str, N: int, d: int, generator: np.random.Generator) -> Array:
    """Return inputs, shape (N, d), of one shape."""
    X = generator.standard_normal((N, d))
    if shape == "collinear":
        X = np.outer(generator.standard_normal(N), generator.standard_normal(d))
    elif shape == "duplicates":
        X[1::2] = X[: len(X[1::2])]
    elif shape == "opposite":
        X[1::2] = -X[: len(X[1::2])]
    elif shape == "rank-deficient" and d > 1:
        X[:, -1] = X[:, 0]
    elif shape == "on an axis":
        X[: N // 2] = np.outer(generator.standard_normal(N // 2), np.eye(d)[0])
        X[-1] = 0.0
    elif shape == "few":
        X = X[:1]
    return X


@st.composite
def regressions(
    draw: st.DrawFn,
    *,
    dimensions: tuple[int, ...] = (1, 2, 3),
    shapes: tuple[str, ...] = SHAPES,
    norms: tuple[str, ...] = NORMS,
    signs: tuple[int, ...] = (-1,),
    largest: int = 8,
) -> ReluRegression:
    """Draw a regression problem."""
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    d, N = draw(st.sampled_from(dimensions)), draw(st.integers(2, largest))
    X = inputs(draw(st.sampled_from(shapes)), N, d, generator)
    penalty = Penalty(draw(st.sampled_from(norms)), draw(st.sampled_from(signs)))
    return ReluRegression(X, generator.standard_normal(d), penalty)
