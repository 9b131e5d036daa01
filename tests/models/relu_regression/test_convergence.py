from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contcrit.errors import SpecificationError
from contcrit.executors import map_ordered
from contcrit.models.relu_regression.convergence import (
    L1_CORRECT,
    L1_PRINTED,
    L2_CORRECT,
    L2_PRINTED,
    Cell,
    compiled_descend,
    descend,
    draw,
    successes,
    trajectory_end,
)
from contcrit.models.relu_regression.losses import NORMS
from contcrit.models.relu_regression.theory import convergence_probability, solution
from tests.models.relu_regression.instances import reference, regressions


@given(
    regressions(signs=(-1, 1)), st.floats(0.0, 0.3), st.integers(1, 30), st.integers(0, 2**32 - 1)
)
def test_the_compiled_loop_is_gradient_descent(data, lam, steps, seed):
    start = np.random.default_rng(seed).standard_normal(data.dimension)
    w = start.copy()
    for _ in range(steps):
        w = w + 0.05 * data.field(w, lam)
    last, done = trajectory_end(data, start, lam, 0.05, steps)
    assert last == pytest.approx(w, rel=1e-9, abs=1e-12)
    assert done <= steps


@pytest.mark.parametrize("norm", NORMS)
def test_python_and_machine_code_agree(norm):
    data = reference(norm)
    ends = []
    for function in (descend, compiled_descend()):
        w = np.array([0.01, -0.02])
        function(data.X, data.targets, w, 0.1, NORMS.index(norm), 0.05, 300, 0.0)
        ends.append(w)
    assert ends[0] == pytest.approx(ends[1], rel=1e-12)


def test_descent_settles_at_the_solution():
    data = reference()
    last, done = trajectory_end(data, np.array([0.1, 0.1]), 0.01, 0.05, 100_000)
    assert last == pytest.approx(solution(data, 0.01), abs=1e-11)
    assert done < 100_000


def test_draws_are_those_of_theorem_5():
    cell = Cell(protocol=L2_PRINTED, d=3, N=4, lam=0.1)
    shares = []
    for run in range(400):
        drawn = draw(cell, run)
        radius = 0.1 * np.sqrt(2 * np.pi / 4) * np.linalg.norm(drawn.data.w_star)
        shares.append((np.linalg.norm(drawn.start) / radius) ** 3)
    # Uniform in the ball: the cube of the distance is uniform.
    assert max(shares) <= 1.0
    assert np.mean(shares) == pytest.approx(0.5, abs=4.5 / np.sqrt(12 * 400))
    again, other = draw(cell, 7), draw(replace(cell, lam=0.01), 7)
    assert np.array_equal(again.data.X, draw(cell, 7).data.X)
    assert not np.array_equal(again.data.X, other.data.X)


def test_results_do_not_depend_on_the_executor():
    cells = [
        Cell(protocol=p, d=2, N=10, lam=0.1, runs=20)
        for p in (replace(L2_PRINTED, steps=300), L1_PRINTED, L1_CORRECT)
    ]
    serial = map_ordered(None, successes, cells)
    with ThreadPoolExecutor(2) as pool:
        assert map_ordered(pool, successes, cells) == serial


@pytest.mark.parametrize("protocol", [L2_CORRECT, L1_CORRECT], ids=["l2", "l1"])
@pytest.mark.parametrize(("d", "N"), [(2, 10), (3, 20), (5, 20)])
def test_theorem_5_holds_with_the_correct_sign_and_small_lam(protocol, d, N):
    runs = 150
    p = convergence_probability(d, N, 0.1)
    found = successes(Cell(protocol=protocol, d=d, N=N, lam=0.001, runs=runs)) / runs
    assert found > p - 4 * np.sqrt(p * (1 - p) / runs)


def test_theorem_5_fails_with_the_printed_sign_beyond_its_lam():
    # As in the paper's bold numbers: d = 5, N = 20, lam = 0.1 converges far too seldom.
    runs = 150
    p = convergence_probability(5, 20, 0.1)
    found = successes(Cell(protocol=L2_PRINTED, d=5, N=20, lam=0.1, runs=runs)) / runs
    assert found < p - 4 * np.sqrt(p * (1 - p) / runs)


@pytest.mark.parametrize(
    "change", [{"target": "nowhere"}, {"steps": 0}, {"eta": -1.0}, {"norm": "l7"}]
)
def test_misuse_is_refused(change):
    with pytest.raises(SpecificationError):
        replace(L2_PRINTED, **change)
