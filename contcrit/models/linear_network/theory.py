"""First-order theory of the regularised linear network, in numbers.

The weights A on [0, T] minimise ``J[A] = E[ lam/2 int tr(A_t^T A_t) dt + |X_T - Z|^2 / 2 ]``
subject to ``dX/dt = A_t X`` and ``Z = R X_0 + noise``. Every critical point belongs to the family
of curves ``A_t = e^{2 t Omega} C e^{-2 t Omega}`` with ``Omega = (C - C^T) / 2`` and ``C = A_0``,
and C solves the characteristic equation ``lam C = F^T (R - F) Sigma0``. Matrices are vectorised row
by row.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import expm

from ...errors import SpecificationError
from ...symbolic.exponential import exponential, multiply
from ...symbolic.matrix_two_sided import TwoSided
from ...system import Array


@dataclass(frozen=True, eq=False)
class LinearNetwork:
    """A linear network's data: the target map, the inputs' second moment and the depth.

    Parameters
    ----------
    R : ndarray, shape (d, d)
        Target map. Correlated data enter through ``R = E[Z X_0^T] Sigma0^{-1}``, which changes the
        cost by a constant only.
    Sigma0 : ndarray, shape (d, d)
        Second moment of the inputs, symmetric positive definite.
    T : float
        Depth, positive.

    References
    ----------
    Taghvaei, Kim and Mehta, *How regularization affects the critical points in linear networks*,
    NIPS 2017, Propositions 1 and 2.

    Examples
    --------
    >>> import numpy as np
    >>> network = LinearNetwork(np.array([[0.0, -1.0], [1.0, 0.0]]), np.eye(2), 1.0)
    >>> C = np.pi / 2 * network.R
    >>> bool(np.allclose(network.end(C), network.R))
    True
    """

    R: Array
    Sigma0: Array
    T: float

    @property
    def dimension(self) -> int:
        """Dimension d of the inputs."""
        return self.R.shape[0]

    def curve(self, C: Array, t: float) -> Array:
        """Return the weights A_t of the curve that starts at C, shape (d, d) (equation 17)."""
        rotation = expm(t * (C - C.T))
        return rotation @ C @ rotation.T

    def flow(self, C: Array, t: float) -> Array:
        """Return the fundamental matrix Phi_{t,0} of the curve, shape (d, d) (equation 15)."""
        return expm(t * (C - C.T)) @ expm(t * C.T)

    def end(self, C: Array) -> Array:
        """Return F(C) = Phi_{T,0}, shape (d, d)."""
        return self.flow(C, self.T)

    def residual(self, C: Array, lam: float) -> Array:
        """Return N(C) = lam C - F^T (R - F) Sigma0, shape (d, d) (equation 18)."""
        F = self.end(C)
        return lam * C - F.T @ (self.R - F) @ self.Sigma0

    def cost(self, C: Array, lam: float) -> float:
        """Return the cost J of the curve, without the constant that no weights can change."""
        error = self.end(C) - self.R
        return float(
            0.5 * lam * self.T * np.sum(C * C) + 0.5 * np.sum((error @ self.Sigma0) * error)
        )

    def gradient(self, C: Array, lam: float, t: float) -> Array:
        """Return the L2 gradient of J at the curve, at time t, shape (d, d).

        ``grad J[A(C)]_t = Phi_{T,t}^T F^{-T} N(C) Phi_{t,0}^T``, for every C, critical or not.
        """
        F, flow = self.end(C), self.flow(C, t)
        # Phi_{T,t}^T F^{-T} = Phi_{t,0}^{-T}.
        return np.linalg.solve(flow.T, self._residual_at(C, F, lam)) @ flow.T

    def reduced_gradient(self, C: Array, lam: float) -> Array:
        """Return the gradient of j(C) = J[A(C)] in C, shape (d, d): DF* [F^{-T} N(C)]."""
        F = self.end(C)
        force = np.linalg.solve(F.T, self._residual_at(C, F, lam))
        return (self.end_derivative(C).T @ force.ravel()).reshape(C.shape)

    def end_derivative(self, C: Array) -> Array:
        """Return the derivative of F at C on vectorised directions, shape (d^2, d^2)."""
        return self.flow_derivative(C, self.T)

    def flow_derivative(self, C: Array, t: float) -> Array:
        """Return the derivative of Phi_{t,0} in C, shape (d^2, d^2), by Frechet derivatives."""
        d = self.dimension
        units = TwoSided.identity(d, d)
        transposed = units.swapaxes(-1, -2)
        rotation, stretch = exponential(t * (C - C.T)), exponential(t * C.T)
        turn = rotation.frechet(t * (units - transposed))
        change = stretch.frechet(t * transposed)
        values = multiply(turn, stretch.value) + multiply(rotation.value, change)
        return np.asarray(values).reshape(d * d, d * d).T

    def residual_derivative(self, C: Array, lam: float) -> Array:
        """Return the derivative of N at C, shape (d^2, d^2)."""
        return self.residual_derivative_from(self.end(C), self.end_derivative(C), lam)

    def residual_derivative_from(self, F: Array, DF: Array, lam: float) -> Array:
        """Return the derivative of N, given F and its derivative."""
        d = self.dimension
        identity = np.eye(d)
        swap = np.arange(d * d).reshape(d, d).T.ravel()
        force = (self.R - F) @ self.Sigma0
        return (
            lam * np.eye(d * d)
            - np.kron(identity, force.T) @ DF[swap]
            + np.kron(F.T, self.Sigma0.T) @ DF
        )

    def reduced_hessian(self, C: Array, lam: float) -> Array:
        """Return S = DF* F^{-T} DN, shape (d^2, d^2).

        At critical points S is the Hessian of j(C) and symmetric; elsewhere it is neither.
        """
        F, DF = self.end(C), self.end_derivative(C)
        DN = self.residual_derivative_from(F, DF, lam)
        return DF.T @ np.kron(np.linalg.inv(F.T), np.eye(self.dimension)) @ DN

    def slope_at_zero(self, C: Array) -> Array:
        """Return dC/dlam at lam = 0 on the branch through a solution C of F(C) = R, shape (d, d).

        For normal R, normal C and Sigma0 = I this is ``-(R R^T)^{-1} log(R) / T^2`` (Theorem 2 in
        the paper); the general form is ``-(DF)^{-1} [R^{-T} C Sigma0^{-1}]``.

        Raises
        ------
        SpecificationError
            If F(C) differs from R, or if DF is singular there.
        """
        F, DF = self.end(C), self.end_derivative(C)
        error = float(np.max(np.abs(F - self.R)))
        if error > 1e-6 * (1.0 + float(np.max(np.abs(self.R)))):
            raise SpecificationError(
                "C", error, "must satisfy F(C) = R.", "Take it from `starts`, at lam = 0."
            )
        if np.linalg.cond(DF) > 1e12:
            raise SpecificationError(
                "C", C.tolist(), "makes DF singular: no unique branch leaves it.", "Trace instead."
            )
        change = np.linalg.solve(self.R.T, C) @ np.linalg.inv(self.Sigma0)
        return -np.linalg.solve(DF, change.ravel()).reshape(C.shape)

    def _residual_at(self, C: Array, F: Array, lam: float) -> Array:
        return lam * C - F.T @ (self.R - F) @ self.Sigma0


def normality_defect(C: Array) -> float:
    """Return the Frobenius norm of [C, C^T], which is zero exactly for normal C."""
    return float(np.linalg.norm(C @ C.T - C.T @ C))
