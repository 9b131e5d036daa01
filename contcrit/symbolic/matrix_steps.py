"""Matrix programs as numbers: one function carries out any of them, as Python or machine code.

What it does not know at compile time, sizes and steps alike, it reads from an array, so that one
piece of machine code, kept on disk, serves all equations. Values lie in one flat workspace:
matrices row-major, and linear maps of matrices ``V(H)`` as ``V[i, j, k]``, entry (i, j) of the
value along the k-th unit direction.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

Array = np.ndarray

COPY, NEGATE, ADD, SUBTRACT, TIMES, SCALE = range(6)
PRODUCT, RIGHT, TRANSPOSE, EXPONENTIAL, STORE = range(6, 11)
"""Operations of a program; `run` says what they do."""

WIDTH = 7
"""Numbers of one step: its operation, and up to six of its own."""

HEADER = 6
"""Numbers before the steps: lengths of all data, outputs, inputs, workspace; steps; constants."""


def run(out: Array, inputs: Array, data: Array) -> None:
    """Carry out a program.

    Parameters
    ----------
    out : ndarray
        Written by the steps `STORE`.
    inputs : ndarray
        Copied to the beginning of the workspace.
    data : ndarray
        The header, the steps, the constants and the tables that exponentials need: the largest norm
        that their Taylor sums serve, how many powers these have, how many nodes the quadrature has,
        its weights, and Taylor coefficients for each node and for 1. Constants stand in the
        workspace behind the inputs.

    Notes
    -----
    Numbers of a step are places in the workspace and lengths. ``COPY``, ``NEGATE``, ``ADD``,
    ``SUBTRACT`` and ``TIMES`` (to, from, length) write or change entries; ``SCALE`` (to, factor,
    from, length); ``PRODUCT`` (to, left, right, rows, inner, columns); ``RIGHT`` (to, map, matrix,
    rows, directions) is the map times a matrix; ``TRANSPOSE`` (to, from, rows, directions);
    ``EXPONENTIAL`` (to, derivative, argument, rows, scratch); ``STORE`` (place in out, from, rows,
    columns, distance between rows in out).
    """
    room, count, constants = int(data[3]), int(data[4]), int(data[5])
    work = np.empty(room)
    work[: inputs.size] = inputs
    first = HEADER + WIDTH * count
    work[inputs.size : inputs.size + constants] = data[first : first + constants]
    tables = first + constants
    for position in range(HEADER, first, WIDTH):
        operation = int(data[position])
        a, b, c = int(data[position + 1]), int(data[position + 2]), int(data[position + 3])
        d, e, f = int(data[position + 4]), int(data[position + 5]), int(data[position + 6])
        if operation <= TIMES:
            combine(operation, work[a : a + c], work[b : b + c])
        elif operation == SCALE:
            scale(work[a : a + d], work[b], work[c : c + d])
        elif operation == PRODUCT:
            multiply(block(work, a, d, f), block(work, b, d, e), block(work, c, e, f))
        elif operation == RIGHT:
            work[a : a + d * d * e] = 0.0
            add_right(linear(work, a, d, e), linear(work, b, d, e), block(work, c, d, d))
        elif operation == TRANSPOSE:
            flip(linear(work, a, c, d), linear(work, b, c, d))
        elif operation == EXPONENTIAL:
            exponentiate(work, a, b, c, d, e, data[tables:])
        elif operation == STORE:
            for i in range(c):
                out[a + i * e : a + i * e + d] = work[b + i * d : b + i * d + d]


def block(work: Array, place: int, rows: int, columns: int) -> Array:
    """Return a matrix that stands in the workspace."""
    return work[place : place + rows * columns].reshape(rows, columns)


def linear(work: Array, place: int, rows: int, directions: int) -> Array:
    """Return a map that stands in the workspace."""
    length = rows * rows * directions
    return work[place : place + length].reshape(rows, rows, directions)


def combine(operation: int, to: Array, source: Array) -> None:
    """Bring in one term."""
    count = to.size
    if operation == COPY:
        for i in range(count):
            to[i] = source[i]
    elif operation == NEGATE:
        for i in range(count):
            to[i] = -source[i]
    elif operation == ADD:
        for i in range(count):
            to[i] += source[i]
    elif operation == SUBTRACT:
        for i in range(count):
            to[i] -= source[i]
    else:
        for i in range(count):
            to[i] *= source[i]


def scale(to: Array, factor: float, source: Array) -> None:
    """Write a multiple."""
    for i in range(to.size):
        to[i] = factor * source[i]


def multiply(to: Array, left: Array, right: Array) -> None:
    """Write the product of two matrices."""
    rows, inner = left.shape
    columns = right.shape[1]
    for i in range(rows):
        for j in range(columns):
            to[i, j] = left[i, 0] * right[0, j]
        for k in range(1, inner):
            factor = left[i, k]
            for j in range(columns):
                to[i, j] += factor * right[k, j]


def add_right(to: Array, source: Array, matrix: Array) -> None:
    """Add a map times a matrix to a map."""
    rows, _, directions = source.shape
    for i in range(rows):
        for k in range(rows):
            for j in range(rows):
                factor = matrix[k, j]
                for h in range(directions):
                    to[i, j, h] += factor * source[i, k, h]


def flip(to: Array, source: Array) -> None:
    """Write the transposes."""
    rows, _, directions = source.shape
    for i in range(rows):
        for j in range(rows):
            for h in range(directions):
                to[j, i, h] = source[i, j, h]


def exponentiate(
    work: Array, to: int, derivative: int, argument: int, rows: int, scratch: int, tables: Array
) -> None:
    """Write the exponential of a matrix, and the map of its derivative.

    Both are taken of a small multiple of the matrix, and doubled: ``exp(2 X) = exp(X)^2`` and
    ``L(2 X, 2 H) = exp(X) L(X, 2 H) + L(X, 2 H) exp(X)``.
    """
    n = rows * rows
    square = 0.0
    for entry in work[argument : argument + n]:
        square += entry * entry
    norm = math.sqrt(square)
    if not math.isfinite(norm):
        work[to : to + n] = math.nan
        work[derivative : derivative + n * n] = math.nan
        return
    doublings, factor = 0, 1.0
    while norm * factor > tables[0]:
        doublings += 1
        factor *= 0.5
    count, nodes = int(tables[1]), int(tables[2])
    weights = tables[3 : nodes + 3]
    series = block(tables, nodes + 3, nodes + 1, count)
    powers = block(work, scratch, count, n)
    flows = block(work, scratch + powers.size, nodes + 3, n)
    spare = linear(work, scratch + powers.size + flows.size, rows, n)
    result = linear(work, derivative, rows, n)
    powers[0] = 0.0
    for i in range(rows):
        powers[0, i * rows + i] = 1.0
    scale(powers[1], factor, work[argument : argument + n])
    one = powers[1].reshape(rows, rows)
    for k in range(2, count):
        multiply(powers[k].reshape(rows, rows), powers[k - 1].reshape(rows, rows), one)
    # Exponentials at the nodes and at 1.
    multiply(flows[: nodes + 1], series, powers)
    for q in range(nodes):
        weights_times = factor * weights[q]
        add_outer(
            result, weights_times, flows[q].reshape(rows, rows),
            flows[nodes - 1 - q].reshape(rows, rows), q == 0,
        )  # fmt: skip
    value, other = nodes, nodes + 1
    for _ in range(doublings):
        here = flows[value].reshape(rows, rows)
        multiply(spare.reshape(rows, rows * n), here, result.reshape(rows, rows * n))
        add_right(spare, result, here)
        multiply(flows[other].reshape(rows, rows), here, here)
        value, other = other, value
        result, spare = spare, result
    work[to : to + n] = flows[value]
    if doublings % 2 == 1:
        spare[:] = result


def add_outer(to: Array, weight: float, ahead: Array, behind: Array, anew: bool) -> None:
    """Add the values ``ahead[:, r] behind[s, :]`` along all unit directions (r, s) to a map."""
    rows = ahead.shape[0]
    for i in range(rows):
        for j in range(rows):
            for r in range(rows):
                share = weight * ahead[i, r]
                for s in range(rows):
                    term = share * behind[s, j]
                    if anew:
                        to[i, j, r * rows + s] = term
                    else:
                        to[i, j, r * rows + s] += term


def scratch_room(rows: int, nodes: int, count: int) -> int:
    """Return how many numbers `exponentiate` needs besides."""
    n = rows * rows
    return (count + nodes + 3) * n + n * n


def entry(out: Any, inputs: Any, data: Any) -> None:
    """Carry out a program whose arrays are given by their addresses, as compiled code has them."""
    header = at_address(data, HEADER)
    run(
        at_address(out, int(header[1])),
        at_address(inputs, int(header[2])),
        at_address(data, int(header[0])),
    )


def at_address(pointer: Any, length: int) -> Any:
    """Return an array of numbers at an address; in compiled code only."""
    raise TypeError(f"{length} numbers at {pointer} can be read by compiled code only.")
