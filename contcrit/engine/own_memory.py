"""Work arrays that no other thread's arrays share a cache line with.

Small arrays of several threads otherwise lie side by side in memory, and each write of one thread
costs the others their copy of the line.
"""

from __future__ import annotations

import math

import numpy as np

Array = np.ndarray

_LINE = 16
"""Doubles of two cache lines of 64 bytes, which processors may fetch as a pair."""


def separate(*shapes: tuple[int, ...]) -> list[Array]:
    """Return arrays of zeros in one piece of memory of their own.

    Parameters
    ----------
    *shapes : tuple of int
    """
    sizes = [math.prod(shape) for shape in shapes]
    memory = np.zeros(sum(sizes) + 2 * _LINE)
    begin = -(memory.ctypes.data // 8) % _LINE
    arrays = []
    for shape, size in zip(shapes, sizes, strict=True):
        arrays.append(memory[begin : begin + size].reshape(shape))
        begin += size
    return arrays
