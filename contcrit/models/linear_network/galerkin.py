"""Hessian of the linear network's cost on Legendre polynomials in time: an independent check.

With variations V, W of the weights, U = Phi^{-1} V Phi and I_U = int_0^T U dt,

    Hess J[V, W] = lam <V, W> + <F I_U Sigma0^{1/2}, F I_W Sigma0^{1/2}>
                   - lam (tr C^T int int_{s > r} U_s W_r + the same with U, W exchanged)

at a critical point. On a finite-dimensional space of V the negative eigenvalues are at most as many
as on the whole of L2 and grow in number with the space, so **few modes can hide negative
directions**; the eigenvalues themselves fall towards those of the Hessian on L2. Polynomials in
the frame that turns with the curve need about a third as many modes as polynomials in V itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.polynomial import legendre
from scipy.linalg import expm

from ...system import Array
from .theory import LinearNetwork


@dataclass(frozen=True, kw_only=True)
class GalerkinCount:
    """Eigenvalues of the Hessian on K Legendre modes per entry, once they have settled.

    Parameters
    ----------
    modes : int
        Number K of modes per entry in the last evaluation.
    index : int
        Negative eigenvalues, the `nullity` ones nearest to zero left out.
    eigenvalues : ndarray, shape (K d^2,)
        All eigenvalues, ascending, in units of lam (the Hessian is lam plus a compact operator).
    null_size : float
        Largest modulus among the eigenvalues taken as zero, in units of lam (0 if none).
    margin : float
        Smallest modulus among the others, in units of lam.
    settled : bool
        Whether index and smallest eigenvalues agree with those on half as many modes.
    """

    modes: int
    index: int
    eigenvalues: Array
    null_size: float
    margin: float
    settled: bool


def galerkin_hessian(
    network: LinearNetwork, C: Array, lam: float, modes: int, turning: bool = True
) -> Array:
    """Return the Hessian of J on Legendre polynomials, in units of lam.

    Parameters
    ----------
    network : LinearNetwork
        The data.
    C : ndarray, shape (d, d)
        A critical point.
    lam : float
        Regularisation, positive.
    modes : int
        Number K of orthonormal Legendre polynomials on [0, T] per entry of V.
    turning : bool, default True
        Whether the polynomials make up ``v = e^{-2 t Omega} V e^{2 t Omega}`` instead of V. The two
        spaces differ, the Hessian on L2 is the same.

    Returns
    -------
    ndarray, shape (K d^2, K d^2)
        Ordered by mode, then row-major by entry, so that fewer modes are a leading block.
    """
    d, T = C.shape[0], network.T
    n = d * d
    count = modes + 12 + int(2.0 * T * float(np.linalg.norm(C, 2)))
    nodes, weights, integral = _quadrature(count)
    nodes, weights, integral = T * nodes, T * weights, T * integral
    polynomials = legendre.legvander(2.0 * nodes / T - 1.0, modes - 1)
    polynomials *= np.sqrt((2.0 * np.arange(modes) + 1.0) / T)

    times = nodes[:, None, None]
    # U = Phi^{-1} V Phi with Phi = e^{2 t Omega} e^{t C^T}; in the turning frame the first factor
    # drops out.
    flows, inverses = expm(times * C.T), expm(-times * C.T)
    if not turning:
        rotations = expm(times * (C - C.T))
        flows, inverses = rotations @ flows, inverses @ rotations.transpose(0, 2, 1)
    # V -> U at each node: kron(Phi^{-1}, Phi^T) on row-major vectors.
    pullback = np.einsum("tij,tlk->tikjl", inverses, flows).reshape(count, n, n)
    changes = polynomials[:, :, None, None] * pullback[:, None]  # (node, mode, entry of U, of V)

    total = np.tensordot(weights, changes, axes=1)  # I_U, (mode, entry of U, entry of V)
    total = total.transpose(1, 0, 2).reshape(n, modes * n)
    F = network.end(C)
    gram = np.kron(F.T @ F, network.Sigma0)

    running = (integral @ changes.reshape(count, -1)).reshape(changes.shape)
    # tr(C^T U w) = <U, C w^T>.
    swap = np.arange(n).reshape(d, d).T.ravel()
    coupling = np.kron(C, np.eye(d))[:, swap]
    left = (weights[:, None, None, None] * changes).transpose(1, 3, 0, 2).reshape(modes * n, -1)
    right = (coupling @ running).transpose(0, 2, 1, 3).reshape(-1, modes * n)
    double = left @ right
    return np.eye(modes * n) + total.T @ gram @ total / lam - (double + double.T)


def galerkin_index(
    network: LinearNetwork,
    C: Array,
    lam: float,
    nullity: int = 0,
    expected: int | None = None,
    maximum_size: int = 2048,
) -> GalerkinCount | None:
    """Count the negative eigenvalues of the Hessian, doubling the modes until they settle.

    Parameters
    ----------
    network : LinearNetwork
        The data.
    C : ndarray, shape (d, d)
        A critical point.
    lam : float
        Regularisation, positive.
    nullity : int, default 0
        So many eigenvalues nearest to zero are taken as zero.
    expected : int, optional
        Index from another method. The modes are doubled on while the count is below it, since a
        count on few modes can only be too small.
    maximum_size : int, default 2048
        Largest matrix; None is returned when not even the first evaluation fits.

    Returns
    -------
    GalerkinCount or None
    """
    n = C.size
    half = 6 + int(network.T * float(np.linalg.norm(C, 2)))
    result = None
    while 2 * half * n <= maximum_size:
        hessian = galerkin_hessian(network, C, lam, 2 * half)
        fine = np.linalg.eigvalsh(hessian)
        coarse = np.linalg.eigvalsh(hessian[: half * n, : half * n])
        result = _compare(coarse, fine, nullity, 2 * half)
        if result.settled and (expected is None or result.index >= expected):
            return result
        half *= 2
    return result


def _compare(coarse: Array, fine: Array, nullity: int, modes: int) -> GalerkinCount:
    """Judge the eigenvalues on K modes against those on K / 2."""
    order = np.argsort(np.abs(fine))
    zero, kept = np.sort(order[:nullity]), fine[np.sort(order[nullity:])]
    index = int(np.sum(kept < 0))
    watched = min(index + nullity + 1, coarse.size)
    error = np.abs(coarse[:watched] - fine[:watched])
    null_size = float(np.max(np.abs(fine[zero]))) if nullity else 0.0
    # Each watched eigenvalue must keep its sign with room to spare; the zero ones must stay small.
    room = np.maximum(0.05 * np.abs(fine[:watched]), 1e-7)
    return GalerkinCount(
        modes=modes,
        index=index,
        eigenvalues=fine,
        null_size=null_size,
        margin=float(np.min(np.abs(kept))),
        settled=bool(np.all(error <= room)),
    )


def _quadrature(count: int) -> tuple[Array, Array, Array]:
    """Return Gauss-Legendre nodes and weights on [0, 1], and the matrix of running integrals.

    Row i of the matrix, applied to values at the nodes, gives the integral from 0 to node i of the
    interpolating polynomial.
    """
    if count not in _QUADRATURES:
        nodes, weights = legendre.leggauss(count)
        values = legendre.legvander(nodes, count)
        degrees = np.arange(count)
        # Coefficients of the interpolant, then the integral of P_k: (P_{k+1} - P_{k-1}) / (2k + 1).
        coefficients = (values[:, :count] * weights[:, None]).T * (degrees[:, None] + 0.5)
        running = np.empty((count, count))
        running[:, 0] = nodes + 1.0
        running[:, 1:] = (values[:, 2:] - values[:, : count - 1]) / (2.0 * degrees[1:] + 1.0)
        _QUADRATURES[count] = (0.5 * (nodes + 1.0), 0.5 * weights, 0.5 * running @ coefficients)
    return _QUADRATURES[count]


_QUADRATURES: dict[int, tuple[Array, Array, Array]] = {}
