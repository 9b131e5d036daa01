from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from contcrit.models.relu_regression.cells import CellComplex
from contcrit.models.relu_regression.losses import NORMS, Penalty, ReluRegression
from tests.models.relu_regression.instances import reference, regressions

SEEDS = st.integers(0, 2**32 - 1)
STRENGTHS = st.sampled_from([0.0, 0.01, 0.3, 2.0])


def around(w, size, generator, count=400):
    """Return points close to w, along the axes too."""
    directions = generator.standard_normal((count, len(w)))
    directions /= np.linalg.norm(directions, axis=1)[:, None]
    return w + size * np.vstack([directions, np.eye(len(w)), -np.eye(len(w))])


def settle(data, w, lam, rounds=1000):
    """Return where descent with shrinking normalised subgradient steps ends: the lowest point."""
    best, lowest = w, data.loss(w, lam)
    step = 0.1
    for k in range(rounds):
        g = data.gradient(w, lam)
        size = np.linalg.norm(g)
        if size == 0:
            break
        w = w - step * g / size
        value = data.loss(w, lam)
        if value < lowest:
            best, lowest = w, value
        if k % 50 == 49:
            step *= 0.5
            w = best
    return best, lowest


@pytest.mark.parametrize(
    ("norm", "lam", "expected"),
    [
        ("l2", 0.01, (0.981717362675, 0.967372936084)),
        ("l2", 0.1, (0.814858342421, 0.773132978826)),
        ("l1-squared", 0.01, (0.967707682419, 0.932755917776)),
        ("l1-squared", 0.1, (0.769209632447, 0.543757753928)),
    ],
)
def test_the_reference_instance(norm, lam, expected):
    data = reference(norm)
    found = CellComplex(data).critical_points(lam)
    assert found.complete
    minimum, origin = found.points
    assert minimum.w == pytest.approx(expected, abs=1e-12)
    assert minimum.verdict.kind == "minimum"
    assert minimum.face_dimension == 2
    # No critical rays; the origin is Clarke critical, and no minimum.
    assert origin.w.tolist() == [0.0, 0.0]
    assert origin.verdict.kind == "saddle"
    changed = not np.array_equal(minimum.active, data.active(data.w_star))
    assert changed == (lam == 0.1)


@given(regressions(dimensions=(1, 2), norms=("l2",)), STRENGTHS, SEEDS)
def test_verdicts_agree_with_the_loss_nearby(data, lam, seed):
    generator = np.random.default_rng(seed)
    complex_ = CellComplex(data)
    for point in complex_.critical_points(lam).points:
        check_verdict(data, lam, point, generator)


@given(regressions(dimensions=(1, 2), norms=NORMS[1:], signs=(-1, 1), largest=5), STRENGTHS, SEEDS)
def test_verdicts_agree_with_the_loss_nearby_with_kinks(data, lam, seed):
    generator = np.random.default_rng(seed)
    for point in CellComplex(data).critical_points(lam).points:
        check_verdict(data, lam, point, generator)


@settings(max_examples=8)
@given(regressions(dimensions=(3,), largest=4), st.sampled_from([0.03, 0.4]), SEEDS)
def test_verdicts_agree_with_the_loss_nearby_in_space(data, lam, seed):
    generator = np.random.default_rng(seed)
    for point in CellComplex(data).critical_points(lam).points:
        check_verdict(data, lam, point, generator)


def check_verdict(data, lam, point, generator):
    size = 1e-4
    rises = np.array([data.loss(v, lam) for v in around(point.w, size, generator)]) - point.loss
    if "minimum" in point.verdict.kind:
        assert np.min(rises) > -1e-15
    elif point.verdict.kind == "maximum":
        assert np.max(rises) < 1e-15
    elif "descent_direction" in point.verdict.evidence:
        direction = np.asarray(point.verdict.evidence["descent_direction"])
        falls = [data.loss(point.w + t * direction, lam) - point.loss for t in (1e-3, 1e-4)]
        assert max(falls) < 0
    if "ascent_direction" in point.verdict.evidence:
        direction = np.asarray(point.verdict.evidence["ascent_direction"])
        rises = [data.loss(point.w + t * direction, lam) - point.loss for t in (1e-3, 1e-4)]
        assert min(rises) > 0
    if "weights" in point.verdict.evidence:
        weights = np.asarray(point.verdict.evidence["weights"])
        assert np.all(weights >= 0) and np.sum(weights) == pytest.approx(1.0)
        scale = point.verdict.evidence["scale"]
        assert point.verdict.evidence["hull_distance"] <= 1e-8 * max(scale, 1e-300)


@settings(max_examples=10)
@given(regressions(dimensions=(2, 3), largest=6), st.sampled_from([0.05, 0.5]), SEEDS)
def test_descent_ends_at_a_listed_minimum_or_flat_set(data, lam, seed):
    # Correct sign, lam > 0: the loss grows at infinity, so its least value is at a listed point.
    found = CellComplex(data).critical_points(lam)
    assume(found.complete)
    generator = np.random.default_rng(seed)
    _, lowest = settle(data, generator.standard_normal(data.dimension), lam, rounds=1000)
    least = min(point.loss for point in found.points)
    assert least <= lowest + 1e-6
    assert found.points[0].loss == least
    assert found.points[0].verdict.kind in ("minimum", "sharp minimum", "degenerate")


@settings(max_examples=10)
@given(regressions(dimensions=(2,), shapes=("generic",), norms=("l2",)), SEEDS)
def test_no_critical_point_is_missed_in_the_plane(data, seed):
    # Wherever Newton's method on the pieces comes to rest there must be a listed point.
    lam = 0.2
    found = CellComplex(data).critical_points(lam)
    generator = np.random.default_rng(seed)
    for start in generator.standard_normal((5, 2)):
        w = start
        for _ in range(50):  # Newton inside each cell
            active = data.active(w)
            H = data.moment(active) / data.count + data.penalty.hessian(np.ones(2), lam)
            w = np.linalg.solve(H, data.X[active].T @ data.targets[active] / data.count)
            if np.array_equal(data.active(w), active):
                break
        else:
            continue
        if np.linalg.norm(w) > 1e-6:
            assert min(np.linalg.norm(point.w - w) for point in found.points) < 1e-8


def test_flat_sets_are_reported_with_their_freedom():
    # Without penalty and with one row only, every w with x . w = 1 is a minimum, and so is nothing
    # where the row is silent: there the loss is flat.
    data = ReluRegression(np.array([[1.0, 0.0]]), np.array([1.0, 1.0]))
    found = CellComplex(data).critical_points(0.0)
    by_face = {(point.face_dimension, bool(point.active[0])): point for point in found.points}
    assert by_face[2, True].freedom == 1
    assert by_face[2, True].loss == 0.0
    assert by_face[2, False].freedom == 2
    assert {point.verdict.kind for point in found.points} <= {"degenerate", "Clarke critical"}


def test_large_lam_makes_the_origin_a_sharp_minimum_for_the_plain_norm():
    data = reference("l1")
    force = np.max(np.abs(data.gradient(1e-9 * np.ones(2), 0.0)))
    found = CellComplex(data).critical_points(4 * force)
    (minimum,) = found.minima
    assert minimum.w.tolist() == [0.0, 0.0]
    assert minimum.verdict.kind == "sharp minimum"


def test_a_sparse_minimum_lies_on_the_axis():
    (minimum,) = CellComplex(reference("l1-squared")).critical_points(0.7).minima
    assert minimum.w[1] == 0.0
    assert minimum.on_kinks == (11,)
    assert minimum.verdict.kind == "minimum"


@settings(max_examples=10)
@given(regressions(dimensions=(2,), shapes=("generic",)), STRENGTHS)
def test_classify_agrees_with_the_enumeration(data, lam):
    complex_ = CellComplex(data)
    for point in complex_.critical_points(lam).points:
        assert complex_.classify(point.w, lam).kind == point.verdict.kind
    assert complex_.classify(np.array([17.0, -5.0]), lam).kind in ("not critical", "degenerate")


def test_duplicated_rows_change_nothing():
    data = reference()
    twice = ReluRegression(np.vstack([data.X, data.X]), data.w_star, Penalty())
    one, other = (CellComplex(d).critical_points(0.1) for d in (data, twice))
    for a, b in zip(one.points, other.points, strict=True):
        assert a.w == pytest.approx(b.w, abs=1e-13)
        assert a.verdict.kind == b.verdict.kind


def test_three_dimensions_and_the_printed_sign():
    generator = np.random.default_rng(7)
    data = ReluRegression(generator.standard_normal((10, 3)), np.ones(3), Penalty("l2", 1))
    found = CellComplex(data).critical_points(0.1)
    assert found.complete and found.faces > 300
    # The printed law drives weights away: the potential is unbounded below, with saddles.
    for point in found.points:
        if point.face_dimension == 3:
            residual = data.gradient(point.w, 0.1)
            assert residual == pytest.approx(0.0, abs=1e-12)
