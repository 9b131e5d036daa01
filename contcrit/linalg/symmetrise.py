"""Matrices that a diagonal scaling makes symmetric: their eigenvalues are real, and countable."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from scipy.sparse.csgraph import breadth_first_order, connected_components

from .patterned import Pattern, PatternedMatrix

Array = np.ndarray

_TOLERANCE = 1e-9


class _Tree(NamedTuple):
    """A spanning tree of a pattern: what each column's parent is, and the entry between them."""

    mirror: Array  # place of entry (j, i) for each entry (i, j)
    parents: Array  # of the root: itself
    places: Array  # of the entries (parent, column)
    roots: Array


def symmetrised(matrix: PatternedMatrix) -> PatternedMatrix | None:
    """Return the symmetric matrix that a square one is similar to by a positive diagonal, or None.

    With S = sqrt(D) A / sqrt(D) symmetric for a diagonal D > 0, A has the eigenvalues of S. It is
    so for discretised operators with reflecting boundaries, and for tridiagonal matrices whose
    opposite entries have one sign.

    Parameters
    ----------
    matrix : PatternedMatrix of shape (n, n)

    References
    ----------
    R. A. Horn and C. R. Johnson, Matrix Analysis, Cambridge 1985, section 4.6 (problem 15).

    Examples
    --------
    >>> import numpy as np
    >>> from scipy import sparse
    >>> from contcrit.linalg import pattern_of
    >>> matrix = pattern_of(sparse.csc_array(np.array([[1.0, 8.0], [2.0, 3.0]])))
    >>> symmetrised(matrix).toarray().tolist()
    [[1.0, 4.0], [4.0, 3.0]]
    """
    pattern = matrix.pattern
    assert pattern is not None
    tree = _tree_of(pattern)
    if tree is None:
        return None
    data = matrix.data
    product = data * data[tree.mirror]
    if not np.all(np.isfinite(product)) or np.any(product < 0):
        return None
    one_sided = (data != 0) != (data[tree.mirror] != 0)
    if np.any(one_sided):
        return None
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.log(np.abs(data[tree.places] / data[tree.mirror[tree.places]]))
    steps = np.where(np.isfinite(ratio), ratio, 0.0)
    steps[tree.parents == np.arange(pattern.size)] = 0.0
    # Sums along the way to the root, by doubling the reach of each column's ancestor.
    logarithm, ancestors = steps, tree.parents
    while np.any(ancestors != tree.roots):
        logarithm = logarithm + logarithm[ancestors]
        ancestors = ancestors[ancestors]
    means = np.copysign(np.sqrt(product), data)
    rows, columns = pattern.indices, pattern.columns
    expected = data * np.exp(0.5 * (logarithm[rows] - logarithm[columns]))
    if np.any(np.abs(expected - means) > _TOLERANCE * np.abs(means)):
        return None
    return matrix.like(means)


def _tree_of(pattern: Pattern) -> _Tree | None:
    kept: Any = pattern.__dict__.get("tree", False)
    if kept is False:
        kept = pattern.__dict__["tree"] = _build_tree(pattern) if pattern.symmetric else None
    tree: _Tree | None = kept
    return tree


def _build_tree(pattern: Pattern) -> _Tree | None:
    size = pattern.size
    parts, labels = connected_components(pattern.graph, directed=False)
    if parts > 20:
        return None
    parents = np.arange(size)
    for part in range(parts):
        root = int(np.argmax(labels == part))
        order, predecessors = breadth_first_order(pattern.graph, root, directed=False)
        parents[order[1:]] = predecessors[order[1:]]
    keys = pattern.columns * size + pattern.indices
    mirror = np.searchsorted(keys, pattern.indices * size + pattern.columns)
    places = np.searchsorted(keys, np.arange(size) * size + parents)
    places[parents == np.arange(size)] = 0
    roots = np.array([int(np.argmax(labels == part)) for part in range(parts)])[labels]
    return _Tree(mirror, parents, places, roots)
