"""The array operations that matrix programs are made of, beside numpy's own."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

Array = np.ndarray


def transpose(a: Array) -> Array:
    """Return the transpose, or that of every matrix of a stack."""
    return a.swapaxes(-1, -2)


def signed_sum(negative: tuple[bool, ...], *terms: Any) -> Any:
    """Return the sum of terms, those marked taken negative."""
    result = -terms[0] if negative[0] else terms[0]
    for sign, term in zip(negative[1:], terms[1:], strict=True):
        result = result - term if sign else result + term
    return result


SUMS: dict[tuple[bool, ...], Callable[..., Any]] = {
    (False, False): np.add,
    (False, True): np.subtract,
}
"""Sums that are numpy's own, by which of their terms are negative."""


def assemble(shape: tuple[int, int], *entries: Any) -> Array:
    """Return the matrix, or stack of matrices, of the given entries."""
    if any(np.ndim(entry) == 3 for entry in entries):
        flat = np.stack(np.broadcast_arrays(*entries), axis=-1)
        return flat.reshape(-1, *shape)
    return np.array(entries).reshape(shape)


def entrywise(*factors: Array) -> Array:
    """Return the product, entry by entry."""
    return functools.reduce(np.multiply, factors)


def entrywise_sum(*terms: Any) -> Any:
    """Return the sum, entry by entry."""
    return functools.reduce(np.add, terms)


def value(shared: Any) -> Array:
    """Return the exponential itself."""
    return shared.value


def frechet(shared: Any, direction: Array) -> Array:
    """Return the exponential's derivative along a direction."""
    return shared.frechet(direction)


def frechet2(shared: Any, first: Array, second: Array) -> Array:
    """Return the exponential's second derivative along two directions."""
    return shared.frechet2(first, second)


def inverse(a: Array) -> Array:
    """Return the inverse, not finite where there is none."""
    # A singular matrix is a numerical event, reported as not finite rather than raised.
    try:
        return np.linalg.inv(a)
    except np.linalg.LinAlgError:
        return np.full(a.shape, np.nan)


# Scalars of stacks keep two axes of length one, so that they broadcast against stacks of matrices.
def trace(a: Array) -> Any:
    """Return the trace."""
    a = np.asarray(a)
    if a.ndim == 2:
        return np.trace(a)
    return np.trace(a, axis1=-2, axis2=-1)[..., None, None]


def determinant(a: Array) -> Any:
    """Return the determinant."""
    return np.linalg.det(a) if a.ndim == 2 else np.linalg.det(a)[..., None, None]


def entry(row: int, column: int, a: Array) -> Any:
    """Return one entry."""
    a = np.asarray(a)
    return a[row, column] if a.ndim == 2 else a[..., row, column][..., None, None]
