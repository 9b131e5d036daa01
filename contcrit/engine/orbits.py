"""Orbits of symmetry groups: which points are copies of each other, and how far others are."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from ..errors import SpecificationError
from .gauge import acting_combinations, orbit_tangents

Array = np.ndarray

SAMPLES = 64
"""Samples of a closed one-parameter orbit for each oscillation of its fastest component."""

SAMPLES_MAXIMUM = 1024
"""Largest number of samples of one orbit, and of elements of a discrete group."""

MAPS_MAXIMUM = 4_000_000
"""Largest number of entries of sampled group elements that are kept."""


class SymmetryGroup:
    """A group of affine maps: continuous generators and discrete elements.

    Parameters
    ----------
    size : int
        Number n of unknowns.
    generators : ndarray of shape (k, n, n + 1), optional
        Affine generators [S | c]: the maps are exp(t g) with g(x) = S x + c.
    symmetries : iterable of ndarray of shape (n, n) or (n, n + 1), optional
        Discrete symmetries x -> A x (+ b); their products are added.

    Raises
    ------
    SpecificationError
        If a shape does not fit, or the discrete symmetries generate more than 1024 elements.

    Notes
    -----
    Distances are minimised from samples of the orbit by a damped Newton method in the group's
    exponential coordinates. For one generator whose orbits are closed the samples are dense
    enough for this to be the global minimum; for several generators, and for orbits that do not
    close, the result is an upper bound of the distance.
    """

    def __init__(
        self, size: int, generators: Array | None = None, symmetries: Iterable[Any] = ()
    ) -> None:
        self.size = size
        self.generators = _checked_generators(size, generators)
        self.elements = _closure(size, symmetries)
        self._coordinates = _sample_coordinates(self.generators)
        self._maps: Array | None = None
        if 0 < self._coordinates.shape[0] * size**2 <= MAPS_MAXIMUM:
            algebra = np.tensordot(self._coordinates, self.generators, axes=1)
            affine = np.concatenate([algebra, np.zeros((len(algebra), 1, size + 1))], axis=1)
            from scipy.linalg import expm  # slow to import

            self._maps = expm(affine)[:, :size]

    @property
    def is_trivial(self) -> bool:
        """Whether the identity is the only element."""
        return len(self.generators) == 0 and len(self.elements) == 1

    def tangents(self, x: Array) -> Array:
        """Return the tangents of the continuous orbit through x, shape (k, n)."""
        return orbit_tangents(self.generators, x)

    def orbit_dimension(self, x: Array) -> int:
        """Return the dimension of the continuous orbit through x."""
        return len(acting_combinations(self.generators, x))

    def move(self, coordinates: Array, x: Array) -> Array:
        """Return exp(sum_j coordinates_j g_j) x, by Taylor series over short steps."""
        generator = np.tensordot(coordinates, self.generators, axes=1)
        linear, constant = generator[:, :-1], generator[:, -1]
        size = max(
            float(np.max(np.abs(linear).sum(axis=1), initial=0.0)),
            0.0 if not np.any(linear) else 1e-3,
        )
        steps = max(1, int(np.ceil(2 * size)))
        result = np.array(x, dtype=float)
        for _ in range(steps):
            term = (linear @ result + constant) / steps
            total = term.copy()
            for order in range(2, 20):
                term = linear @ term / (steps * order)
                total += term
                if np.max(np.abs(term)) <= 1e-18 * np.max(np.abs(total)):
                    break
            result = result + total
        return result

    def images(self, x: Array) -> Array:
        """Return the images of x under the discrete elements, shape (e, n)."""
        return self.elements[:, :, :-1] @ x + self.elements[:, :, -1]

    def orbit_samples(self, x: Array) -> Array:
        """Return points of the continuous orbit of x, x itself first, shape (m, n)."""
        if self.orbit_dimension(x) == 0:
            return x[None, :]
        if self._maps is not None:
            return np.vstack([x, self._maps[:, :, :-1] @ x + self._maps[:, :, -1]])
        return np.vstack([x, *(self.move(coordinates, x) for coordinates in self._coordinates)])

    def copies(self, x: Array, tolerance: float = 1e-7) -> list[Array]:
        """Return the images of x that lie on different continuous orbits, x itself first."""
        kept: list[Array] = []
        samples: list[Array] = []
        near = tolerance * (1.0 + float(np.max(np.abs(x), initial=0.0)))
        for image in self.images(x):
            if all(self.nearest(image, known)[0] > near for known in samples):
                kept.append(image)
                samples.append(self.orbit_samples(image))
        return kept

    def samples(self, x: Array) -> Array:
        """Return points of the orbit of x under the whole group, x itself first, shape (m, n)."""
        return np.vstack([self.orbit_samples(copy) for copy in self.copies(x)])

    def nearest(self, x: Array, samples: Array, candidates: int = 3) -> tuple[float, Array]:
        """Return the distance from x to an orbit given by samples, and the nearest point on it."""
        distances = np.linalg.norm(samples - x, axis=1)
        order = np.argsort(distances, kind="stable")
        if len(self.generators) == 0:
            return float(distances[order[0]]), samples[order[0]]
        found = [self._descend(x, samples[k]) for k in order[:candidates]]
        return min(found, key=lambda pair: pair[0])

    def comes_near(self, x: Array, samples: Array, distance: float, candidates: int = 3) -> bool:
        """Tell whether an orbit given by samples passes x at less than a distance."""
        distances = np.linalg.norm(samples - x, axis=1)
        if distances.min() < distance:
            return True
        if len(self.generators) == 0:
            return False
        nearest = np.argsort(distances, kind="stable")[:candidates]
        return any(self._descend(x, samples[k], distance)[0] < distance for k in nearest)

    def distance(self, x: Array, y: Array) -> float:
        """Return the distance from x to the orbit of y."""
        return self.nearest(np.asarray(x, dtype=float), self.samples(np.asarray(y, dtype=float)))[0]

    def _descend(
        self, x: Array, y: Array, enough: float = 0.0, iterations: int = 200
    ) -> tuple[float, Array]:
        """Minimise |x - exp(tau g) y| over tau by Newton's method with halving.

        It ends where the distance falls below `enough`.
        """
        difference = x - y
        value = float(difference @ difference)
        linear = self.generators[:, :, :-1]
        for _ in range(iterations):
            tangents = self.tangents(y)
            slope = tangents @ difference
            gram = tangents @ tangents.T
            # Second derivatives of exp(tau g) y at 0, against the difference.
            bending = np.einsum("jab,lb,a->jl", linear, tangents, difference)
            curvature = gram - (bending + bending.T) / 2
            step = _descent_direction(curvature, gram, slope)
            # Newton's model holds for about a radian; longer steps would only be halved.
            reach = float(np.max(np.abs(np.tensordot(step, linear, axes=1)).sum(axis=1)))
            step = step / max(reach, 1.0)
            improved = False
            for _ in range(12):
                candidate = self.move(step, y)
                remaining = x - candidate
                new_value = float(remaining @ remaining)
                if new_value < value:
                    improved = True
                    break
                step = step / 2
            if not improved:
                break
            gain = value - new_value
            y, difference, value = candidate, remaining, new_value
            if gain <= 1e-15 * value or value < enough * enough:
                break
        return float(np.sqrt(value)), y


def orbit_distance(
    x: Array, y: Array, generators: Array | None = None, symmetries: Iterable[Any] = ()
) -> float:
    """Return the distance from x to the group orbit of y.

    Parameters
    ----------
    x, y : array_like of shape (n,)
        Two points.
    generators : ndarray of shape (k, n, n + 1), optional
        Affine generators [S | c] of the continuous symmetries.
    symmetries : iterable of ndarray of shape (n, n) or (n, n + 1), optional
        Discrete symmetries; their products are added.

    Returns
    -------
    float
        Euclidean distance; see `SymmetryGroup` for when it is only an upper bound.

    Raises
    ------
    SpecificationError
        If a shape does not fit.

    Examples
    --------
    >>> import numpy as np
    >>> rotation = np.array([[[0.0, -1.0, 0.0], [1.0, 0.0, 0.0]]])
    >>> round(orbit_distance([3.0, 4.0], [0.0, -2.0], rotation), 12)
    3.0
    """
    point = np.asarray(x, dtype=float)
    if point.ndim != 1 or np.shape(y) != point.shape:
        raise SpecificationError(
            "y", np.shape(y), "must be a vector as long as x.", "Give two points."
        )
    return SymmetryGroup(point.size, generators, symmetries).distance(point, np.asarray(y))


def _descent_direction(curvature: Array, gram: Array, slope: Array) -> Array:
    """Return Newton's step where the curvature is positive, else Gauss and Newton's.

    Both are taken among the directions that move the point: others are redundant there.
    """
    lengths, directions = np.linalg.eigh(gram)
    moving = lengths > 1e-10 * max(float(gram.trace()), 1e-300)
    basis = directions[:, moving]
    values, vectors = np.linalg.eigh(basis.T @ curvature @ basis)
    if np.all(values > 1e-8 * lengths[moving].max(initial=0.0)):
        return basis @ (vectors @ ((vectors.T @ (basis.T @ slope)) / values))
    return basis @ ((basis.T @ slope) / lengths[moving])


def _checked_generators(size: int, generators: Array | None) -> Array:
    if generators is None or np.size(generators) == 0:
        return np.zeros((0, size, size + 1))
    result = np.asarray(generators, dtype=float)
    if result.ndim != 3 or result.shape[1:] != (size, size + 1) or not np.all(np.isfinite(result)):
        raise SpecificationError(
            "generators",
            result.shape,
            f"must hold finite matrices [S | c] of shape ({size}, {size + 1}).",
            "Stack one for each generator.",
        )
    return result


def _closure(size: int, symmetries: Iterable[Any]) -> Array:
    """Return all products of affine maps, the identity first, shape (e, n, n + 1)."""
    last = np.zeros((1, size + 1))
    last[0, -1] = 1.0
    seeds = []
    for symmetry in symmetries:
        matrix = np.asarray(symmetry, dtype=float)
        if matrix.shape == (size, size):
            matrix = np.hstack([matrix, np.zeros((size, 1))])
        if matrix.shape != (size, size + 1) or not np.all(np.isfinite(matrix)):
            raise SpecificationError(
                "symmetries",
                matrix.shape,
                f"must be finite matrices of shape ({size}, {size}) or ({size}, {size + 1}).",
                "Give one matrix for each symmetry.",
            )
        if np.any(np.abs(np.abs(np.linalg.eigvals(matrix[:, :size])) - 1.0) > 1e-6):
            raise SpecificationError(
                "symmetries",
                matrix,
                "must have finite order, hence eigenvalues of modulus 1.",
                "Pass continuous symmetries as generators.",
            )
        seeds.append(np.vstack([matrix, last]))
    found = np.eye(size + 1)[None]
    position = 0
    while position < len(found):
        for seed in seeds:
            product = seed @ found[position]
            if np.min(np.max(np.abs(found - product), axis=(1, 2))) > 1e-9:
                found = np.concatenate([found, product[None]])
        position += 1
        if len(found) > SAMPLES_MAXIMUM:
            raise SpecificationError(
                "symmetries",
                len(seeds),
                f"must generate at most {SAMPLES_MAXIMUM} elements.",
                "Give symmetries of finite order, or pass continuous ones as generators.",
            )
    return found[:, :-1]


def _sample_coordinates(generators: Array) -> Array:
    """Return exponential coordinates at which orbits are sampled, shape (m, k)."""
    count = len(generators)
    if count == 0:
        return np.zeros((0, 0))
    spectra = [np.linalg.eigvals(generator[:, :-1]) for generator in generators]
    rates = np.array([max(float(np.max(np.abs(s), initial=0.0)), 0.0) for s in spectra])
    if count == 1:
        return _one_generator(spectra[0], rates[0])[:, None]
    # Rotations are covered by coordinates up to pi; pure translations need no samples at all.
    reach = np.where(rates > 1e-12, np.pi / np.maximum(rates, 1e-12), 0.0)
    from scipy.stats import qmc  # slow to import

    draws = qmc.Sobol(count, scramble=True, seed=0).random_base2(min(6 + count, 10))
    return (2 * draws - 1) * reach


def _one_generator(spectrum: Array, rate: float) -> Array:
    """Return group parameters that cover the orbits of one generator."""
    if rate <= 1e-12:
        return np.zeros(0)
    frequencies = np.abs(spectrum.imag)
    frequencies = frequencies[frequencies > 1e-9 * rate]
    if np.max(np.abs(spectrum.real)) <= 1e-9 * rate and frequencies.size:
        # The orbit closes after the period of the slowest component, where all are multiples.
        fastest, slowest = frequencies.max(), frequencies.min()
        count = min(int(np.ceil(SAMPLES * fastest / slowest)), SAMPLES_MAXIMUM)
        return np.arange(1, count) * (2 * np.pi / slowest / count)
    count = SAMPLES_MAXIMUM // 4
    reach = 8.0 / rate
    times = np.linspace(-reach, reach, count)
    return times[times != 0]
