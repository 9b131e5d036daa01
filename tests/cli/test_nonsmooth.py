"""The models with kinks, from the command line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from contcrit.cli import main
from contcrit.results import Branch, Diagram
from contcrit.storage import load

DATA = ["X=[[0.126,-0.132],[0.64,0.105],[-0.536,0.362],[1.304,0.947],[-0.704,-1.265]]"]


def test_all_vertices_of_the_hinge_example_are_classified(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["classify", "relu-hinge", "--example"]) == 0
    shown = capsys.readouterr().out
    assert shown.count("verdict ") == 8
    assert shown.count("sharp minimum") >= 3
    assert "undecided" not in shown and "not critical" not in shown


def test_all_starts_of_the_hinge_example_are_solutions_that_can_be_traced(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--parameter", "alpha", "--span", "0.25", "0.95", "--out", str(tmp_path)]
    assert main(["trace", "relu-hinge", "--example", *arguments]) == 0
    assert not capsys.readouterr().err
    diagram = load(tmp_path / "relu-hinge.nc")
    assert isinstance(diagram, Diagram)
    assert len(diagram.branches) == 8
    for branch in diagram.branches:
        assert [status.name for status in branch.status] == ["END_OF_SPAN"] * 2
        assert np.min(np.abs(branch["alpha"] - 0.5)) < 0.05
        assert np.max(branch.residual_norm) < 1e-9


@pytest.mark.parametrize("norm", ["l2", "l1-squared", "l1"])
def test_the_regression_of_data_goes_through_all_its_kinks(
    norm: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    constants = ["--set", *DATA, "w_star=[1,1]", f"norm={norm}"]
    assert main(["classify", "relu-regression", *constants]) == 0
    assert "minimum" in capsys.readouterr().out
    arguments = ["--parameter", "lam", "--span", "0", "2", "--out", str(tmp_path)]
    assert main(["trace", "relu-regression", *constants, *arguments]) == 0
    branch = load(tmp_path / "relu-regression.nc")
    assert isinstance(branch, Branch)
    assert [status.name for status in branch.status] == ["END_OF_SPAN"] * 2
    assert branch.of_kind("border")
    if norm == "l1":  # the penalty alone holds the weights at zero
        assert np.allclose(branch.z[-1, :2], 0.0, atol=1e-9)


def test_the_population_example_is_traced(tmp_path: Path) -> None:
    arguments = ["--parameter", "lam", "--span", "0", "1", "--out", str(tmp_path)]
    assert main(["trace", "relu-regression", "--example", *arguments]) == 0
    branch = load(tmp_path / "relu-regression.nc")
    assert isinstance(branch, Branch)
    # The minimum is w* / (1 + 4 lam) for w* = (1, 1).
    assert branch["w[0]"] == pytest.approx(1 / (1 + 4 * branch["lam"]), abs=1e-9)


def test_a_verdict_takes_settings(capsys: pytest.CaptureFixture[str]) -> None:
    given = ["classify", "relu-hinge", "--example", "--at", "vertex 0"]
    assert main([*given, "--preset", "careful", "--setting", "time_limit=5"]) == 0
    assert "sharp minimum" in capsys.readouterr().out
    assert main([*given, "--setting", "time_limit=0"]) == 2
    assert "time_limit" in capsys.readouterr().err
    assert main([*given, "--setting", "patience=1"]) == 2
    assert "is not a setting" in capsys.readouterr().err
