"""Start points: bring a guess onto the branch and find the branch's direction there."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..linalg import as_dense, is_matrix_free, is_sparse, rounding_level, singular_triplets
from ..settings import Settings
from .corrector import CORRECTED, correct
from .kernel import Control, allocate

Array = np.ndarray


def correct_start(system: Any, z: Array, control: Control, settings: Settings) -> Array | None:
    """Solve F(x, p) = 0 at the fixed parameter of z; return the point, or None.

    Newton comes first; where it fails, Levenberg-Marquardt tries from the same guess. A guess that
    solves the equations already is returned as it is, even where the Jacobian is singular.
    """
    residual, jacobian = system.residual_and_jacobian(z)
    accepted = max(settings.residual_tolerance, 20 * rounding_level(jacobian, z))
    if np.max(np.abs(residual), initial=0.0) <= 1e-3 * accepted:
        return z.copy()
    row = np.zeros(z.size)
    row[-1] = 1.0
    patient = control._replace(newton_iterations=25, newton_growth=1e6)
    work, scratch = allocate(system), np.empty(z.size)
    point = z.copy()
    if correct(system, point, row, patient, work, scratch, False)[0] == CORRECTED:
        point[-1] = z[-1]
        return point
    if np.max(np.abs(residual), initial=0.0) <= accepted:
        return z.copy()
    if not np.all(np.isfinite(residual)):
        return None

    def at_fixed_parameter(x: Array) -> Array:
        return system.residual(np.append(x, z[-1]))

    def derivative(x: Array) -> Array:
        return as_dense(system.jacobian(np.append(x, z[-1])))[:, :-1]

    from scipy.optimize import root  # slow to import

    solved = root(at_fixed_parameter, z[:-1], jac=derivative, method="lm", options={"xtol": 1e-12})
    point = np.append(solved.x, z[-1])
    outcome = correct(system, point, row, patient, work, scratch, False)[0]
    point[-1] = z[-1]
    if outcome == CORRECTED:
        return point
    residual, jacobian = system.residual_and_jacobian(np.append(solved.x, z[-1]))
    accepted = max(settings.residual_tolerance, 20 * rounding_level(jacobian, z))
    if np.max(np.abs(residual)) <= accepted:
        return np.append(solved.x, z[-1])
    return None


def start_tangent(system: Any, z: Array, weights: Array) -> tuple[Array, bool]:
    """Return the unit tangent at z, pointing to larger parameters, and whether z is regular."""
    jacobian = system.jacobian(z)
    # The tangent is exact; of the values only the size is asked.
    _, values, right, largest = singular_triplets(jacobian, 4, tolerance=0.1)
    tangent = right[:, 0]
    regular = bool(values[0] > 1e-9 * largest)
    if not regular and is_sparse(jacobian):
        # The spectrum of a discretised operator is wide; its smallest values are of one size.
        regular = bool(values[0] > max(1e-6 * values[-1], 1e-15 * largest))
    if is_matrix_free(jacobian):
        regular = bool(np.all(np.isfinite(tangent)))
    tangent = tangent / np.sqrt(np.sum(weights * tangent * tangent))
    if tangent[-1] < 0 or (tangent[-1] == 0 and tangent[np.argmax(np.abs(tangent))] < 0):
        tangent = -tangent
    return tangent, regular
