"""Critical points of the two laws from which branches can be traced."""

from __future__ import annotations

import numpy as np
from scipy.optimize import brentq, minimize

from ....system import Array
from .laws import Sample, Staircase


def local_minimum(sample: Sample, guess: Array, c: float, lam: float, law: str) -> Array | None:
    """Return a local minimum of the smoothed loss with ridge, or None if it runs away.

    Parameters
    ----------
    sample : Sample
        Inputs and labels.
    guess : ndarray, shape (d,)
        Where the descent begins.
    c, lam : float
        Sharpness, and strength of the ridge.
    law : {"gradient", "forward-only"}
        The squared or the matching loss.
    """
    squared = law == "gradient"

    def value(w: Array) -> float:
        loss = sample.squared_loss(w, c) if squared else sample.matching_loss(w, c)
        return float(loss + 0.5 * lam * (w @ w))

    def slope(w: Array) -> Array:
        law_at = sample.gradient_law(w, c) if squared else sample.forward_law(w, c)
        return lam * w - law_at

    found = minimize(value, guess, jac=slope, method="BFGS", options={"gtol": 1e-11})
    w = np.asarray(found.x)
    settled = float(np.max(np.abs(slope(w)))) < 1e-7
    # A label at the edge of u's range is reached at infinity only: the loss flattens on the way.
    h = 1e-5
    curvature = [(slope(w + h * e) - slope(w - h * e)) / (2 * h) for e in np.eye(len(w))]
    steepest = sample.stairs.lipschitz(c) * sample.curvature + lam
    if squared:
        steepest *= sample.stairs.lipschitz(c)
    return w if settled and np.linalg.eigvalsh(curvature)[0] > 1e-8 * steepest else None


def strong_decay(sample: Sample) -> tuple[Array, float] | None:
    """Return a rest point of the staircase's forward law, and a ridge for which it is one.

    For a large ridge w is next to 0, in a cell in which u is constant for every input. Which side
    of a threshold at 0 an input is on is found by iteration; None if that does not settle.
    """
    X, z = sample.X, sample.stairs.z
    side = np.zeros(len(X))
    for _ in range(100):
        # Next to 0 a threshold at 0 is passed on the side of the input's output.
        u = sample.stairs(1e-12 * side)
        pull = (sample.y - u) @ X / len(X)
        outputs = X @ pull
        if np.array_equal(np.sign(outputs), side) or 0.0 not in z[1:]:
            break
        side = np.sign(outputs)
    else:
        return None
    if 0.0 in z[1:] and np.any((outputs == 0) & X.any(axis=1)):
        return None
    thresholds = np.abs(z[1:][z[1:] != 0])
    nearest = float(np.min(thresholds, initial=np.inf))
    largest = float(np.max(np.abs(outputs)))
    if largest == 0:
        return None
    lam = 2 * largest / nearest if np.isfinite(nearest) else 1.0
    return pull / lam, lam


def gaussian_length(stairs: Staircase, teacher: Array, c: float, lam: float) -> float:
    """Return the length of the critical w along v, for Gaussian inputs."""
    aim = float(stairs.pull(float(np.linalg.norm(teacher))))
    if lam == 0:
        return stairs.length_of_pull(aim, c)
    high = aim / lam
    return float(brentq(lambda rho: float(stairs.pull(rho, c)) + lam * rho - aim, 1e-300, high))
