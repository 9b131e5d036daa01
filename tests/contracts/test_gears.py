"""Both gears run the same source: every validation problem comes out alike, to rounding."""

from __future__ import annotations

import inspect
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import contcrit as cc
from contcrit.errors import SpecificationError
from tests import strategies
from tests.contracts.gear_problems import GAUGED, LARGE, MATRIX, RUNS, Run

Array = np.ndarray
NATIVE = [name for name, run in RUNS.items() if not run.without_native]
PLAIN = [name for name, run in RUNS.items() if run.without_native]


def assert_alike(plain: cc.Branch, compiled: cc.Branch) -> None:
    """Assert that two branches have the same points, special points and ends, to rounding."""
    assert plain.status == compiled.status
    assert plain.z.shape == compiled.z.shape, (plain, compiled)
    np.testing.assert_allclose(compiled.z, plain.z, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(compiled.arclength, plain.arclength, rtol=1e-9, atol=1e-9)
    # A tangent is as well determined as the system that it solves is regular.
    apart = np.max(np.abs(compiled.tangent - plain.tangent), axis=1)
    largest, smallest = singular_values(plain)
    assert np.all(apart * smallest <= 1e-9 * (largest + smallest))
    assert plain.columns.keys() == compiled.columns.keys()
    for name in ("index", "unstable_dimension"):
        if name in plain.columns:
            told = counts_are_told(plain)
            np.testing.assert_array_equal(compiled.columns[name][told], plain.columns[name][told])
    kinds = [[special.kind for special in one.special_points] for one in (plain, compiled)]
    assert kinds[0] == kinds[1]
    for one, other in zip(plain.special_points, compiled.special_points, strict=True):
        np.testing.assert_allclose(other.z, one.z, rtol=1e-9, atol=1e-9)
        assert other.kernel_dimension == one.kernel_dimension


def counts_are_told(branch: cc.Branch) -> Array:
    """Tell at which points no eigenvalue in the unknowns is zero up to rounding, shape (m,)."""
    system = branch.source.compile(branch.parameter, branch.values)
    jacobians = np.array([_dense(system.jacobian(z))[:, :-1] for z in branch.z])
    singular = np.linalg.svd(jacobians, compute_uv=False)
    return singular[:, -1] > 1e-6 * singular[:, 0]


def singular_values(branch: cc.Branch) -> tuple[Array, Array]:
    """Return the largest and the smallest singular value of each tangent's system, shape (m,)."""
    system = branch.source.compile(branch.parameter, branch.values)
    bordered = [
        np.vstack([_dense(system.jacobian(z)), tangent])
        for z, tangent in zip(branch.z, branch.tangent, strict=True)
    ]
    singular = np.linalg.svd(np.array(bordered), compute_uv=False)
    return singular[:, 0], singular[:, -1]


def oriented_like(branch: cc.Branch, other: cc.Branch, mirrored: bool) -> cc.Branch:
    """Return the branch the way round, or the mirror image of it, that goes as the other does.

    The direction in which a branch leaves the point where it was entered is a free choice.
    """
    candidates = [branch, backwards(branch)]
    if mirrored:
        candidates += [exchanged(candidate) for candidate in candidates]
    way = slice(0, min(len(branch), len(other)))
    return min(candidates, key=lambda one: float(np.max(np.abs(one.z[way] - other.z[way]))))


def backwards(branch: cc.Branch) -> cc.Branch:
    return replace(
        branch,
        z=branch.z[::-1],
        tangent=-branch.tangent[::-1],
        arclength=(branch.arclength[-1] - branch.arclength)[::-1],
        columns={name: column[::-1] for name, column in branch.columns.items()},
        special_points=branch.special_points[::-1],
        status=branch.status[::-1],
    )


def exchanged(branch: cc.Branch) -> cc.Branch:
    """Return the branch with its two unknowns exchanged."""
    order = [1, 0, 2]
    return replace(
        branch,
        z=branch.z[:, order],
        tangent=branch.tangent[:, order],
        special_points=tuple(
            special.replace(z=special.z[order], tangent=special.tangent[order])
            for special in branch.special_points
        ),
    )


@pytest.mark.parametrize("name", NATIVE)
def test_both_gears_give_the_same_branches(name: str) -> None:
    plain, compiled = (RUNS[name].branches(gear) for gear in ("python", "native"))
    assert len(plain) == len(compiled) >= 1
    for one, other in zip(plain, compiled, strict=True):
        assert (one.provenance["gear"], other.provenance["gear"]) == ("python", "native")
        turned = oriented_like(other, one, RUNS[name].mirrored) if RUNS[name].crossing else other
        assert_alike(one, turned)


@pytest.mark.parametrize("name", PLAIN)
def test_what_has_no_machine_code_says_why(name: str) -> None:
    run = RUNS[name]
    problem = run.build()
    if run.without_native == GAUGED:
        # It walks in Python wherever a symmetry acts, whatever gear was asked for.
        assert len(problem.generators) > 0
        plain, asked = (run.branches(gear) for gear in ("python", "native"))
        for one, other in zip(plain, asked, strict=True):
            assert_alike(one, other)
        return
    system = problem.compile(run.parameter, _others(run, problem))
    assert system.native() is None
    assert {LARGE: system.size > 32, MATRIX: system.size > 25}[run.without_native]
    with pytest.raises(SpecificationError, match="gear"):
        run.branches("native")
    assert all(branch.provenance["gear"] == "python" for branch in run.branches("auto"))


def test_every_named_problem_is_run() -> None:
    problems = {
        name
        for name, function in inspect.getmembers(strategies, inspect.isfunction)
        if inspect.signature(function).return_annotation == "cc.Problem"
    }
    assert len(problems) >= 15
    assert problems <= set(RUNS)


def test_a_difference_beyond_rounding_is_seen() -> None:
    (branch,) = RUNS["fold"].branches("python")
    moved = branch.z.copy()
    moved[3, 0] += 1e-7
    with pytest.raises(AssertionError):
        assert_alike(branch, replace(branch, z=moved))
    turned = branch.tangent.copy()
    turned[3] += 1e-6
    with pytest.raises(AssertionError):
        assert_alike(branch, replace(branch, tangent=turned))
    with pytest.raises(AssertionError):
        assert_alike(branch, replace(branch, special_points=()))


def _dense(matrix: Any) -> Any:
    return matrix.toarray() if hasattr(matrix, "toarray") else matrix


def _others(run: Run, problem: Any) -> dict[str, float]:
    names = [name for name in problem.parameter_names if name != run.parameter]
    return {name: run.values.get(name, 0.0) for name in names}
