"""What a critical point is, from the inertia of its Hessian, with a margin on every count.

Eigenvalues are counted twice where that is affordable: by the signs of the pivots of a symmetric
factorisation of the shifted Hessian (Sylvester's law of inertia) and by an eigenvalue solver.
A count that depends on the tolerance, or on the method, gives the verdict ``"undecided"``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import SpecificationError
from ..linalg import as_dense, eigenvalues_and_cosines
from .arguments import (
    check_positive,
    gauge_vectors,
    is_finite,
    orthonormal_rows,
    row_sum_norm,
    square_matrix,
    vector_of_length,
)
from .counts import (
    DECISION_FACTOR,
    DENSE_LIMIT,
    SPECTRUM_LIMIT,
    Counts,
    band_is_empty,
    count_by_pivots,
    count_by_spectrum_and_pivots,
    counter_for,
)
from .inertia import Counter, DenseCounter
from .real_spectrum import classify_by_counts
from .record import Criticality

Array = np.ndarray


def classify_hessian(
    hessian: Any,
    *,
    gradient: Array | None = None,
    gauge: Array | None = None,
    tolerance: float = 1e-9,
    gradient_tolerance: float = 1e-6,
    gauge_tolerance: float = 1e-7,
) -> Criticality:
    """Classify a critical point of a smooth function by the inertia of its Hessian.

    Parameters
    ----------
    hessian : (n, n) array_like or scipy.sparse matrix
        Hessian at the point; symmetric up to `tolerance`.
    gradient : array_like of shape (n,), optional
        Gradient at the point. Without it the caller answers for the point being critical.
    gauge : array_like of shape (k, n), optional
        Tangent vectors of the orbits of continuous symmetries at the point. Zero and linearly
        dependent vectors are allowed.
    tolerance : float
        Eigenvalues of modulus up to this share of the largest count as zero (default 1e-9). One
        within a factor of 100 of that threshold makes the verdict undecided, unless a symmetry
        explains it. Discretised differential operators, whose spectrum is wide, need a smaller one.
    gradient_tolerance : float
        Largest modulus of the gradient's entries, relative to the largest modulus of an
        eigenvalue (default 1e-6).
    gauge_tolerance : float
        Combinations of gauge vectors shorter than this, or than this share of the longest where
        that exceeds 1, count as zero (default 1e-7): the point is then fixed by that symmetry.

    Returns
    -------
    Criticality
        ``"minimum"`` and ``"maximum"`` mean strict ones, apart from the directions along group
        orbits. ``"saddle"`` needs a negative and a positive direction, and stands whatever the
        zero directions do. ``"degenerate"`` means that zero directions beyond those of the
        symmetries leave the question to higher derivatives; ``evidence["excluded"]`` then says
        what the point cannot be. ``"not critical"`` and ``"undecided"`` carry
        ``evidence["reason"]``.

    Raises
    ------
    SpecificationError
        If a shape does not fit or a tolerance is not positive.

    Notes
    -----
    ``inertia(H - t I)`` counts the eigenvalues below t by the signs of the pivots of L D L^T [1]_.
    Counts at plus and minus the threshold give the inertia with zeros apart, and equal counts at
    both ends of the band around the threshold prove the band empty. Directions along orbits are
    projected out first; for sparse Hessians by the Schur complement of the bordered matrix,
    whose inertia is that of the restricted Hessian plus k negative and k positive ones [2]_.

    References
    ----------
    .. [1] B. N. Parlett, "The Symmetric Eigenvalue Problem", SIAM, 1998, section 3.3.
    .. [2] E. V. Haynsworth, "Determination of the inertia of a partitioned Hermitian matrix",
       Linear Algebra and its Applications 1 (1968) 73-81.

    Examples
    --------
    >>> import numpy as np
    >>> from contcrit.criticality.hessian import classify_hessian
    >>> print(classify_hessian(np.diag([2.0, -1.0, 3.0])))
    saddle (index 1)
    >>> print(classify_hessian(np.diag([8.0, 0.0]), gauge=[[0.0, 1.0]]))
    minimum (index 0, nullity 1 of which 1 by symmetry)
    """
    check_positive(
        tolerance=tolerance,
        gradient_tolerance=gradient_tolerance,
        gauge_tolerance=gauge_tolerance,
    )
    matrix = square_matrix("hessian", hessian)
    n = matrix.shape[0]
    slope = vector_of_length("gradient", gradient, n)
    tangents = gauge_vectors("gauge", gauge, n)
    if not is_finite(matrix) or (slope is not None and not np.all(np.isfinite(slope))):
        return _undecided("The Hessian or the gradient holds a value that is not finite.")

    asymmetry = row_sum_norm(matrix - matrix.T)
    size = row_sum_norm(matrix)
    if asymmetry > tolerance * size:
        return _undecided(
            "The Hessian is not symmetric to the tolerance.",
            asymmetry=asymmetry / size,
            remedy="Give a symmetric Hessian, or raise `tolerance` above its errors.",
        )
    matrix = (matrix + matrix.T) / 2
    counter = counter_for(matrix)
    scale = counter.scale
    evidence: dict[str, Any] = {"scale": scale, "threshold": tolerance * scale}

    if slope is not None:
        largest = float(np.max(np.abs(slope)))
        evidence["gradient"] = largest
        if largest > gradient_tolerance * max(scale, 1.0):
            return Criticality(
                kind="not critical",
                evidence={"reason": "The gradient is not small.", **evidence},
            )
        if largest > gradient_tolerance * scale:
            return _undecided("The gradient is not small against a flat Hessian.", **evidence)

    orbit = orthonormal_rows(tangents, gauge_tolerance)
    if len(orbit):
        leak = float(np.linalg.norm(matrix @ orbit.T, 2))
        evidence["gauge_leak"] = leak / scale if scale else leak
        if leak > DECISION_FACTOR * tolerance * scale:
            return _undecided(
                "The Hessian does not annihilate the gauge vectors: the point is not critical "
                "enough, or they are not tangent to orbits of a symmetry.",
                **evidence,
            )
        counter = counter.restrict(orbit)
    return _verdict(counter, len(orbit), tolerance, evidence)


def classify_jacobian(
    jacobian: Any,
    kind: str,
    *,
    residual: Array | None = None,
    gauge: Array | None = None,
    tolerance: float = 1e-9,
    residual_tolerance: float = 1e-6,
    gauge_tolerance: float = 1e-7,
) -> Criticality:
    """Say what can be said of a solution of equations that are not a gradient.

    Without a function to minimise there is neither minimum nor index: `Criticality.kind` is
    ``"undecided"`` (or ``"not critical"``: no solution at all) and `Criticality.index` None. What
    the Jacobian does tell is in the evidence.

    Parameters
    ----------
    jacobian : (n, n) array_like or scipy.sparse matrix
        Jacobian of the equations at the solution. For kind ``"map"`` that of F(x) - x.
    kind : {"flow", "map", "equation", "potential"}
        What the equations mean; ``"potential"`` is handed to `classify_hessian`.
    residual : array_like of shape (n,), optional
        Residual of the equations at the solution.
    gauge : array_like of shape (k, n), optional
        Tangent vectors of the orbits of continuous symmetries; stability is then that of the
        orbit, in the quotient by these directions.
    tolerance, residual_tolerance, gauge_tolerance : float
        As in `classify_hessian` (defaults 1e-9, 1e-6, 1e-7).

    Returns
    -------
    Criticality
        With evidence ``stability`` (``"stable"``, ``"unstable"``, ``"undecided"``, or None for
        kind ``"equation"``), ``unstable_dimension`` and ``stable_dimension`` (None when
        undecided), ``eigenvalues`` of the Jacobian (Floquet multipliers for maps) in the quotient,
        ``singular`` and ``margin`` (distance of the nearest eigenvalue from the stability
        boundary). `nullity` counts the zero singular values.

    Raises
    ------
    SpecificationError
        If a shape does not fit, or `kind` is not one of the four.

    Notes
    -----
    An eigenvalue decides only when its distance from the stability boundary exceeds a hundred
    times both the threshold and its own rounding error, eps |J| / |cos(left, right vector)|. One
    that clearly lies beyond the boundary proves instability whatever the others do.

    Examples
    --------
    >>> from contcrit.criticality.hessian import classify_jacobian
    >>> verdict = classify_jacobian([[-1.0, 5.0], [0.0, -2.0]], "flow")
    >>> verdict.kind, verdict.evidence["stability"]
    ('undecided', 'stable')
    """
    if kind not in ("flow", "map", "equation", "potential"):
        raise SpecificationError(
            "kind", kind, "must be 'flow', 'map', 'equation' or 'potential'.", "Give one of them."
        )
    if kind == "potential":
        return classify_hessian(
            jacobian,
            gradient=residual,
            gauge=gauge,
            tolerance=tolerance,
            gradient_tolerance=residual_tolerance,
            gauge_tolerance=gauge_tolerance,
        )
    check_positive(
        tolerance=tolerance,
        residual_tolerance=residual_tolerance,
        gauge_tolerance=gauge_tolerance,
    )
    matrix = square_matrix("jacobian", jacobian)
    n = matrix.shape[0]
    values = vector_of_length("residual", residual, n)
    tangents = gauge_vectors("gauge", gauge, n)
    if not is_finite(matrix) or (values is not None and not np.all(np.isfinite(values))):
        return _undecided("The Jacobian or the residual holds a value that is not finite.")
    scale = row_sum_norm(matrix)
    if values is not None:
        largest = float(np.max(np.abs(values)))
        if largest > residual_tolerance * max(scale, 1.0):
            return Criticality(
                kind="not critical",
                evidence={"reason": "The residual is not small.", "residual": largest},
            )
        if largest > residual_tolerance * scale:
            return _undecided("The residual is not small against the Jacobian.", residual=largest)
    if len(tangents) == 0:
        counted = classify_by_counts(matrix, kind, tolerance)
        if counted is not None:
            return counted
    if n > DENSE_LIMIT:
        return _undecided("Too many unknowns for a full spectrum.", stability=None)
    dense = as_dense(matrix)
    orbit = orthonormal_rows(tangents, gauge_tolerance)
    if len(orbit):
        leak = float(np.linalg.norm(dense @ orbit.T, 2))
        if leak > DECISION_FACTOR * tolerance * scale:
            return _undecided("The Jacobian does not annihilate the gauge vectors.", leak=leak)
        # J annihilates the orbit's tangents, so J is block triangular in (tangents, complement).
        complement = np.linalg.svd(orbit)[2][len(orbit) :].T
        dense = complement.T @ dense @ complement
    return _stability(dense, kind, len(orbit), tolerance, scale)


def _stability(
    matrix: Array, kind: str, gauge_nullity: int, tolerance: float, scale: float
) -> Criticality:
    """Return the verdict on a dense Jacobian without gauge directions."""
    if matrix.size == 0:
        return Criticality(
            kind="undecided",
            nullity=gauge_nullity,
            gauge_nullity=gauge_nullity,
            evidence={"reason": "Every direction lies along a group orbit.", "stability": None},
        )
    singular_values = np.linalg.svd(matrix, compute_uv=False)
    threshold = tolerance * scale
    clear = band_is_empty(singular_values, threshold)
    zeros = int(np.count_nonzero(singular_values <= threshold))
    evidence: dict[str, Any] = {
        "reason": "The equations are not the gradient of a stated function.",
        "singular": zeros > 0 if clear else None,
        "smallest_singular_value": float(singular_values[-1] / scale) if scale else 0.0,
        "stability": None,
        "unstable_dimension": None,
        "stable_dimension": None,
        "margin": 0.0,
    }
    if kind != "equation":
        # A map's Jacobian is that of F(x) - x: its multipliers are 1 + eigenvalues.
        shifted = matrix + np.eye(len(matrix)) if kind == "map" else matrix
        eigenvalues, cosine = eigenvalues_and_cosines(shifted)
        rounding = np.finfo(float).eps * max(scale, 1.0 if kind == "map" else 0.0)
        doubt = DECISION_FACTOR * np.maximum(
            threshold, len(matrix) * rounding / np.maximum(cosine, 1e-300)
        )
        beyond = np.abs(eigenvalues) - 1 if kind == "map" else eigenvalues.real
        unstable = int(np.count_nonzero(beyond > doubt))
        stable = int(np.count_nonzero(beyond < -doubt))
        evidence["eigenvalues"] = eigenvalues[np.argsort(-beyond, kind="stable")]
        evidence["margin"] = float(np.min(np.abs(beyond)))
        decided = unstable + stable == len(matrix)
        if unstable:
            evidence["stability"] = "unstable"
        else:
            evidence["stability"] = "stable" if decided else "undecided"
        if decided:
            evidence["unstable_dimension"] = unstable
            evidence["stable_dimension"] = stable
    return Criticality(
        kind="undecided",
        nullity=zeros + gauge_nullity if clear else None,
        gauge_nullity=gauge_nullity,
        evidence=evidence,
    )


def _verdict(
    counter: Counter, gauge_nullity: int, tolerance: float, evidence: dict[str, Any]
) -> Criticality:
    """Return the verdict on a Hessian whose gauge directions are projected out."""
    scale = counter.scale
    threshold = tolerance * scale
    if counter.size == 0:
        return Criticality(
            kind="degenerate",
            index=0,
            nullity=gauge_nullity,
            gauge_nullity=gauge_nullity,
            inertia=(0, gauge_nullity, 0),
            evidence={"reason": "Every direction lies along a group orbit.", **evidence},
        )
    if scale == 0:
        counts: Counts | None = Counts(0, counter.size, 0, 0.0)
    elif isinstance(counter, DenseCounter) and counter.size <= SPECTRUM_LIMIT:
        counts = count_by_spectrum_and_pivots(counter, threshold, evidence)
    else:
        counts = count_by_pivots(counter, threshold, evidence)
    if counts is None:
        return Criticality(kind="undecided", gauge_nullity=gauge_nullity, evidence=evidence)
    negative, zero, positive = counts.negative, counts.zero, counts.positive
    excluded: tuple[str, ...]
    if negative and positive:
        kind, excluded = "saddle", ("minimum", "maximum")
    elif zero:
        kind = "degenerate"
        excluded = (("minimum",) if negative else ()) + (("maximum",) if positive else ())
        evidence["reason"] = "Zero directions leave the question to higher derivatives."
    elif positive:
        kind, excluded = "minimum", ("maximum",)
    else:
        kind, excluded = "maximum", ("minimum",)
    return Criticality(
        kind=kind,
        index=negative,
        nullity=zero + gauge_nullity,
        gauge_nullity=gauge_nullity,
        inertia=(negative, zero + gauge_nullity, positive),
        margin=counts.margin,
        evidence={**evidence, "excluded": excluded},
    )


def _undecided(reason: str, **evidence: Any) -> Criticality:
    return Criticality(kind="undecided", evidence={**evidence, "reason": reason})
