from __future__ import annotations

import numpy as np
import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from contcrit.models.local_linear.law import learn
from contcrit.models.local_linear.theory import (
    H,
    corner_data,
    dead_neuron,
    grazing_level,
    path_distance,
    polygon,
    theorem_2_counterexample,
    worked_case,
    worked_data,
)

PLANE = st.lists(st.floats(-3, 3, allow_subnormal=False), min_size=2, max_size=2)


def test_the_worked_case_in_closed_form():
    known = worked_case()
    cost = {name: sp.factor(family.cost) for name, family in known.items()}
    assert cost["2+2"] == 0 and cost["3+1"] == sp.Rational(1, 7)
    assert sp.simplify(cost["1+3"] - (H - 1) ** 2 / 7) == 0
    assert sp.simplify(cost["4+0"] - (7 * H**2 - 8 * H + 8) / 40) == 0
    assert [known[n].lowest for n in ("2+2", "1+3", "3+1")] == [
        1,
        sp.Rational(-4, 3),
        sp.Rational(4, 7),
    ]
    assert sp.simplify(known["1+3"].end + (H + 6) / 7) == 0
    assert sp.simplify(known["1+3"].end_error - (1 - H) / 7) == 0
    assert sp.simplify(known["3+1"].end - (H - sp.Rational(6, 7))) == 0
    assert known["3+1"].end_error == -sp.Rational(1, 7)


def test_families_meet_at_their_border_collisions():
    known = worked_case()
    for name, other in (("2+2", "1+3"), ("1+3", "4+0"), ("3+1", "4+0")):
        at = known[name].lowest
        assert known[name].cost.subs(H, at) == known[other].cost.subs(H, at)
        if other == "4+0":  # and the neuron with most data is the same line there
            for one, two in zip(known[name].weights, known[other].weights, strict=True):
                assert sp.simplify((one - two).subs(H, at)) == 0


@pytest.mark.parametrize("h", [-1.0, 0.0, 2.0, 5.0])
def test_ends_of_families_lie_on_the_kink(h):
    for name, x0, y0 in (("1+3", -2.0, 2.0), ("3+1", 2.0, h)):
        family = worked_case()[name]
        if h < family.lowest:
            continue
        m = float(family.end.subs(H, h))
        most = [float(e.subs(H, h)) for e in family.weights]
        w = np.array([[y0 - m * x0, m], most])
        z = worked_data(h).X @ w.T
        gap = z[:, 1] - z[:, 0]
        at = [-2, -1, 1, 2].index(family.end_datum)
        assert gap[at] == pytest.approx(0.0, abs=1e-12)
        rest = np.delete(gap, [at, 0 if name == "1+3" else 3])
        assert np.all(rest >= -1e-12)
        assert z[at, 1] - worked_data(h).y[at] == pytest.approx(float(family.end_error.subs(H, h)))


def test_the_grazing_level_is_the_least_offset_on_the_way():
    level = grazing_level()
    assert level == pytest.approx(0.4581926851692937, abs=1e-14)
    data, w = theorem_2_counterexample(-1.0)
    path = learn(data, w)
    offsets = [path(t)[0, 0] for t in np.linspace(0, 8, 801)]
    assert min(offsets) == pytest.approx(level, abs=1e-5) and min(offsets) >= level - 1e-12


@pytest.mark.parametrize(("offset", "distance"), [(1e-3, 1.29), (1e-6, 1.2713), (1e-9, 1.2707)])
def test_close_starts_in_one_region_part(offset, distance):
    ends = [learn(*theorem_2_counterexample(side * offset)).end for side in (1, -1)]
    assert np.linalg.norm(ends[0] - ends[1]) == pytest.approx(distance, abs=5e-3)


@given(PLANE, PLANE, PLANE, st.sampled_from([1, -1]))
def test_path_distance_is_a_distance(a, b, c, sign):
    a, b, c = map(np.array, (a, b, c))
    d = lambda u, v: path_distance(u, v, 0.5, sign)  # noqa: E731
    assert d(a, b) == pytest.approx(d(b, a))
    assert d(a, b) >= np.linalg.norm(a - b) - 1e-12
    assert d(a, a) == 0.0
    on_slit = [v for v in (a, b, c) if v[0] == v[1]]
    if not on_slit:
        assert d(a, c) <= d(a, b) + d(b, c) + 1e-9


def test_path_distance_leads_around_the_tip():
    assert path_distance([0.0, 0.2], [0.2, 0.0], 1.0) == pytest.approx(2 * np.hypot(1.0, 0.8))
    assert path_distance([3.0, 2.0], [2.0, 3.0], 1.0) == pytest.approx(np.sqrt(2))
    assert path_distance([2.0, 1.8], [1.8, 2.0], 1.0, -1) == pytest.approx(2 * np.hypot(1.0, 0.8))


def test_data_of_the_examples():
    data = polygon(4)
    assert data.y[[0, 3, 6, 9, 12]].tolist() == [0, 3, 4, 1, -5] and data.neurons == 4
    corner, start = corner_data()
    end = learn(corner, start).end
    assert corner.cost(end) < 1e-20
    rows = np.array([end[0] - end[1], end[0] - end[2]])
    assert np.linalg.solve(rows[:, 1:], -rows[:, 0]) == pytest.approx([0.2, 0.1], abs=1e-9)
    dead, w = dead_neuron()
    assert dead.cost(w) == pytest.approx(1 / 3)
