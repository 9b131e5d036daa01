"""Tables hold every number of a result under its name."""

from __future__ import annotations

import csv

import numpy as np
import pytest

from contcrit.criticality.record import Criticality
from contcrit.errors import Status
from contcrit.results import Branch, Diagram, SpecialPoint
from contcrit.tables import (
    branch_to_pandas,
    branch_to_xarray,
    diagram_to_pandas,
    special_point_table,
)

MINIMUM = Criticality(kind="minimum", index=0, nullity=0)
SADDLE = Criticality(kind="saddle", index=1, nullity=0)


def make_branch(rng: np.random.Generator, names: tuple[str, ...] = ("x", "y")) -> Branch:
    size = len(names)
    z = rng.standard_normal((4, size + 1))
    special = SpecialPoint(
        kind="branch-point",
        z=rng.standard_normal(size + 1),
        tangent=rng.standard_normal(size + 1),
        bracket=(1.0, 2.0),
        arclength=1.5,
        residual=1e-14,
        digits=12.5,
        evidence={"kernel_dimension": 2},
        verdict_before=MINIMUM,
    )
    return Branch(
        names=names,
        parameter="p",
        z=z,
        tangent=rng.standard_normal((4, size + 1)),
        arclength=np.arange(4.0),
        residual_norm=rng.random(4),
        iterations=np.array([0, 2, 2, 3]),
        columns={"cost": rng.random(4), "signs": rng.integers(-1, 2, (4, 2))},
        special_points=(special,),
        status=(Status.END_OF_SPAN, Status.LEFT_BOUNDS),
        span=(0.0, 1.0),
        values={"p": 0.0, "q": 2.0},
        verdicts=((0, 1, MINIMUM), (1, 2, SADDLE)),
    )


def test_xarray_holds_the_branch(rng: np.random.Generator) -> None:
    branch = make_branch(rng)
    table = branch.to_xarray()
    np.testing.assert_array_equal(table["unknowns"].sel(unknown="y"), branch["y"])
    np.testing.assert_array_equal(table["tangent"].sel(component="p"), branch.tangent[:, -1])
    np.testing.assert_array_equal(table.coords["p"], branch["p"])
    np.testing.assert_array_equal(table["signs"], branch["signs"])
    np.testing.assert_array_equal(table["iterations"], branch["iterations"])
    assert table.attrs["status"] == ["END_OF_SPAN", "LEFT_BOUNDS"]
    assert table.attrs["value of q"] == 2.0


def test_xarray_can_be_written(rng: np.random.Generator, tmp_path: object) -> None:
    import xarray

    table = branch_to_xarray(make_branch(rng))
    table.to_netcdf(f"{tmp_path}/table.nc", engine="h5netcdf")
    with xarray.open_dataset(f"{tmp_path}/table.nc") as again:
        xarray.testing.assert_equal(table, again.load())


def test_pandas_holds_the_branch(rng: np.random.Generator) -> None:
    branch = make_branch(rng)
    table = branch.to_pandas()
    for name in ("p", "x", "y", "cost", "arclength", "residual_norm", "iterations"):
        np.testing.assert_array_equal(table[name], branch[name])
    np.testing.assert_array_equal(table[["signs[0]", "signs[1]"]], branch["signs"])
    assert table["verdict"].tolist() == [str(branch.verdict_at(k) or "") for k in range(4)]


def test_csv_round_trip_is_exact(rng: np.random.Generator, tmp_path: object) -> None:
    table = branch_to_pandas(make_branch(rng))
    table.to_csv(f"{tmp_path}/points.csv", index=False)
    with open(f"{tmp_path}/points.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    for name in ("x", "cost", "residual_norm"):
        assert [float(row[name]) for row in rows] == table[name].tolist()


def test_taken_names_lose_nothing(rng: np.random.Generator) -> None:
    branch = make_branch(rng, names=("arclength", "verdict"))
    branch.columns["unknowns"] = np.arange(4)
    table = branch_to_pandas(branch)
    assert table.columns.is_unique
    np.testing.assert_array_equal(table["arclength"], branch.z[:, 0])
    np.testing.assert_array_equal(table["arclength_"], branch.arclength)
    np.testing.assert_array_equal(branch_to_xarray(branch)["unknowns_"], np.arange(4))


def test_diagram_numbers_its_branches(rng: np.random.Generator) -> None:
    first, second = make_branch(rng), make_branch(rng)
    second.columns["only here"] = np.arange(4)
    table = Diagram(branches=(first, second)).to_pandas()
    assert table["branch"].tolist() == [0] * 4 + [1] * 4
    np.testing.assert_array_equal(table["x"], np.concatenate([first["x"], second["x"]]))
    assert table["only here"].isna().tolist() == [True] * 4 + [False] * 4


def test_empty_diagram_has_no_rows() -> None:
    empty = Diagram(branches=())
    assert len(diagram_to_pandas(empty)) == 0
    assert len(special_point_table(empty)) == 0


def test_special_points(rng: np.random.Generator) -> None:
    first, second = make_branch(rng), make_branch(rng)
    bare = make_branch(rng)
    bare.special_points = ()
    table = special_point_table(Diagram(branches=(first, bare, second)))
    assert table["branch"].tolist() == [0, 2]
    np.testing.assert_array_equal(
        table[["x", "y", "p"]], [branch.special_points[0].z for branch in (first, second)]
    )
    assert table["kind"].tolist() == ["branch-point"] * 2
    assert table["kernel_dimension"].tolist() == [2, 2]
    assert table["verdict_before"].tolist() == ["minimum (index 0)"] * 2
    assert table["verdict_after"].tolist() == [""] * 2
    assert list(special_point_table(bare).columns) == list(table.columns)


@pytest.mark.parametrize("points", [0, 1])
def test_short_branches(rng: np.random.Generator, points: int) -> None:
    branch = make_branch(rng)
    for name in ("z", "tangent", "arclength", "residual_norm", "iterations"):
        setattr(branch, name, getattr(branch, name)[:points])
    branch.columns = {name: data[:points] for name, data in branch.columns.items()}
    branch.verdicts = ()
    assert len(branch_to_pandas(branch)) == points
    assert branch_to_xarray(branch).sizes["point"] == points
