"""A system known by products only: its branch is walked, its fold is found, and no more claimed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.linalg import solve_banded

from contcrit.engine.trace import Tracer
from contcrit.linalg import MatrixFree
from contcrit.settings import Settings

SIZE = 99
FOLD = 3.513647903969


class Bratu:
    """u'' + lam e^u = 0 by second differences, without a matrix."""

    size = SIZE
    names = tuple(f"u{k}" for k in range(SIZE))
    parameter = "lam"
    kind = "flow"
    symmetric = True
    sparse = True
    generators = np.zeros((0, SIZE, SIZE + 1))

    def _difference(self, u: np.ndarray) -> np.ndarray:
        padded = np.concatenate([[0.0], u, [0.0]])
        return (padded[:-2] - 2 * padded[1:-1] + padded[2:]) * (SIZE + 1) ** 2

    def residual(self, z: np.ndarray) -> np.ndarray:
        return self._difference(z[:-1]) + z[-1] * np.exp(z[:-1])

    def jacobian(self, z: np.ndarray) -> MatrixFree:
        growth, level = np.exp(z[:-1]), z[-1]
        band = np.ones((3, SIZE)) * (SIZE + 1) ** 2
        band[1] *= -2

        def product(v: np.ndarray) -> np.ndarray:
            return self._difference(v[:-1]) + growth * (level * v[:-1] + v[-1])

        def inverse(v: np.ndarray) -> np.ndarray:
            return solve_banded((1, 1), band, v)

        return MatrixFree(product, (SIZE, SIZE + 1), inverse, norm=4.0 * (SIZE + 1) ** 2)

    def residual_and_jacobian(self, z: np.ndarray) -> tuple[np.ndarray, MatrixFree]:
        return self.residual(z), self.jacobian(z)

    def second(self, z: np.ndarray, direction: np.ndarray) -> Any:
        raise AssertionError("second derivatives are not to be had without a matrix")

    def unfolding(self, z: np.ndarray) -> None:
        return None


def test_a_fold_is_found_without_a_matrix() -> None:
    settings = Settings(maximum_points=70, gear="python")
    branch = Tracer(Bratu(), (0.0, 4.0), settings).trace(np.zeros(SIZE + 1), "forward")
    assert len(branch) == 71
    (fold,) = branch.special_points
    assert fold.kind == "fold"
    assert fold.parameter == pytest.approx(FOLD, abs=1e-9)
    # One locator spoke; nothing confirms it, and no eigenvalue was counted.
    assert fold.digits == 0 and "did not confirm" in fold.evidence["note"]
    assert "unstable_dimension" not in branch.columns
