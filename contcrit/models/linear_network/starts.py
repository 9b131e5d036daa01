"""Solutions of the linear network at lam = 0: one for every real logarithm of the target map.

At lam = 0 the characteristic equation reads ``e^{T (C - C^T)} e^{T C^T} = R``. For normal R every
normal solution is ``C = log(R) / T``, with any real logarithm. For non-normal R the solutions are
not logarithms; they are reached from C = 0 along ``R_mu = expm(mu log R)``, mu from 0 to 1.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from scipy.linalg import expm, logm, schur, solve_sylvester
from scipy.optimize import root

from ...errors import SpecificationError
from ...system import Array
from .theory import LinearNetwork, normality_defect

_CLUSTER = 1e-8
"""Eigenvalues closer than this, relative to the largest, count as one."""

_MOST_BRANCHES = 512


def rotating_eigenvalues(R: Array) -> Array:
    """Return one eigenvalue of every complex pair, that with positive imaginary part.

    Repeated ones are given once; ordered by angle, then by modulus.
    """
    eigenvalues = np.linalg.eigvals(R)
    scale = _CLUSTER * float(np.max(np.abs(eigenvalues)))
    found: list[complex] = []
    for value in sorted(eigenvalues, key=lambda z: (round(float(np.angle(z)), 12), abs(z))):
        if value.imag > scale and all(abs(value - other) > scale for other in found):
            found.append(complex(value))
    return np.array(found, dtype=complex)


def real_logarithm(R: Array, windings: int | Sequence[int] = 0) -> Array:
    """Return a real logarithm of R.

    Parameters
    ----------
    R : ndarray, shape (d, d)
        Without eigenvalues on the closed negative real axis.
    windings : int or sequence of int, default 0
        Whole turns added to each complex pair, in the order of `rotating_eigenvalues`; one number
        stands for all pairs. 0 is the principal logarithm. Copies of one pair turn together;
        where R is derogatory it has further real logarithms, which form continuous families and
        are not given.

    Raises
    ------
    SpecificationError
        If the number of windings is not that of the complex pairs.

    Examples
    --------
    >>> import numpy as np
    >>> quarter = np.array([[0.0, -1.0], [1.0, 0.0]])
    >>> bool(np.allclose(real_logarithm(quarter, -1), -1.5 * np.pi * quarter))
    True
    """
    pairs = rotating_eigenvalues(R)
    turns = list(windings) if isinstance(windings, Sequence) else [windings] * len(pairs)
    if not all(isinstance(turn, (int, np.integer)) for turn in turns):
        raise SpecificationError("windings", windings, "must be whole numbers.", "Such as 1.")
    if len(turns) != len(pairs):
        raise SpecificationError(
            "windings", turns, f"needs one number for each of the {len(pairs)} pairs.", "Count."
        )
    logarithm = np.real(logm(R))
    for eigenvalue, turn in zip(pairs, turns, strict=True):
        if turn:
            # 2 pi n i (P - conj P), with P the spectral projector of the eigenvalue.
            logarithm = logarithm - 4.0 * math.pi * int(turn) * np.imag(_projector(R, eigenvalue))
    return logarithm


def windings_of(R: Array, windings: Iterable[Any]) -> dict[str, tuple[int, ...]]:
    """Return label -> turns of every pair.

    Whole numbers are combined over the pairs in all ways; tuples are taken as they are.

    Raises
    ------
    SpecificationError
        If there are more than 512 combinations, or an entry does not fit.
    """
    count = len(rotating_eigenvalues(R))
    given = list(windings)
    numbers = sorted({int(n) for n in given if isinstance(n, (int, np.integer))})
    chosen = [tuple(int(n) for n in item) for item in given if isinstance(item, (tuple, list))]
    if len(numbers) ** count > _MOST_BRANCHES:
        raise SpecificationError(
            "windings",
            f"{len(numbers)} numbers over {count} pairs",
            f"must give at most {_MOST_BRANCHES} combinations.",
            "Give tuples, one number for each pair.",
        )
    if numbers:
        chosen += itertools.product(numbers, repeat=count)
    if any(len(item) != count for item in chosen) or not chosen:
        raise SpecificationError(
            "windings",
            given,
            f"needs numbers, or tuples of {count} numbers.",
            "Such as (-1, 0, 1).",
        )
    result = {}
    for item in sorted(set(chosen), key=lambda turns: (sum(map(abs, turns)), turns)):
        text = "0" if not item else str(item[0]) if len(item) == 1 else str(item)
        result[f"n={text}"] = item
    return result


def solve_at_zero(network: LinearNetwork, logarithm: Array, steps: int = 16) -> Array | None:
    """Return the solution of F(C) = R that descends from a real logarithm, or None.

    Parameters
    ----------
    network : LinearNetwork
        The data.
    logarithm : ndarray, shape (d, d)
        A real logarithm of R.
    steps : int, default 16
        Values of mu, evenly spaced, along ``R_mu = expm(mu log R)``.

    Returns
    -------
    ndarray or None
        None when a solution could not be followed with so few steps, as happens beyond a turning
        point in mu: trace the homotopy instead.
    """
    T = network.T
    straight = logarithm / T
    accuracy = 1e-10 * (1.0 + float(np.linalg.norm(network.R)))
    size = float(np.linalg.norm(logarithm))
    if normality_defect(logarithm) <= 1e-12 * (1.0 + size) ** 2:
        return straight if _misfit(network, straight) <= accuracy else None
    C = np.zeros_like(straight)
    for mu in np.linspace(0.0, 1.0, steps + 1)[1:]:
        stage = LinearNetwork(expm(mu * logarithm), network.Sigma0, T)
        # C is close to linear in mu, so the last solution, scaled, is the guess.
        guess = straight * mu if mu * steps < 1.5 else C * (mu / (mu - 1.0 / steps))

        def equation(x: Array, stage: LinearNetwork = stage) -> tuple[Array, Array]:
            X = x.reshape(stage.R.shape)
            return (stage.end(X) - stage.R).ravel(), stage.end_derivative(X)

        found = root(equation, guess.ravel(), jac=True, tol=1e-13)
        C = found.x.reshape(guess.shape)
        jump = float(np.linalg.norm(C - guess))
        if _misfit(stage, C) > accuracy or jump > 0.2 * (1.0 / T + float(np.linalg.norm(guess))):
            return None
    return C


def _misfit(network: LinearNetwork, C: Array) -> float:
    return float(np.linalg.norm(network.end(C) - network.R))


def _projector(R: Array, eigenvalue: complex) -> Array:
    """Return the spectral projector of one eigenvalue, repeated or not, shape (d, d), complex."""
    scale = 10.0 * _CLUSTER * float(np.max(np.abs(np.linalg.eigvals(R))))
    triangular, vectors, count = schur(
        R.astype(complex), output="complex", sort=lambda z: abs(z - eigenvalue) <= scale
    )
    leading, coupling, rest = (
        triangular[:count, :count],
        triangular[:count, count:],
        triangular[count:, count:],
    )
    corner = np.zeros_like(triangular)
    corner[:count, :count] = np.eye(count)
    # In Schur form the projector is [[I, X], [0, 0]] with leading X - X rest = coupling.
    corner[:count, count:] = solve_sylvester(leading, -rest, coupling)
    return vectors @ corner @ vectors.conj().T
