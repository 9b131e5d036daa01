"""All critical points of the empirical loss, face by face.

The rows of X (and, with an l1 norm, the coordinate hyperplanes) cut weight space into cones on
which the loss is quadratic. On each face, of any dimension, the tangential gradient vanishes at
one point or nowhere (or, if singular, on a flat set); that point is Clarke critical exactly if 0
lies in the convex hull of the gradients of the adjacent cells. Every face is visited, so that the
list is complete; what a tolerance could not decide is said so.

Verdicts are exact up to tolerances too: near the point the loss is a quadratic function on each
adjacent cone, so that a local minimum is one exactly if no cone has a direction of descent of first
order, or of second order among those that are flat in first order.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.optimize import nnls

from ...criticality.record import Criticality
from ...system import Array
from .arrangement import ZERO, Arrangement, Face, arrangement, cells, faces
from .cones import lowest
from .losses import ReluRegression

TOLERANCE = 1e-9
"""Gradients and curvatures below this, relative to their scale, count as zero."""

_KINDS = {
    ("sharp", "descends"): "sharp minimum",
    ("strict", "descends"): "minimum",
    ("descends", "sharp"): "maximum",
    ("descends", "strict"): "maximum",
    ("descends", "descends"): "saddle",
}
"""Kinds by whether the loss, and its negative, rise from the point."""

_ONE_SIDED = {"descends": "Clarke critical", "degenerate": "degenerate"}
"""Kinds where the rest is open."""


@dataclass(frozen=True, eq=False, kw_only=True)
class CriticalPoint:
    """One Clarke critical point of the empirical loss.

    Parameters
    ----------
    w : ndarray, shape (d,)
        The point; of a flat set, one of its points.
    face_dimension : int
        Dimension of the face that holds it: d inside a cell, 1 on a ray, 0 at the origin.
    active : ndarray of bool, shape (N,)
        Rows with ``x . w > 0``.
    on_kinks : tuple of int
        Rows, then weights as N + j, that vanish there.
    loss : float
        E(w).
    freedom : int
        Dimension of the flat set of critical points that it stands for; 0 when it is isolated
        within its face.
    verdict : Criticality
        What it is; `evidence` holds the hull's weights and directions of descent.
    """

    w: Array
    face_dimension: int
    active: Array
    on_kinks: tuple[int, ...]
    loss: float
    freedom: int
    verdict: Criticality


@dataclass(frozen=True, eq=False, kw_only=True)
class Enumeration:
    """All critical points at one value of lam.

    Parameters
    ----------
    points : tuple of CriticalPoint
        By rising loss.
    faces : int
        Faces visited.
    complete : bool
        Whether every face was decided.
    """

    points: tuple[CriticalPoint, ...]
    faces: int
    complete: bool = True

    @property
    def minima(self) -> tuple[CriticalPoint, ...]:
        """The local minima; not those that second order leaves open."""
        kinds = ("minimum", "sharp minimum")
        return tuple(point for point in self.points if point.verdict.kind in kinds)


@dataclass(frozen=True, eq=False)
class CellComplex:
    """The cones of one data set, for any lam; the enumeration of faces is kept.

    Parameters
    ----------
    data : ReluRegression
        The problem.

    Examples
    --------
    >>> import numpy as np
    >>> data = ReluRegression(np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([1.0, 2.0]))
    >>> found = CellComplex(data).critical_points(lam=0.5)
    >>> [(point.w.round(6).tolist(), point.verdict.kind) for point in found.points]
    [([0.5, 1.0], 'minimum'), ([0.0, 1.0], 'saddle'), ...
    """

    data: ReluRegression

    @cached_property
    def planes(self) -> Arrangement:
        """The hyperplanes: rows of X first, then with an l1 norm the coordinates."""
        rows = self.data.X
        if self.data.penalty.kinked:
            rows = np.vstack([rows, np.eye(self.data.dimension)])
        return arrangement(rows)

    @cached_property
    def faces(self) -> list[Face]:
        """All faces."""
        return list(faces(self.planes.normals))

    def critical_points(self, lam: float) -> Enumeration:
        """Return every Clarke critical point at one value of lam, with verdicts."""
        found: list[CriticalPoint] = []
        complete = True
        for face in self.faces:
            candidate = self._tangential(face, lam)
            if candidate is None:
                continue
            w, freedom = candidate
            verdict = self._verdict(w, face.signs, lam)
            if verdict.kind == "not critical":
                # On a flat set the hull may hold 0 at another of its points.
                complete &= not (freedom and face.dimension < self.data.dimension)
                continue
            complete &= verdict.kind != "undecided"
            found.append(self._point(w, face, freedom, verdict, lam))
        found.sort(key=lambda point: (point.loss, *point.w))
        return Enumeration(points=tuple(found), faces=len(self.faces), complete=complete)

    def classify(self, w: Array, lam: float) -> Criticality:
        """Return what a given point is."""
        w = np.asarray(w, dtype=float)
        return self._verdict(w, self._signs_at(w), lam)

    def _signs_at(self, w: Array) -> Array:
        length = float(np.linalg.norm(w))
        values = self.planes.normals @ w
        signs = np.sign(values).astype(int)
        signs[np.abs(values) <= TOLERANCE * max(length, 1e-300)] = 0
        return signs

    def _piece(self, signs: Array, lam: float) -> tuple[Array, Array]:
        """Return H and r of the gradient ``H w - r`` where the hyperplanes have these signs."""
        data, count = self.data, self.data.count
        row_signs = self.planes.row_signs(signs)
        active = row_signs[:count] > 0
        X = data.X[active]
        H, r = X.T @ X / count, X.T @ data.targets[active] / count
        weights = row_signs[count:] if data.penalty.kinked else np.zeros(data.dimension)
        H = H + data.penalty.hessian(weights, lam)
        if data.penalty.norm == "l1":
            r = r - data.penalty.gradient(np.zeros(data.dimension), lam, weights)
        return H, r

    def _tangential(self, face: Face, lam: float) -> tuple[Array, int] | None:
        """Return where the gradient along a face vanishes on it, and the freedom there."""
        S = face.basis
        if not face.dimension:
            return np.zeros(self.data.dimension), 0
        H, r = self._piece(face.signs, lam)
        curvature, force = S.T @ H @ S, S.T @ r
        values, axes = np.linalg.eigh(curvature)
        scale = max(float(np.max(np.abs(values))), 1e-300)
        flat = np.abs(values) <= TOLERANCE * scale
        along = axes.T @ force
        if flat.any() and np.max(np.abs(along[flat])) > TOLERANCE * max(np.max(np.abs(r)), 1e-300):
            return None
        y = axes[:, ~flat] @ (along[~flat] / values[~flat])
        w = S @ y + 0.0  # no negative zeros
        freedom = int(np.sum(flat))
        if freedom:
            inside = _interior(self.planes.normals, face.signs, w, S @ axes[:, flat])
            return None if inside is None else (inside, freedom)
        return (w, 0) if np.array_equal(self._signs_at(w), face.signs) else None

    def _verdict(self, w: Array, signs: Array, lam: float) -> Criticality:
        zero = np.flatnonzero(signs == 0)
        if not len(zero):
            H, r = self._piece(signs, lam)
            return _smooth_verdict(H @ w - r, H, float(np.max(np.abs(r), initial=0.0)))
        normals = self.planes.normals[zero]
        inner = cells(normals)
        pieces = []
        for cell in inner:
            full = signs.copy()
            full[zero] = cell
            pieces.append(self._piece(full, lam))
        gradients = np.array([H @ w - r for H, r in pieces])
        scale = max(
            float(np.max(np.abs(gradients))), *(float(np.max(np.abs(r))) for _, r in pieces)
        )
        hull = _hull(gradients, TOLERANCE * max(scale, 1e-300))
        evidence: dict[str, object] = {
            "method": "exact cells",
            "adjacent_cells": len(inner),
            "hull_distance": hull.distance,
            "scale": scale,
        }
        if hull.contains is None:
            return Criticality(kind="undecided", evidence=evidence)
        if not hull.contains:
            evidence["separating_direction"] = hull.nearest
            return Criticality(kind="not critical", evidence=evidence)
        evidence["weights"] = hull.weights
        cones = [cell[:, None] * normals for cell in inner]
        hessians = [H for H, _ in pieces]
        down, below = lowest(cones, gradients, hessians, TOLERANCE, scale)
        up, above = lowest(cones, -gradients, [-H for H in hessians], TOLERANCE, scale)
        evidence |= below
        if "descent_direction" in above:
            evidence["ascent_direction"] = above["descent_direction"]
        kind = _KINDS.get((down, up)) or _ONE_SIDED.get(down, "undecided")
        return Criticality(kind=kind, index=0 if "minimum" in kind else None, evidence=evidence)

    def _point(
        self, w: Array, face: Face, freedom: int, verdict: Criticality, lam: float
    ) -> CriticalPoint:
        row_signs = self.planes.row_signs(face.signs)
        return CriticalPoint(
            w=w,
            face_dimension=face.dimension,
            active=row_signs[: self.data.count] > 0,
            on_kinks=tuple(int(k) for k in np.flatnonzero(row_signs == 0)),
            loss=self.data.loss(w, lam),
            freedom=freedom,
            verdict=verdict,
        )


@dataclass(frozen=True)
class _Hull:
    contains: bool | None
    nearest: Array
    distance: float
    weights: Array


def _hull(points: Array, tolerance: float) -> _Hull:
    """Return the point of a convex hull that is nearest to 0, with a certificate either way."""
    lengths = np.linalg.norm(points, axis=1)
    least = int(np.argmin(lengths))
    if lengths[least] <= tolerance:
        weights = np.zeros(len(points))
        weights[least] = 1.0
        return _Hull(True, points[least], float(lengths[least]), weights)
    scale = float(np.max(lengths))
    lifted = np.vstack([points.T / scale, np.ones(len(points))])
    weights, _ = nnls(lifted, np.append(np.zeros(points.shape[1]), 1.0), maxiter=50 * len(points))
    weights = weights / np.sum(weights)
    nearest = points.T @ weights
    distance = float(np.linalg.norm(nearest))
    contains: bool | None = None
    if distance <= tolerance:
        contains = True
    elif float(np.min(points @ nearest)) > 0:
        contains = False
    return _Hull(contains, nearest, distance, weights)


def _interior(normals: Array, signs: Array, base: Array, directions: Array) -> Array | None:
    """Return a point of ``base + span(directions)`` with these signs, or None."""
    from scipy.optimize import linprog

    rows = (signs[:, None] * normals)[signs != 0]
    if not len(rows):
        return base
    k = directions.shape[1]
    size = 1.0 + float(np.max(np.abs(base)))
    # Maximise t with rows (base + directions u) >= t, in units of the base.
    matrix = np.hstack([-rows @ directions, np.ones((len(rows), 1))])
    found = linprog(
        np.append(np.zeros(k), -1.0),
        A_ub=matrix,
        b_ub=rows @ base,
        bounds=[(-10 * size, 10 * size)] * k + [(None, size)],
    )
    if found.status != 0 or found.x[-1] <= ZERO * size:
        return None
    return np.asarray(base + directions @ found.x[:-1])


def _smooth_verdict(gradient: Array, H: Array, scale: float) -> Criticality:
    values = np.linalg.eigvalsh(H)
    largest = max(float(np.max(np.abs(values))), 1e-300)
    negative = int(np.sum(values < -TOLERANCE * largest))
    null = int(np.sum(np.abs(values) <= TOLERANCE * largest))
    d = len(values)
    counted = np.abs(values)[np.abs(values) > TOLERANCE * largest]
    evidence = {"method": "exact cells", "eigenvalues": values, "residual": gradient}
    if float(np.max(np.abs(gradient))) > 1e-7 * max(scale, 1e-300):
        return Criticality(kind="not critical", evidence=evidence)
    kinds = {0: "minimum", d: "maximum"}
    return Criticality(
        kind="degenerate" if null else kinds.get(negative, "saddle"),
        index=negative,
        nullity=null,
        inertia=(negative, null, d - negative - null),
        margin=float(np.min(counted)) / largest if len(counted) else 0.0,
        evidence=evidence,
    )
