"""Lowering: equations with markers become smooth ones in the unknowns and in positions.

Every switching function g_i gets a position s_i, 1 where g_i > 0 and 0 where g_i < 0; a marker
becomes its value in terms of s_i. Derivatives treat s as constant, which is exact on either side
and gives the convex combinations of Clarke and Filippov at g_i = 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import sympy as sp

from ..errors import SpecificationError
from .derivatives import engine_symbols, to_engine
from .markers import JUMPS, MARKERS, is_marker


@dataclass(frozen=True)
class _Ray:
    """A value that is ``left`` times a switching function g where g < 0, ``right`` times beyond."""

    kink: int
    left: sp.Expr
    right: sp.Expr

    def scaled(self, factor: sp.Expr) -> _Ray:
        return _Ray(self.kink, factor * self.left, factor * self.right)


def _bent(node: Any, children: Sequence[sp.Expr], ray: _Ray) -> _Ray | None:
    """Return a marker's value for an argument that is a ray; None if the slopes are no numbers."""
    if not (ray.left.is_comparable and ray.right.is_comparable):
        return None
    if isinstance(node, (MARKERS["maximum"], MARKERS["minimum"])):
        node = MARKERS["relu"]  # maximum(a, b) = b + relu(a - b)
        extra: tuple[sp.Expr, ...] = ()
    else:
        node, extra = node.func, tuple(children[1:])
        if not all(part.is_comparable for part in extra):
            return None
    return _Ray(ray.kink, -node(-ray.left, *extra), node(ray.right, *extra))


class Lowering:
    """Collects switching functions while it replaces markers.

    Parameters
    ----------
    taken : iterable of str
        Names that positions must not have.

    Attributes
    ----------
    switches : list of Expr
        The switching functions, those inside others first, in terms of x, parameters and positions.
    positions : list of Symbol
        Their positions.
    jumping : set of Symbol
        Positions that some marker uses with a jump.

    Notes
    -----
    Switching functions that agree up to a rational factor share a position: two positions for one
    kink would make every point on it degenerate.
    """

    def __init__(self, taken: Iterable[str]) -> None:
        taken = set(taken)
        self.stem = "position"
        while any(name.startswith(self.stem) for name in taken):
            self.stem += "_"
        self.switches: list[sp.Expr] = []
        self.positions: list[sp.Symbol] = []
        self.jumping: set[sp.Symbol] = set()
        self._known: dict[sp.Expr, int] = {}
        self._memory: dict[sp.Basic, sp.Basic] = {}
        self._rays: dict[sp.Expr, _Ray] = {}

    def __call__(self, expression: sp.Expr) -> sp.Expr:
        """Return the expression with every marker replaced, inner ones first."""
        memory = self._memory
        stack: list[tuple[Any, bool]] = [(expression, False)]
        while stack:
            node, ready = stack.pop()
            if node in memory:
                continue
            if not node.args:
                memory[node] = node
            elif not ready:
                stack.append((node, True))
                stack.extend((child, False) for child in reversed(node.args))
            else:
                children = [memory[child] for child in node.args]
                memory[node] = (
                    self._marker(node, children) if is_marker(node) else (node.func(*children))
                )
        return memory[expression]

    def _marker(self, node: Any, children: Sequence[sp.Expr]) -> sp.Expr:
        lowered = node.func(*children)
        if not is_marker(lowered):  # a number by now
            return lowered
        g = node.switching(*children)
        composed = self._composed(node, g, children)
        if composed is not None:
            return composed
        number, factor = self._number(g, node)
        plain = self.positions[number]
        if isinstance(node, JUMPS):
            self.jumping.add(plain)
        value = node.lowered(plain if factor > 0 else 1 - plain, *children)
        if not isinstance(node, JUMPS):
            self._remember(value, node, children, _Ray(number, factor, factor))
        return value

    def _composed(self, node: Any, g: sp.Expr, children: Sequence[sp.Expr]) -> sp.Expr | None:
        """Return a marker of a multiple of another marker's value: it has the same kink.

        As a kink of its own it would vanish wherever the inner one does, and every point there
        would be degenerate.
        """
        factor, rest = g.as_coeff_Mul()
        ray = self._rays.get(rest)
        if ray is None or isinstance(node, JUMPS):
            return None
        bent = _bent(node, children, _Ray(ray.kink, factor * ray.left, factor * ray.right))
        if bent is None:
            return None
        change = bent.right - bent.left
        value = (bent.left + change * self.positions[ray.kink]) * self.switches[ray.kink]
        if isinstance(node, MARKERS["maximum"]):
            return children[1] + value
        if isinstance(node, MARKERS["minimum"]):
            return children[0] - value
        if change != 0:
            self._rays[value.as_coeff_Mul()[1]] = bent.scaled(1 / value.as_coeff_Mul()[0])
        return value

    def _remember(self, value: sp.Expr, node: Any, children: Sequence[sp.Expr], ray: _Ray) -> None:
        """Note a marker's value that is a multiple of its switching function on either side."""
        bent = _bent(node, children, ray)
        factor, rest = value.as_coeff_Mul()
        if bent is not None and (len(children) == 1 or isinstance(node, MARKERS["leaky_relu"])):
            self._rays[rest] = bent.scaled(1 / factor)

    def _number(self, g: sp.Expr, node: Any) -> tuple[int, sp.Expr]:
        """Return the number of a switching function, new or known, and g as a multiple of it."""
        if not g.free_symbols:
            raise SpecificationError(
                "expression",
                node,
                "has a kink everywhere: its switching function is a constant.",
                "Remove it, or write the value you mean.",
            )
        factor, canonical = g.as_content_primitive()
        if -canonical in self._known:  # the first one met decides which way g points
            factor, canonical = -factor, -canonical
        if canonical not in self._known:
            self._known[canonical] = len(self.switches)
            self.positions.append(sp.Symbol(f"{self.stem}[{len(self.switches)}]"))
            self.switches.append(canonical)
        return self._known[canonical], factor

    def pruned(self, rows: Sequence[sp.Expr]) -> tuple[list[sp.Expr], list[sp.Symbol]]:
        """Return switches and positions that the rows depend on, directly or through others."""
        held = set().union(*(row.free_symbols for row in rows)) if rows else set()
        keep = []
        for k in reversed(range(len(self.switches))):
            if self.positions[k] in held:
                keep.append(k)
                held |= self.switches[k].free_symbols
        keep.reverse()
        return [self.switches[k] for k in keep], [self.positions[k] for k in keep]


def affine_in_jumps(row: sp.Expr, jumping: set[sp.Symbol]) -> sp.Expr:
    """Return a row that is affine in each position that jumps, equal to it at 0 and 1.

    Filippov's combination at a jump is that of the values on either side, so that step(g)**2 must
    become s and not s**2.
    """
    for symbol in sorted(jumping & row.free_symbols, key=str):
        (engine,) = to_engine([row])
        (wanted,) = engine_symbols([engine], [symbol])
        if engine.diff(wanted).diff(wanted) != 0:
            low, high = row.subs(symbol, 0), row.subs(symbol, 1)
            row = low + symbol * (high - low)
    return row
