"""Enumerations of cells against Cover's count, exhaustive lists and degenerate arrangements."""

from __future__ import annotations

import time
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from scipy.optimize import linprog

from contcrit.criticality.cells import STRICT, CellSearch, grouped_rows, number_of_cells
from contcrit.criticality.exact import rows_hold
from contcrit.criticality.pieces import ArrayPieces
from contcrit.criticality.separable import all_rows
from tests.criticality.nonsmooth import piecewise_linear


def arrangement(rows: np.ndarray, **arguments: object) -> ArrayPieces:
    return ArrayPieces(np.zeros(np.shape(rows)[1]), rows, np.ones(len(rows)), **arguments)


@pytest.mark.parametrize(("kinks", "rank"), [(1, 1), (3, 2), (5, 3), (6, 6), (8, 3), (9, 2)])
def test_rows_in_general_position_have_as_many_cells_as_cover_counts(kinks: int, rank: int) -> None:
    rows = np.random.default_rng(kinks).standard_normal((kinks, rank))
    search = CellSearch(arrangement(rows))
    assert len(list(search)) == number_of_cells(kinks, rank)
    assert search.complete


@settings(max_examples=80)
@given(piecewise_linear(kinks=(0, 4)))
def test_cells_are_exactly_the_patterns_that_a_linear_program_finds(pieces: ArrayPieces) -> None:
    search = CellSearch(pieces)
    cells = list(search)
    assert search.complete
    found = {tuple(cell.signs) for cell in cells}
    assert len(found) == len(cells)
    for cell in cells:
        assert cell.margin > STRICT
        assert rows_hold(cell.rows, cell.direction)
        assert np.linalg.norm(cell.direction) == pytest.approx(1) or not len(cell.rows)
    for signs in product((-1.0, 1.0), repeat=len(pieces.rows)):
        rows = all_rows(pieces, np.array(signs))
        zero = np.all(rows == 0, axis=1)
        signed = (np.array(signs)[:, None] * rows)[~zero]
        program = linprog(
            np.append(np.zeros(pieces.size), -1.0),
            A_ub=np.hstack([-signed, np.ones((len(signed), 1))]),
            b_ub=np.zeros(len(signed)),
            bounds=[(-1, 1)] * (pieces.size + 1),
        )
        exists = -program.fun > 1e-6
        shown = tuple(np.where(zero, 1.0, signs))
        # A flat kink stands with the sign +1 for both of its sides.
        assert exists == (shown in found)


def test_duplicates_opposites_and_zero_rows_add_no_cells() -> None:
    row = np.array([1.0, 2.0])
    rows = np.array([row, 3 * row, -row, 0 * row, [0.0, 1.0]])
    cells = list(CellSearch(arrangement(rows)))
    assert len(cells) == 4
    for cell in cells:
        assert cell.signs[0] == cell.signs[1] == -cell.signs[2]
        assert cell.signs[3] == 1


def test_collinear_rows_of_several_lengths_are_one_group() -> None:
    groups, zero = grouped_rows(np.array([[1.0, 0.0], [-2.0, 0.0], [0.0, 0.0], [0.0, 5.0]]))
    assert [group.members.tolist() for group in groups] == [[0, 1], [3]]
    assert groups[0].orientations.tolist() == [1, -1]
    assert zero.tolist() == [2]


def test_cells_that_are_neither_thin_nor_wide_are_not_claimed() -> None:
    for angle, cells, complete in ((1e-12, 2, True), (1e-8, 2, False), (1e-3, 4, True)):
        rows = np.array([[1.0, 0.0], [np.cos(angle), np.sin(angle)]])
        search = CellSearch(arrangement(rows))
        assert (len(list(search)), search.complete) == (cells, complete)


def test_rows_of_a_level_depend_on_the_signs_below() -> None:
    """The second kink of |relu(x) - x| is flat on one side, and a copy of the first beside it."""
    pieces = ArrayPieces([0.0], [[1.0], [-1.0]], [0, 1], links=[[0, 0], [1, 0]])
    cells = {tuple(cell.signs) for cell in CellSearch(pieces)}
    assert cells == {(1, 1), (-1, 1)}
    assert len(list(CellSearch(pieces, depth=1))) == 2


def test_a_domain_restricts_the_cells() -> None:
    pieces = arrangement(np.eye(2), domain=[[1.0, 0.0], [1.0, 1.0]])
    assert {tuple(cell.signs) for cell in CellSearch(pieces)} == {(1, 1), (1, -1)}
    empty = arrangement(np.eye(2), domain=[[1.0, 0.0], [-1.0, 0.0]])
    assert list(CellSearch(empty)) == []


def test_budget_and_time_stop_the_search() -> None:
    rows = np.random.default_rng(0).standard_normal((40, 8))
    search = CellSearch(arrangement(rows), budget=10)
    assert len(list(search)) == 10
    assert (search.complete, search.stopped) == (False, "budget")
    started = time.monotonic()
    search = CellSearch(arrangement(rows), budget=10**9, deadline=started + 0.2)
    list(search)
    assert (search.complete, search.stopped) == (False, "time")
    assert time.monotonic() - started < 10


def test_a_search_that_just_fits_its_budget_is_complete() -> None:
    search = CellSearch(arrangement(np.eye(3)), budget=8)
    assert len(list(search)) == 8
    assert search.complete


def test_unwanted_patterns_are_cut_early() -> None:
    search = CellSearch(arrangement(np.eye(12)), refuse=lambda signs: bool(np.any(signs < 0)))
    assert [cell.signs.tolist() for cell in search] == [[1.0] * 12]
    assert search.tests < 30
