"""Results: columns by name, points by position, special points by kind."""

from __future__ import annotations

import numpy as np
import pytest

import contcrit as cc
from contcrit.errors import SpecificationError
from contcrit.results import Branch, Diagram, SpecialPoint
from tests.strategies import cubic, pitchfork


@pytest.fixture(scope="module")
def branch() -> Branch:
    return cc.trace(
        cubic(), [-2], "q", (-1, 1), values={"p": 1}, record={"square": lambda u, v: u[0] ** 2}
    )


def test_columns_by_name(branch: Branch) -> None:
    assert np.array_equal(branch["q"], branch.z[:, -1])
    assert np.array_equal(branch["x"], branch.z[:, 0])
    assert branch["square"] == pytest.approx(branch["x"] ** 2)
    for name in branch.column_names:
        assert len(branch[name]) == len(branch)
    assert len(set(branch.column_names)) == len(branch.column_names)


def test_an_unknown_column_lists_the_known_ones(branch: Branch) -> None:
    with pytest.raises(SpecificationError, match="square") as caught:
        branch["cube"]
    assert "arclength" in str(caught.value)


def test_points_by_position(branch: Branch) -> None:
    point = branch[3]
    assert np.array_equal(point.z, branch.z[3])
    assert point.x == pytest.approx(branch.z[3, :-1])
    assert point.parameter == branch["q"][3]
    assert branch[-1].arclength == branch.arclength[-1]
    assert branch[np.int64(2)].residual_norm == branch.residual_norm[2]
    assert [p.arclength for p in branch] == list(branch.arclength)
    with pytest.raises(IndexError):
        branch[len(branch)]


def test_verdicts_cover_the_stretches(branch: Branch) -> None:
    stability = [branch.verdict_at(k) for k in range(len(branch))]
    assert all(verdict is not None for verdict in stability)
    changes = [
        k
        for k in range(1, len(branch))
        if stability[k].evidence["stability"] != stability[k - 1].evidence["stability"]
    ]
    assert len(changes) == len(branch.special_points) == 2
    for k, special in zip(changes, branch.special_points, strict=True):
        assert branch.arclength[k - 1] <= special.arclength <= branch.arclength[k]
    assert branch.verdict_at(-1) is branch.verdict_at(len(branch) - 1)


def test_kinds_and_representation(branch: Branch) -> None:
    assert branch.of_kind("fold") == branch.special_points
    assert branch.of_kind("hopf") == ()
    assert "2 points" not in repr(branch)
    assert f"Branch({len(branch)} points, q in [-1, 1]" in repr(branch)
    assert repr(branch.special_points[0]).startswith("SpecialPoint(fold, parameter=")


def test_special_points_carry_their_evidence(branch: Branch) -> None:
    special = branch.special_points[0]
    assert special.x.shape == (1,)
    assert special.parameter == special.z[-1]
    assert special.kernel_dimension == special.evidence["kernel_dimension"] == 1
    changed = special.replace(kind="user")
    assert changed.kind == "user" and special.kind == "fold"
    assert SpecialPoint(
        kind="user", z=special.z, tangent=special.tangent, bracket=(0, 1), arclength=0.5,
        residual=0.0, digits=0.0,
    ).kernel_dimension == 0  # fmt: skip


def test_provenance_and_arguments_are_kept(branch: Branch) -> None:
    assert branch.values == {"p": 1.0}
    assert branch.span == (-1.0, 1.0)
    assert branch.settings == cc.Settings()
    assert branch.provenance["contcrit"] == cc.__version__
    assert branch.provenance["seed"] == 0
    assert isinstance(branch.source, cc.Problem)


def test_diagrams_are_sequences_of_branches() -> None:
    diagram = cc.diagram(pitchfork(), [0], "p", (-1, 1))
    assert isinstance(diagram, Diagram)
    assert [diagram[k] for k in range(len(diagram))] == list(diagram)
    assert len(diagram.special_points) == sum(len(b.special_points) for b in diagram)
    assert diagram.of_kind("branch-point") == diagram.special_points
