"""The inertia of a small symmetric matrix, by the signs of its pivots."""

from __future__ import annotations

import numpy as np

Array = np.ndarray

_SHARE = (1.0 + 17.0**0.5) / 8.0
"""Share of the largest entry that a diagonal one must reach to be the pivot: least growth."""


def inertia_by_pivots(matrix: Array) -> tuple[int, int, int]:
    """Count negative, zero and positive eigenvalues by L D L^T with complete pivoting.

    Zero counts what is left once every entry is exactly zero. Meant for matrices of some twenty
    rows: each step searches all that is left.

    Parameters
    ----------
    matrix : ndarray of shape (n, n)
        Symmetric and finite.

    References
    ----------
    J. R. Bunch and B. N. Parlett, Direct methods for solving symmetric indefinite systems of linear
    equations, SIAM J. Numer. Anal. 8 (1971), 639-655.

    Examples
    --------
    >>> import numpy as np
    >>> inertia_by_pivots(np.array([[0.0, 2.0, 0.0], [2.0, 0.0, 0.0], [0.0, 0.0, 5.0]]))
    (1, 0, 2)
    """
    rest = np.array(matrix, dtype=float)
    negative = positive = 0
    while len(rest):
        moduli = np.abs(rest)
        place = int(np.argmax(moduli.diagonal()))
        on_diagonal = moduli[place, place]
        np.fill_diagonal(moduli, 0.0)
        first, second = divmod(int(np.argmax(moduli)), len(rest))
        beside = moduli[first, second]
        if on_diagonal == 0.0 and beside == 0.0:
            break
        if on_diagonal >= _SHARE * beside:
            pivot = rest[place, place]
            column = np.delete(rest[place], place)
            rest = np.delete(np.delete(rest, place, 0), place, 1)
            rest = rest - np.multiply.outer(column / pivot, column)
            negative, positive = negative + (pivot < 0), positive + (pivot > 0)
        else:
            # So chosen, the block's determinant is negative: one eigenvalue on either side. Divided
            # by the entry beside its diagonal, it neither overflows nor vanishes.
            pair = [first, second]
            beside = rest[first, second]
            a, c = rest[first, first] / beside, rest[second, second] / beside
            adjugate = np.array([[c, -1.0], [-1.0, a]])
            columns = np.delete(rest[pair], pair, 1)
            rest = np.delete(np.delete(rest, pair, 0), pair, 1)
            rest = rest - columns.T @ (adjugate @ (columns / (beside * (a * c - 1.0))))
            negative, positive = negative + 1, positive + 1
    return int(negative), len(rest), int(positive)
