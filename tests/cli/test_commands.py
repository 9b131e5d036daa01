"""Commands write what the functions of the package return, and say how it went."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from contcrit import models
from contcrit.cli import main
from contcrit.results import Branch, Diagram
from contcrit.storage import load

RESIDUAL = """
[problem]
residual = ["p*x - x**3"]
unknowns = ["x"]
parameters = ["p"]

[start]
x = 0.0
"""
POTENTIAL = RESIDUAL.replace('residual = ["p*x - x**3"]', 'potential = "x**4/4 - p*x**2/2"')


@pytest.fixture
def pitchfork(tmp_path: Path) -> str:
    path = tmp_path / "pitchfork.toml"
    path.write_text(POTENTIAL)
    return str(path)


def test_models_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models"]) == 0
    shown = capsys.readouterr().out
    for name in models.names():
        assert name in shown


def test_trace_writes_data_tables_and_figure(
    pitchfork: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "deep" / "out"
    arguments = ["--parameter", "p", "--span", "-1", "2", "--out", str(out)]
    assert main(["trace", pitchfork, *arguments]) == 0
    endings = (".csv", ".nc", ".png", "-special-points.csv")
    assert sorted(item.name for item in out.iterdir()) == sorted(
        f"pitchfork{ending}" for ending in endings
    )
    branch = load(out / "pitchfork.nc")
    assert isinstance(branch, Branch)
    assert (branch["p"].min(), branch["p"].max()) == (-1.0, 2.0)
    assert [special.kind for special in branch.special_points] == ["branch-point"]
    with (out / "pitchfork.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["p"]) for row in rows] == branch["p"].tolist()
    with (out / "pitchfork-special-points.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert abs(float(row["p"])) < 1e-9
    assert row["verdict_before"] == "minimum (index 0)"
    assert (out / "pitchfork.png").read_bytes().startswith(b"\x89PNG")
    shown = capsys.readouterr()
    assert "branch-point" in shown.out
    assert "minimum (index 0)" in shown.out
    assert shown.err == ""


def test_flow_of_a_residual(tmp_path: Path) -> None:
    (tmp_path / "flow.toml").write_text(RESIDUAL)
    arguments = ["--parameter", "p", "--span", "-1", "2", "--out", str(tmp_path)]
    assert main(["trace", str(tmp_path / "flow.toml"), *arguments, "--name", "other"]) == 0
    assert len(load(tmp_path / "other.nc").of_kind("branch-point")) == 1


@pytest.mark.parametrize("command", [["diagram"], ["trace", "--diagram"]])
def test_diagram_enters_the_side_branch(pitchfork: str, tmp_path: Path, command: list[str]) -> None:
    name, *flags = command
    arguments = ["--parameter", "p", "--span", "-1", "2", "--out", str(tmp_path)]
    assert main([name, pitchfork, *arguments, *flags]) == 0
    diagram = load(tmp_path / "pitchfork.nc")
    assert isinstance(diagram, Diagram)
    assert len(diagram) == 2
    side = diagram[1]
    np.testing.assert_allclose(side["x"] ** 2, side["p"], atol=1e-9)


def test_start_on_the_command_line(pitchfork: str, tmp_path: Path) -> None:
    arguments = ["--parameter", "p", "--span", "-1e-3", "1", "--out", str(tmp_path)]
    given = ["--start", "x=0.9", "--set", "p=1", "--setting", "step_maximum=0.05"]
    assert main(["trace", pitchfork, *arguments, *given, "--direction", "backward"]) == 0
    branch = load(tmp_path / "pitchfork.nc")
    assert branch.settings.step_maximum == 0.05
    assert branch["x"].max() == pytest.approx(1.0, abs=1e-12)


def test_failure_saves_what_there_is(
    pitchfork: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--parameter", "p", "--span", "-1", "2", "--out", str(tmp_path)]
    assert main(["trace", pitchfork, *arguments, "--setting", "maximum_points=5"]) == 1
    partial = load(tmp_path / "pitchfork.nc")
    assert 0 < len(partial) <= 11
    assert "MAXIMUM_POINTS" in capsys.readouterr().err


def test_failed_start_saves_an_empty_branch(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "none.toml").write_text(RESIDUAL.replace("p*x - x**3", "x**2 + 1 + p**2"))
    arguments = ["--parameter", "p", "--span", "0", "1", "--out", str(tmp_path)]
    assert main(["trace", str(tmp_path / "none.toml"), *arguments]) == 1
    assert len(load(tmp_path / "none.nc")) == 0
    assert "START_FAILED" in capsys.readouterr().err
    assert (tmp_path / "none.png").exists()


def test_classify(pitchfork: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["classify", pitchfork, "--at", "x=1", "--values", "p=1"]) == 0
    assert "minimum (index 0)" in capsys.readouterr().out
    assert main(["classify", pitchfork, "--set", "p=1"]) == 0
    assert "maximum (index 1)" in capsys.readouterr().out
    assert main(["classify", pitchfork, "--at", "x=0.5", "--values", "p=1"]) == 0
    assert "not critical" in capsys.readouterr().out


def test_linear_network(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--parameter", "lam", "--span", "0.05", "0.1", "--out", str(tmp_path)]
    network = ["linear-network", "--set", "R=[[0,-1],[1,0]]"]
    assert main(["trace", *network, *arguments, "--start", "n=0", "--name", "principal"]) == 0
    branch = load(tmp_path / "principal.nc")
    # Normal solutions a + ib: lam b = exp(a) cos b, lam a = exp(a) sin b - exp(2a).
    C = branch.z[:, :-1].reshape(-1, 2, 2)
    a, b = C[:, 0, 0], C[:, 1, 0]
    np.testing.assert_allclose(branch["lam"] * b, np.exp(a) * np.cos(b), atol=1e-8)
    assert "guess at lam = 0.05" in capsys.readouterr().err


def test_classify_a_block(capsys: pytest.CaptureFixture[str]) -> None:
    network = ["linear-network", "--set", "R=[[2,0],[0,2]]"]
    # At lam = 0, C = log R is the global minimum.
    logarithm = float(np.log(2.0))
    at = f"C=[[{logarithm!r},0],[0,{logarithm!r}]]"
    assert main(["classify", *network, "--at", at, "--values", "lam=0"]) == 0
    assert "minimum" in capsys.readouterr().out
