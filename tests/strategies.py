"""Small named problems with known answers, and hypothesis strategies over them."""

from __future__ import annotations

import numpy as np
import sympy as sp
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import contcrit as cc

x, y, p = sp.symbols("x y p")

# ---- normal forms ------------------------------------------------------------------------------


def fold(kind: str = "equation") -> cc.Problem:
    """Return p = x^2, whose only special point is the fold at the origin."""
    return cc.Problem([p - x**2], [x], [p], kind=kind)


def transcritical() -> cc.Problem:
    """Return two lines x = 0 and x = p that cross at the origin."""
    return cc.Problem([p * x - x**2], [x], [p])


def pitchfork() -> cc.Problem:
    """Return x = 0 and p = x^2, which cross at the origin; from a potential."""
    return cc.Problem.from_potential(x**4 / 4 - p * x**2 / 2, [x], [p])


def hopf(frequency: float = 2.0) -> cc.Problem:
    """Return the Hopf normal form: the origin loses its stability at p = 0."""
    radius = x**2 + y**2
    return cc.Problem(
        [p * x - frequency * y - x * radius, frequency * x + p * y - y * radius], [x, y], [p]
    )


def flip() -> cc.Problem:
    """Return the flip normal form u -> -(1 + p) u + u^3: the period doubles at p = 0."""
    return cc.Problem([-(1 + p) * x + x**3], [x], [p], kind="map")


def logistic() -> cc.Problem:
    """Return u -> p u (1 - u), whose fixed point 1 - 1/p flips at p = 3."""
    return cc.Problem([p * x * (1 - x)], [x], [p], kind="map")


def henon(b: float = 0.3) -> cc.Problem:
    """Return the Henon map, whose fixed point flips at p = 3 (1 - b)^2 / 4."""
    return cc.Problem([1 - p * x**2 + y, b * x], [x, y], [p], kind="map")


def circle() -> cc.Problem:
    """Return x^2 + p^2 = 1: a closed loop with folds at p = -1 and p = 1."""
    return cc.Problem([x**2 + p**2 - 1], [x], [p], kind="equation")


def cubic() -> cc.Problem:
    """Return q + p x - x^3 in the parameters p and q."""
    return cc.Problem([sp.Symbol("q") + p * x - x**3], [x], [sp.Symbol("q"), p])


def linear(size: int = 3) -> cc.Problem:
    """Return x_k = (k + 1) p: one straight regular branch."""
    unknowns = sp.symbols(f"x0:{size}")
    rows = [unknown - (k + 1) * p for k, unknown in enumerate(unknowns)]
    return cc.Problem(rows, unknowns, [p], kind="equation")


def rotated_pitchfork(extra: int = 0) -> cc.Problem:
    """Return a potential of r^2 = x^2 + y^2 with the generator of its rotations.

    L = r^4/4 - p r^2/2 + sum_k c_k u_k^2/2 with c_k = (-1)^k (k + 1): critical at the origin and
    on the circles r^2 = p > 0, whose Morse-Bott index is the number of odd k.
    """
    others = sp.symbols(f"u0:{extra}") if extra else ()
    radius = x**2 + y**2
    potential = radius**2 / 4 - p * radius / 2
    potential += sum((-1) ** k * (k + 1) * u**2 / 2 for k, u in enumerate(others))
    field = [-y, x, *([sp.Integer(0)] * extra)]
    return cc.Problem.from_potential(potential, [x, y, *others], [p], generators=[field])


# ---- problems of the literature ---------------------------------------------------------------


def bratu(interior: int) -> cc.Problem:
    """Return the Bratu equation on `interior` points of the unit interval."""
    unknowns = sp.symbols(f"u1:{interior + 1}")
    values = [0, *unknowns, 0]
    lam = sp.Symbol("lam")
    rows = [
        (values[k - 1] - 2 * values[k] + values[k + 1]) * (interior + 1) ** 2
        + lam * sp.exp(values[k])
        for k in range(1, interior + 1)
    ]
    return cc.Problem(rows, unknowns, [lam])


def two_nodes() -> cc.Problem:
    """Return the Bratu equation on two nodes, with its exchange symmetry."""
    a = sp.Symbol("a")
    return cc.Problem([-2 * x + y + a * sp.exp(x), x - 2 * y + a * sp.exp(y)], [x, y], [a])


def reaction() -> cc.Problem:
    """Return the reaction A -> B in a stirred tank (AUTO's demonstration ``ab``)."""
    a, b, rate, heat = sp.symbols("u1 u2 D B")
    source = rate * (1 - a) * sp.exp(b)
    return cc.Problem([-a + source, -b + heat * source - 3 * b], [a, b], [rate, heat])


def harvested_predators() -> cc.Problem:
    """Return predator and harvested prey (AUTO's demonstration ``pp2``)."""
    u, v = sp.symbols("u v")
    return cc.Problem(
        [3 * u * (1 - u) - u * v - p * (1 - sp.exp(-5 * u)), -v + 3 * u * v], [u, v], [p]
    )


def enzymes() -> cc.Problem:
    """Return two coupled cells with substrate inhibition (AUTO's demonstration ``enz``)."""
    supply, one, two = sp.symbols("s0 s1 s2")

    def uptake(s: sp.Expr) -> sp.Expr:
        return 100 * s / (1 + s + s**2)

    return cc.Problem(
        [supply - one + (two - one) - uptake(one), supply - two + (one - two) - uptake(two)],
        [one, two],
        [supply],
    )


def lorenz() -> cc.Problem:
    """Return the Lorenz equations at sigma = 10, b = 8/3."""
    a, b, c = sp.symbols("x y z")
    rho = sp.Symbol("rho")
    return cc.Problem(
        [10 * (b - a), rho * a - b - a * c, a * b - sp.Rational(8, 3) * c], [a, b, c], [rho]
    )


def brusselator() -> cc.Problem:
    """Return the Brusselator at A = 2."""
    b = sp.Symbol("B")
    return cc.Problem([2 - (b + 1) * x + x**2 * y, b * x - x**2 * y], [x, y], [b])


def repeated_crossings(largest: int = 5) -> cc.Problem:
    """Return -x + lam L x - x^3 with L holding 1/i repeated i times: kernels of dimension i."""
    lam = sp.Symbol("lam")
    rates = [sp.Rational(1, i) for i in range(1, largest + 1) for _ in range(i)]
    unknowns = sp.symbols(f"x0:{len(rates)}")
    rows = [-u + lam * rate * u - u**3 for u, rate in zip(unknowns, rates, strict=True)]
    return cc.Problem(rows, unknowns, [lam])


def chain(depth: int, strength: float = 1.0) -> cc.Problem:
    """Return the scalar network of `depth` weights with ridge lam and target `strength`."""
    lam = sp.Symbol("lam")
    weights = sp.symbols(f"w1:{depth + 1}")
    error = sp.prod(weights) - sp.nsimplify(strength)
    ridge = sum(weight**2 for weight in weights)
    return cc.Problem.from_potential(error**2 / 2 + lam * ridge / 2, weights, [lam])


def two_layers(strengths: tuple[int, ...] = (3, 2, 1)) -> cc.Problem:
    """Return the linear network W2 W1 of width 2 with ridge and its group of rotations."""
    lam = sp.Symbol("lam")
    size = len(strengths)
    first = sp.Matrix(2, size, sp.symbols(f"a0:{2 * size}"))
    second = sp.Matrix(size, 2, sp.symbols(f"b0:{2 * size}"))
    error = second * first - sp.diag(*strengths)
    potential = sum(e**2 for e in error) / 2
    potential += lam * (sum(w**2 for w in first) + sum(w**2 for w in second)) / 2
    turn = sp.Matrix([[0, -1], [1, 0]])
    field = [*(turn * first), *(-second * turn)]
    return cc.Problem.from_potential(
        potential, {"W1": first, "W2": second}, [lam], generators=[field]
    )


# ---- strategies --------------------------------------------------------------------------------


@st.composite
def orthogonal_matrices(draw: st.DrawFn, size: int) -> np.ndarray:
    """Draw an orthogonal matrix."""
    entries = draw(
        hnp.arrays(float, (size, size), elements=st.floats(-1, 1, allow_subnormal=False))
    )
    return np.linalg.qr(entries + 3 * np.diag(np.arange(1, size + 1)))[0]


SLOPES = (
    (sp.Rational(-4, 3), sp.Rational(-2, 3), sp.Rational(1, 3), sp.Rational(1)),
    (sp.Rational(-5, 7), sp.Rational(-1, 7), sp.Rational(2, 7), sp.Rational(8, 7)),
    (sp.Rational(-6, 5), sp.Rational(-1, 5), sp.Rational(3, 5), sp.Rational(4, 5)),
)
"""How unknowns may depend on p: no two alike, so that no symmetry but the intended one is drawn."""


@st.composite
def quartic_potentials(draw: st.DrawFn, size: int = 2) -> tuple[sp.Expr, tuple[sp.Symbol, ...]]:
    """Draw a quartic potential of up to three unknowns that grows in every direction.

    Half of them are even in the last unknown, whose pitchforks are then met along its zero.
    """
    unknowns = sp.symbols(f"x0:{size}")
    small = st.integers(-4, 4).map(lambda k: sp.Rational(k, 4))
    even = draw(st.booleans())
    last = unknowns[-1]
    potential = sum(u**4 for u in unknowns) / 4
    for i, one in enumerate(unknowns):
        for other in unknowns[i:]:
            if not (even and other is last and one is not last):
                potential += draw(small) * one * other
        if not (even and one is last):
            potential += draw(st.sampled_from(SLOPES[i])) * p * one
    if even:
        potential += draw(st.sampled_from([-1, 1])) * sp.Rational(1, 2) * unknowns[0] * last**2
    return potential, unknowns
