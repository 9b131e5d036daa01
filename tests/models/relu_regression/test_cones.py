from __future__ import annotations

import numpy as np
import pytest

from contcrit.models.relu_regression.cones import descent, lowest

RIGHT, LEFT = np.array([[1.0]]), np.array([[-1.0]])
QUADRANTS = [np.diag(signs) for signs in np.array([[1, 1], [1, -1], [-1, 1], [-1, -1.0]])]


def test_descent_of_kinks_on_a_line():
    assert descent([RIGHT, LEFT], np.array([[1.0], [-1.0]]))[0] == 0.0
    slope, direction = descent([RIGHT, LEFT], np.array([[-0.5], [0.5]]))
    assert slope == pytest.approx(-0.5) and abs(direction[0]) == 1.0


def test_descent_needs_a_linear_program_where_steepest_descent_leaves_the_cone():
    # |x| - y / 2 falls along y, which is the edge of two cones.
    gradients = np.array([[1, -0.5], [1, -0.5], [-1, -0.5], [-1, -0.5]])
    slope, direction = descent(QUADRANTS, gradients)
    assert slope == pytest.approx(-0.5)
    assert direction == pytest.approx([0.0, 1.0], abs=1e-12)


@pytest.mark.parametrize(
    ("curvature", "kind"),
    [(1.0, "strict"), (-1.0, "descends"), (0.0, "degenerate")],
)
def test_flat_directions_are_judged_by_their_curvature(curvature, kind):
    # |x| + curvature y^2 / 2.
    gradients = np.array([[1.0, 0], [1, 0], [-1, 0], [-1, 0]])
    H = np.diag([-3.0, curvature])
    found, _ = lowest(QUADRANTS, gradients, [H] * 4, 1e-9, 1.0)
    assert found == kind


def test_no_flat_direction_is_sharp():
    gradients = np.array([[1.0, 1], [1, -1], [-1, 1], [-1, -1]])
    assert lowest(QUADRANTS, gradients, [-np.eye(2)] * 4, 1e-9, 1.0) == ("sharp", {})
    found, evidence = lowest(QUADRANTS, -gradients, [np.eye(2)] * 4, 1e-9, 1.0)
    assert found == "descends" and evidence["slope"] == pytest.approx(-2.0)


def test_negative_curvature_outside_the_cone_does_not_matter_but_is_not_hidden():
    # g = 0 everywhere, H = [[1, 2], [2, 1]]: copositive on two quadrants, not on the others.
    H = np.array([[1.0, 2.0], [2.0, 1.0]])
    found, evidence = lowest(QUADRANTS, np.zeros((4, 2)), [H] * 4, 1e-9, 1.0)
    assert found == "descends"
    direction = evidence["descent_direction"]
    assert direction @ H @ direction < 0
    # Alone, the first quadrant's piece has no descent; the search says that it cannot tell.
    assert lowest(QUADRANTS[:1], np.zeros((1, 2)), [H], 1e-9, 1.0)[0] == "undecided"


def test_null_directions_outside_the_cones_do_not_make_a_minimum_degenerate():
    # (|x| + |y|)^2 / 2: on each quadrant the curvature is singular along a direction outside it.
    hessians = [np.outer(np.diag(q), np.diag(q)) for q in QUADRANTS]
    assert lowest(QUADRANTS, np.zeros((4, 2)), hessians, 1e-9, 1.0) == ("strict", {})
    # (x + y)^2 / 2 everywhere: flat along (1, -1), which two quadrants hold.
    same = [np.ones((2, 2))] * 4
    assert lowest(QUADRANTS, np.zeros((4, 2)), same, 1e-9, 1.0) == ("degenerate", {})
