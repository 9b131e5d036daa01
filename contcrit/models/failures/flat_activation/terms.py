"""The losses of a unit with a flat activation, as expressions."""

from __future__ import annotations

import numpy as np
import sympy as sp

from ....system import Array
from .laws import Sample, Staircase


def steps(stairs: Staircase) -> list[tuple[float, float]]:
    """Return height and threshold of each jump."""
    return [(float(D), float(z)) for D, z in zip(stairs.jumps, stairs.z[1:], strict=True)]


def outputs(sample: Sample, w: list[sp.Symbol]) -> list[sp.Expr]:
    """Return ``w . x`` for each input."""
    return [sp.Add(*(float(a) * symbol for a, symbol in zip(x, w, strict=True))) for x in sample.X]


def squared(sample: Sample, w: list[sp.Symbol], c: sp.Symbol) -> tuple[sp.Expr, list[sp.Expr]]:
    """Return the squared loss and its gradient."""
    u, gaps = _answers(sample, w, c)
    loss = sp.Add(*(gap**2 / 2 for gap in gaps)) / len(sample.X)
    slopes = [
        sp.Add(*(gap * sp.diff(one, symbol) for gap, one in zip(gaps, u, strict=True)))
        / len(sample.X)
        for symbol in w
    ]
    return loss, slopes


def matching(sample: Sample, w: list[sp.Symbol], c: sp.Symbol) -> tuple[sp.Expr, list[sp.Expr]]:
    """Return the matching loss and its gradient."""
    terms = []
    for r, label in zip(outputs(sample, w), sample.y, strict=True):
        terms.append((float(sample.stairs.z[0]) - float(label)) * r)
        terms += [
            jump * _ramp(c * (r - level), sample.stairs.smoothing) / c
            for jump, level in steps(sample.stairs)
        ]
    gaps = _answers(sample, w, c)[1]
    slopes = [
        sp.Add(*(float(x) * gap for x, gap in zip(column, gaps, strict=True))) / len(sample.X)
        for column in sample.X.T
    ]
    return sp.Add(*terms) / len(sample.X), slopes


def _answers(
    sample: Sample, w: list[sp.Symbol], c: sp.Symbol
) -> tuple[list[sp.Expr], list[sp.Expr]]:
    """Return the smoothed outputs u(w . x), and what they are beyond the labels."""
    stairs = sample.stairs
    u = [
        float(stairs.z[0])
        + sp.Add(*(D * _share(c * (r - z), stairs.smoothing) for D, z in steps(stairs)))
        for r in outputs(sample, w)
    ]
    return u, [one - float(label) for one, label in zip(u, sample.y, strict=True)]


def _share(t: sp.Expr, smoothing: str) -> sp.Expr:
    """Return the smoothed jump, in a form that does not overflow."""
    return (1 + (sp.tanh(t / 2) if smoothing == "logistic" else sp.erf(t / sp.sqrt(2)))) / 2


def _ramp(t: sp.Expr, smoothing: str) -> sp.Expr:
    """Return the integral of `_share`, in a form that does not overflow."""
    if smoothing == "logistic":
        size = sp.sqrt(t**2)  # never differentiated: the gradient is written with `_share`
        return (t + size) / 2 + sp.log(1 + sp.exp(-size))
    return t * _share(t, smoothing) + sp.exp(-(t**2) / 2) / sp.sqrt(2 * sp.pi)


def gaussian(stairs: Staircase, teacher: Array, w: list[sp.Symbol], c: sp.Symbol | None) -> sp.Expr:
    """Return the expected matching loss, up to a constant: E ramp(w . x - z) for each jump."""
    square = sp.Add(*(symbol**2 for symbol in w))
    spread = sp.sqrt(square if c is None else square + 1 / c**2)
    total = sp.S.Zero
    for jump, level in steps(stairs):
        # A smoothed probit jump is a sharp one with noise of variance 1 / c^2 in its argument.
        ratio = level / spread
        normal = spread * sp.exp(-(ratio**2) / 2) / sp.sqrt(2 * sp.pi)
        total += jump * (normal - level * (1 - sp.erf(ratio / sp.sqrt(2))) / 2)
    length = float(np.linalg.norm(teacher))
    pull = float(stairs.pull(length)) / length
    return total - sp.Add(*(pull * float(v) * symbol for v, symbol in zip(teacher, w, strict=True)))


def rotations(teacher: Array) -> list[Array]:
    """Return the generators of the rotations that fix the teacher."""
    basis = np.linalg.svd(teacher[None, :])[2][1:]
    return [
        np.outer(basis[i], basis[j]) - np.outer(basis[j], basis[i])
        for i in range(len(basis))
        for j in range(i)
    ]
