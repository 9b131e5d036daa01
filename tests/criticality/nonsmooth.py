"""Random nonsmooth functions, and slow answers about them from first principles."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from hypothesis import strategies as st
from scipy.optimize import linprog

from contcrit.criticality.pieces import ArrayPieces

Array = np.ndarray


@st.composite
def piecewise_linear(
    draw: st.DrawFn, sizes: tuple[int, int] = (1, 3), kinks: tuple[int, int] = (0, 5)
) -> ArrayPieces:
    """Draw a positively homogeneous function with small whole numbers, nested up to two levels."""
    n = draw(st.integers(*sizes))
    m = draw(st.integers(*kinks))
    numbers = st.integers(-2, 2)
    row = st.lists(numbers, min_size=n, max_size=n)
    rows = draw(st.lists(row, min_size=m, max_size=m))
    weights = draw(st.lists(numbers, min_size=m, max_size=m))
    base = np.array(draw(row), dtype=float)
    links = np.zeros((m, m))
    inner = draw(st.integers(0, m))
    for k in range(inner, m):
        entries = draw(st.lists(numbers, min_size=inner, max_size=inner))
        if not any(entries) and inner:
            entries[0] = 1
        links[k, :inner] = entries
    if draw(st.booleans()):
        # Points at which a combination vanishes are rare by chance: move one to the origin.
        positions = np.array(
            draw(st.lists(st.sampled_from([0.0, 0.5, 1.0]), min_size=m, max_size=m))
        )
        shift = ArrayPieces(np.zeros(n), np.reshape(rows, (m, n)), weights, links=links)
        base = -shift.hull_gradient(positions)
    return ArrayPieces(base, np.reshape(rows, (m, n)), weights, links=links)


def value(pieces: ArrayPieces, points: Array) -> Array:
    """Return the function's values at points (k, n), from its definition by nested relus."""
    m = len(pieces.rows)
    outputs = np.zeros((len(points), m))
    for k in range(m):
        inside = points @ pieces.rows[k] + outputs[:, :k] @ pieces.links[k, :k]
        outputs[:, k] = np.maximum(inside, 0.0)
    return points @ pieces.base + outputs @ pieces.coefficients


def switching_values(pieces: ArrayPieces, points: Array) -> Array:
    """Return the values (k, m) of the switching functions at points (k, n)."""
    m = len(pieces.rows)
    inside = np.zeros((len(points), m))
    for k in range(m):
        inside[:, k] = points @ pieces.rows[k] + np.maximum(inside[:, :k], 0) @ pieces.links[k, :k]
    return inside


@dataclass(frozen=True, eq=False)
class Curved:
    """A composition of relus of quadratic polynomials, and its pieces at the origin."""

    first: ArrayPieces
    forms: Array
    own: Array

    def value(self, points: Array) -> Array:
        """Return the function's values at points (k, n)."""
        m = len(self.forms)
        outputs = np.zeros((len(points), m))
        quadratic = np.einsum("ki,mij,kj->km", points, self.forms, points) / 2
        for k in range(m):
            inside = points @ self.first.rows[k] + quadratic[:, k]
            inside = inside + outputs[:, :k] @ self.first.links[k, :k]
            outputs[:, k] = np.maximum(inside, 0.0)
        smooth = np.einsum("ki,ij,kj->k", points, self.own, points) / 2
        result: Array = points @ self.first.base + smooth + outputs @ self.first.coefficients
        return result

    def pieces(self) -> ArrayPieces:
        """Return the pieces at the origin."""

        def hessian(signs: Array) -> Array:
            positions = (signs + 1) / 2
            forms = self.forms.copy()
            for k in range(len(forms)):
                forms[k] += np.tensordot(self.first.links[k, :k] * positions[:k], forms[:k], 1)
            return self.own + np.tensordot(self.first.coefficients * positions, forms, 1)

        first = self.first
        return ArrayPieces(
            first.base, first.rows, first.coefficients, links=first.links, curvature=hessian
        )


@st.composite
def curved(draw: st.DrawFn) -> Curved:
    """Draw a composition whose switching functions are curved."""
    first = draw(piecewise_linear(sizes=(1, 2), kinks=(0, 3)))
    n, m = first.size, len(first.rows)
    entries = draw(st.lists(st.integers(-2, 2), min_size=(m + 1) * n * n, max_size=(m + 1) * n * n))
    forms = np.reshape(np.array(entries, dtype=float), (m + 1, n, n))
    forms = forms + np.swapaxes(forms, 1, 2)
    return Curved(first, forms[1:], forms[0])


def probes(pieces: ArrayPieces, count: int = 500) -> Array:
    """Return unit directions: random ones, and all rays on which kinks of the plane meet."""
    n = pieces.size
    generator = np.random.default_rng(1)
    directions = [generator.standard_normal((count, n)), np.eye(n), -np.eye(n)]
    patterns = np.array(list(product((-1.0, 1.0), repeat=len(pieces.rows))))
    rows = np.unique(
        np.vstack(
            [np.empty((0, n))]
            + [
                pieces.switching_gradients(level, signs[: sum(pieces.levels[:level])])
                for signs in patterns[:64]
                for level in range(len(pieces.levels))
            ]
        ),
        axis=0,
    )
    if n == 2:
        turned = rows @ np.array([[0.0, 1.0], [-1.0, 0.0]])
        directions += [turned, -turned]
    if n == 3 and len(rows):
        crossed = np.cross(rows[:, None], rows[None]).reshape(-1, 3)
        directions += [crossed, -crossed]
    # Within a cell that is no pointed cone, the gradient itself is the direction that matters.
    gradients = np.array([pieces.gradient(signs) for signs in patterns[:64]]).reshape(-1, n)
    if n > 1:
        for row in rows:
            if row @ row > 0:
                along = gradients - np.outer(gradients @ row, row) / (row @ row)
                directions += [along, -along]
    directions += [gradients, -gradients]
    every = np.vstack(directions)
    lengths = np.linalg.norm(every, axis=1)
    every = every[lengths > 1e-9]
    return every / np.linalg.norm(every, axis=1)[:, None]


def sampled_gradients(pieces: ArrayPieces, count: int = 3000) -> Array:
    """Return the gradients of the cells that random directions point into, each once."""
    directions = np.random.default_rng(2).standard_normal((count, pieces.size))
    inside = switching_values(pieces, directions)
    # A switching function may vanish on a whole cell of inner kinks: either sign will do.
    inside[np.abs(inside) < 1e-12] = 1.0
    clear = np.all(np.abs(inside) > 1e-6, axis=1)
    patterns = np.unique(np.where(inside[clear] > 0, 1.0, -1.0), axis=0)
    return np.array([pieces.gradient(signs) for signs in patterns]).reshape(-1, pieces.size)


def listed_gradients(pieces: ArrayPieces) -> Array:
    """Return the gradients of all patterns whose cell a linear program finds not to be empty."""
    found = []
    for signs in product((-1.0, 1.0), repeat=len(pieces.rows)):
        rows = np.vstack(
            [np.empty((0, pieces.size))]
            + [
                pieces.switching_gradients(level, np.array(signs[: sum(pieces.levels[:level])]))
                for level in range(len(pieces.levels))
            ]
        )
        kept = np.any(rows != 0, axis=1)
        inside = -np.array(signs)[kept, None] * rows[kept]
        program = linprog(
            np.append(np.zeros(pieces.size), -1.0),
            A_ub=np.hstack([inside, np.ones((len(inside), 1))]) if len(inside) else None,
            b_ub=np.zeros(len(inside)) if len(inside) else None,
            bounds=[(-1, 1)] * (pieces.size + 1),
            method="highs",
        )
        if -program.fun > 1e-6:
            found.append(pieces.gradient(np.array(signs)))
    return np.array(found)


def holds_origin(points: Array) -> bool:
    """Return whether 0 is in the convex hull of points, by linear programming."""
    count = len(points)
    result = linprog(
        np.zeros(count),
        A_eq=np.vstack([points.T, np.ones(count)]),
        b_eq=np.append(np.zeros(points.shape[1]), 1.0),
        bounds=(0, None),
        method="highs",
    )
    return bool(result.status == 0)
