"""Degenerate borders: a path through them by symbolic perturbation, one kink at a time.

Where several margins vanish together, and stay zero along modes of the point, first derivatives
leave the next mode open: multipliers that are not unique, or solutions that fill a set at one
parameter value. With F + epsilon q and g + epsilon r for generic q and r and infinitesimal epsilon
every border is one kink's, and the path through the point is found by pivoting, as in the
complementary pivoting of linear complementarity problems. The limit of that path is a branch of
the problem itself: its points solve the equations of their mode.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...system import Family, Mode, ModeLayout
from .border import TIE, TRANSVERSAL, HalfBranch, moves, probe, silent_at, tangent_of
from .pivot import next_end

Array = np.ndarray

_PIVOTS = 400
"""Pivots at one point of (x, positions, parameter)."""

_ROUNDS = 60
"""Points at which positions alone move on."""

_FLAT = 1e-9
"""Rates of margins below this share of the direction's length are zero to first order."""


@dataclass(frozen=True, eq=False)
class Passage:
    """A path through a degenerate border.

    Parameters
    ----------
    successor : HalfBranch or None
        Where the branch goes on.
    pivots : tuple of (int, int)
        The kinks that changed, with their new sides (0 where held), in order.
    reason : str
        Why there is no successor, if there is none.
    dimension : int
        Largest dimension of the set of solutions at the same parameter value that the successor
        moves in; 0 where it moves with the parameter.
    """

    successor: HalfBranch | None
    pivots: tuple[tuple[int, int], ...] = ()
    reason: str = ""
    dimension: int = 0


def pass_through(
    family: Family, mode: Mode, full: Array, active: Array, arriving: Array
) -> Passage:
    """Follow the perturbed path that arrives in one mode until it leaves the point.

    Parameters
    ----------
    family : Family
    mode : tuple of int
        The mode that the branch arrives in.
    full : ndarray of shape (n + m + 1,)
        The point (x, positions, parameter).
    active : ndarray of int
        Kinks whose switching function vanishes there.
    arriving : ndarray of shape (n + m + 1,)
        The direction in which the branch arrives.

    Returns
    -------
    Passage
        Its successor was verified: a point a little further along it solves the mode's equations,
        and lies inside the mode.

    References
    ----------
    R. W. Cottle, J.-S. Pang and R. E. Stone, The Linear Complementarity Problem, 1992, section 4.9
    (lexicographic resolution of degeneracy).
    B. C. Eaves, A short course in solving equations with PL homotopies, 1976.
    """
    n = family.size
    full, direction = full.copy(), arriving / np.linalg.norm(arriving)
    pivots: list[tuple[int, int]] = []
    for _ in range(_ROUNDS):
        awake = np.array([k for k in active if not silent_at(family, full)[k]], dtype=np.int64)
        local = _Local(family, full, awake)
        found = local.leave(mode, direction)
        if isinstance(found, str):
            return Passage(None, tuple(pivots), found)
        mode, direction, changed = found
        pivots.extend(changed)
        layout = ModeLayout(n, mode)
        if moves(n, direction):
            half = HalfBranch(mode, full, direction)
            inside = probe(family, layout, full, direction)
            if inside is None or np.any(inside < -TIE):
                return Passage(None, tuple(pivots), "the successor could not be verified")
            return Passage(half, tuple(pivots), "", _dimension(family, layout, full, direction))
        reached = next_end(family, layout, full, direction)
        if reached is None:
            return Passage(None, tuple(pivots), "positions that move alone reach no end")
        full = reached
    return Passage(None, tuple(pivots), f"no way out within {_ROUNDS} moves of the positions")


class _Local:
    """The first-order problem at one point: which margins vanish there, and the perturbation."""

    def __init__(self, family: Family, full: Array, active: Array) -> None:
        self.n = family.size
        self.full = full
        self.jacobian = family.expansion(full)[1]
        positions = full[self.n : -1]
        self.corners = [int(k) for k in active if positions[k] <= TIE or positions[k] >= 1.0 - TIE]
        self.inward = np.where(positions < 0.5, 1.0, -1.0)
        rows = self.jacobian[self.n :].copy()
        self.lengths = np.maximum(np.linalg.norm(rows, axis=1), 1e-300)
        # The same perturbation at every point of a family: the path is one curve.
        generator = np.random.default_rng(19)
        self.tilt = generator.uniform(0.5, 1.5, self.n) * generator.choice([-1.0, 1.0], self.n)
        self.shift = generator.uniform(0.5, 1.5, len(positions))
        self.shift *= generator.choice([-1.0, 1.0], len(positions))

    def leave(self, mode: Mode, arriving: Array) -> tuple[Mode, Array, list[tuple[int, int]]] | str:
        """Return mode and direction in which the path leaves, and its pivots; or why not."""
        sides = list(mode)
        layout = ModeLayout(self.n, mode)
        own = tangent_of(self.jacobian, layout)
        place = self._base(layout)
        if own is None or place is None:
            return "the equations of the mode that ends there do not make a curve"
        arriving = own if float(own @ arriving) > 0 else -own
        values, rates = self._margins(sides, place), self._margins(sides, arriving, False)
        if np.any(rates > _FLAT):
            return "the branch does not arrive from inside its mode"
        still = np.abs(rates) <= _FLAT
        if np.any(values[still] <= 0.0):
            place = self._adapted(layout, place, np.flatnonzero(still))
            values = self._margins(sides, place)
        # Far back on the ray every margin that closes is positive.
        direction, behind = arriving, True
        pivots: list[tuple[int, int]] = []
        for _ in range(_PIVOTS):
            closing = np.flatnonzero(rates < -_FLAT)
            if closing.size == 0:
                return tuple(sides), direction, pivots
            times = values[closing] / -rates[closing]
            first = int(closing[np.argmin(times)])
            time = float(np.min(times)) if behind else max(float(np.min(times)), 0.0)
            place, behind = place + time * direction, False
            kink = self.corners[first]
            sides[kink] = int(-self.inward[kink]) if sides[kink] == 0 else 0
            pivots.append((kink, sides[kink]))
            tangent = tangent_of(self.jacobian, ModeLayout(self.n, tuple(sides)))
            if tangent is None:
                return f"the equations with kinks {_held(sides)} held do not make a curve"
            rate = float(self._margins(sides, tangent, False)[first])
            if abs(rate) <= TRANSVERSAL:
                return f"kink {kink} neither opens nor closes along the mode that takes over"
            direction = tangent if rate > 0 else -tangent
            values = np.maximum(self._margins(sides, place), 0.0)
            values[first] = 0.0
            rates = self._margins(sides, direction, False)
        return f"no way out within {_PIVOTS} pivots"

    def _base(self, layout: ModeLayout) -> Array | None:
        """Return a solution of the perturbed equations of a mode, to first order."""
        matrix = self.jacobian[np.ix_(layout.rows, layout.columns)]
        right = -np.append(self.tilt, (self.shift * self.lengths)[layout.free])
        found = np.linalg.lstsq(matrix, right, rcond=None)[0]
        if np.max(np.abs(matrix @ found - right)) > 1e-7 * (1.0 + np.max(np.abs(found))):
            return None
        return layout.full_direction(found)

    def _adapted(self, layout: ModeLayout, place: Array, still: Array) -> Array:
        """Change the perturbation so that margins which stay zero along the branch are positive."""
        generator = np.random.default_rng(19)
        place = place.copy()
        for position in still:
            kink = self.corners[int(position)]
            if layout.mode[kink] == 0:
                place[self.n + kink] = self.inward[kink] * generator.uniform(0.5, 1.5)
        self.tilt = -self.jacobian[: self.n] @ place
        slopes = (self.jacobian[self.n :] @ place) / self.lengths
        self.shift[layout.free] = -slopes[layout.free]
        for position in still:
            kink = self.corners[int(position)]
            if layout.mode[kink] != 0:
                self.shift[kink] = layout.mode[kink] * generator.uniform(0.5, 1.5) - slopes[kink]
        return place

    def _margins(self, sides: list[int], place: Array, shifted: bool = True) -> Array:
        """Return the vanishing margins at a place, or their rates along a direction."""
        found = np.empty(len(self.corners))
        for position, k in enumerate(self.corners):
            if sides[k] == 0:
                found[position] = self.inward[k] * place[self.n + k]
            else:
                slope = float(self.jacobian[self.n + k] @ place) / self.lengths[k]
                found[position] = sides[k] * (slope + (self.shift[k] if shifted else 0.0))
        return found


def _held(sides: list[int]) -> list[int]:
    return [k for k, side in enumerate(sides) if side == 0]


def _dimension(family: Family, layout: ModeLayout, full: Array, direction: Array) -> int:
    """Return how many directions at a fixed parameter keep F and the kinks held within an edge."""
    if abs(direction[-1]) > _FLAT * float(np.linalg.norm(direction)):
        return 0
    n = layout.size
    jacobian = family.expansion(full)[1]
    inside = [n + int(k) for k in layout.free if TIE < full[n + k] < 1.0 - TIE]
    rows = np.vstack([jacobian[:n, :n], jacobian[inside, :n]])
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    values = np.linalg.svd(rows / np.where(lengths > 1e-10, lengths, np.inf), compute_uv=False)
    return n - int(np.sum(values > 1e-8))
