"""Recompute the reference values with forty digits, independently of every tool compared.

``python studies/timing/recompute.py`` prints them; it needs mpmath, and scipy for the plane.
"""

from __future__ import annotations

from collections.abc import Callable

import mpmath as mp

mp.mp.dps = 40


def spiral_fold() -> tuple[mp.mpf, mp.mpf, mp.mpf]:
    """Return a, b and lam where the Jacobian of the spiral equation is singular on branch 1."""

    def system(a: mp.mpf, b: mp.mpf, lam: mp.mpf) -> list[mp.mpf]:
        grow, sine, cosine = mp.exp(a), mp.sin(b), mp.cos(b)
        determinant = (lam - grow * sine + 2 * grow**2) * (lam + grow * sine) - (grow * cosine) ** 2
        return [lam * a - grow * sine + grow**2, lam * b - grow * cosine, determinant]

    return tuple(mp.findroot(system, (-0.401, 6.958, 0.0752), tol=1e-30))


def shooting(interior: int) -> Callable[[mp.mpf, mp.mpf], list[mp.mpf]]:
    """Return u at the far end of the grid and its derivative along the first value.

    u_{i+1} = 2 u_i - u_{i-1} - h^2 lam e^{u_i} from u_0 = 0 and u_1 = h s.
    """
    mesh = mp.mpf(1) / (interior + 1)

    def ends(slope: mp.mpf, lam: mp.mpf) -> list[mp.mpf]:
        before, here = mp.mpf(0), mesh * slope
        before_slope, here_slope = mp.mpf(0), mesh
        for _ in range(interior):
            force = mesh**2 * lam * mp.exp(here)
            before, here = here, 2 * here - before - force
            step = (2 - force) * here_slope - before_slope
            before_slope, here_slope = here_slope, step
        return [here, here_slope]

    return ends


def grid_fold(interior: int) -> mp.mpf:
    """Return the fold of the Bratu equation on a grid."""
    # The secant iteration needs steps well above rounding.
    found = mp.findroot(shooting(interior), (mp.mpf("4.0"), mp.mpf("3.5138")), tol=1e-50)
    return found[1]


def main() -> None:
    a, b, lam = spiral_fold()
    print("spiral fold", mp.nstr(lam, 20), "at", mp.nstr(a, 20), mp.nstr(b, 20))
    t = mp.findroot(lambda t: t * mp.tanh(t) - 1, 1.2)
    continuum = 8 * t**2 / mp.cosh(t) ** 2
    print("Bratu fold, continuum", mp.nstr(continuum, 20))
    shifts = []
    for interior in (50, 99, 199, 399, 1000):
        fold = grid_fold(interior)
        mesh = mp.mpf(1) / (interior + 1)
        shifts.append((mesh, (fold - continuum) / mesh**2))
        print("Bratu fold,", interior, "points", mp.nstr(fold, 20))
    # (fold - continuum) / h^2 = c2 + c4 h^2 + c6 h^4: three meshes determine the three.
    chosen = shifts[1:4]
    matrix = mp.matrix([[1, mesh**2, mesh**4] for mesh, _ in chosen])
    second, fourth, _ = mp.lu_solve(matrix, mp.matrix([value for _, value in chosen]))
    print("Bratu shifts", mp.nstr(second, 15), mp.nstr(fourth, 10))
    for side in (25, 50, 100, 200):
        print("plane Bratu fold,", side, "points a side", repr(plane_fold(side)))


def plane_fold(side: int) -> float:
    """Return the fold on the unit square by Newton's method on the extended system."""
    import numpy as np
    import scipy.sparse as ss
    import scipy.sparse.linalg as sl

    mesh = 1 / (side + 1)
    line = ss.diags_array([1.0, -2.0, 1.0], offsets=[-1, 0, 1], shape=(side, side)) / mesh**2
    eye = ss.eye_array(side)
    laplace = (ss.kron(line, eye) + ss.kron(eye, line)).tocsc()
    grid = np.arange(1, side + 1) * mesh
    shape = np.outer(np.sin(np.pi * grid), np.sin(np.pi * grid)).ravel()
    u, v, lam = 1.39 * shape, shape.copy(), 6.8
    border = shape / (shape @ shape)
    for _ in range(60):
        growth = lam * np.exp(u)
        jacobian = (laplace + ss.diags_array(growth)).tocsc()
        factor = sl.splu(jacobian)
        # Block elimination of (F, J v, border v - 1) in the order u, v, lam.
        residual = laplace @ u + growth
        slope = np.exp(u)
        step_u, along_u = factor.solve(-residual), factor.solve(-slope)
        right = -(jacobian @ v) - growth * v * step_u
        along = -slope * v - growth * v * along_u
        step_v, along_v = factor.solve(right), factor.solve(along)
        change = (1 - border @ (v + step_v)) / (border @ along_v)
        u = u + step_u + change * along_u
        v = v + step_v + change * along_v
        lam += change
        if abs(change) < 1e-13 * lam:
            break
    return float(lam)


if __name__ == "__main__":
    main()
