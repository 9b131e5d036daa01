from __future__ import annotations

from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contcrit.models.relu_regression.arrangement import arrangement, cells, faces
from tests.models.relu_regression.instances import SHAPES, inputs

SEEDS = st.integers(0, 2**32 - 1)


def signs_of(planes, points):
    return {tuple(row) for row in np.sign(points @ planes.normals.T).astype(int)}


@pytest.mark.parametrize(("N", "d"), [(1, 2), (5, 2), (10, 2), (4, 3), (10, 3), (6, 4)])
def test_generic_hyperplanes_make_as_many_cells_as_cover_counts(rng, N, d):
    planes = arrangement(rng.standard_normal((N, d)))
    found = {tuple(cell) for cell in cells(planes.normals)}
    assert len(found) == 2 * sum(comb(N - 1, i) for i in range(d))


@given(SEEDS, st.integers(1, 3), st.integers(2, 7), st.sampled_from(SHAPES))
def test_random_points_lie_in_listed_faces_and_faces_in_space(seed, d, N, shape):
    generator = np.random.default_rng(seed)
    rows = inputs(shape, N, d, generator)
    planes = arrangement(rows)
    found = list(faces(planes.normals))
    listed = {tuple(face.signs) for face in found}
    assert len(listed) == len(found)
    sampled = signs_of(planes, generator.standard_normal((500, d)))
    assert sampled <= {tuple(face.signs) for face in found if face.dimension == d}
    # Space is the disjoint union of open faces: an Euler characteristic.
    assert sum((-1) ** face.dimension for face in found) == (-1) ** d


@given(SEEDS, st.sampled_from(SHAPES))
def test_every_cell_holds_a_point(seed, shape):
    from scipy.optimize import linprog

    generator = np.random.default_rng(seed)
    planes = arrangement(inputs(shape, 5, 3, generator))
    for cell in cells(planes.normals):
        rows = cell[:, None] * planes.normals
        matrix = np.hstack([-rows, np.ones((len(rows), 1))])
        inside = linprog([0, 0, 0, -1], A_ub=matrix, b_ub=np.zeros(len(rows)), bounds=[(-1, 1)] * 4)
        assert inside.x[-1] > 1e-12


def test_parallel_rows_share_a_plane_and_zero_rows_have_none():
    planes = arrangement(np.array([[0.0, 0.0], [1.0, 2.0], [-2.0, -4.0], [1.0, 0.0]]))
    assert len(planes.normals) == 2
    assert planes.row_signs(np.array([-1, 1])).tolist() == [0, -1, 1, 1]


def test_no_rows_leave_one_cell():
    planes = arrangement(np.zeros((3, 2)))
    assert [face.dimension for face in faces(planes.normals)] == [2]
