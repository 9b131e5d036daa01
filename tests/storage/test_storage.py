"""Files give back what was saved, to the last bit, or say why not."""

from __future__ import annotations

import dataclasses
import math
import os
import struct
from pathlib import Path
from typing import Any

import h5py
import hypothesis.strategies as st
import numpy as np
import pytest
import xarray
from hypothesis import HealthCheck, given, settings
from hypothesis.extra import numpy as hnp

from contcrit.criticality.record import Criticality
from contcrit.errors import SpecificationError, Status, StorageError
from contcrit.results import Branch, Diagram, Point, SpecialPoint
from contcrit.settings import Settings
from contcrit.storage import FORMAT_VERSION, load, save

VERDICT = Criticality(
    kind="saddle",
    index=1,
    nullity=0,
    inertia=(1, 0, 2),
    margin=0.1 + 0.2,
    evidence={"eigenvalues": np.array([-1.0, 1e-300, 3.0]), "method": "inertia"},
)


class Described:
    """A stand-in for a problem: only its description matters here."""

    def describe(self) -> dict[str, Any]:
        return {"form": "expression", "unknowns": ["x"], "constants": {"R": [[0.0, -1.0]]}}


def make_branch(points: int = 7, size: int = 2, seed: int = 0) -> Branch:
    """A branch with awkward content: no bit of it is regular."""
    generator = np.random.default_rng(seed)
    z = generator.standard_normal((points, size + 1))
    if points:
        z[0, 0], z[-1, 0], z[points // 2, 0] = np.nan, -np.inf, -0.0
    specials = tuple(
        SpecialPoint(
            kind=kind,
            z=generator.standard_normal(size + 1),
            tangent=generator.standard_normal(size + 1),
            bracket=(0.1 * k, 0.1 * k + 1e-17),
            arclength=0.1 * k,
            residual=5e-324,
            digits=math.inf,
            evidence={
                "kernel_dimension": k,
                "singular values": generator.standard_normal(size),
                "kernel": generator.standard_normal((40, size)),
                "note": 'a "quoted" text with a zero \x00 and a lone \ud800',
                "nested": [1, 2.5, None, True, {"a": (1, math.nan)}, {3: "three", "$x": -math.inf}],
                "eigenvalues": np.array([1 + 2j, complex(math.nan, -0.0)]),
                "multiplier": 1 - 1e-16j,
                "status": Status.CONVERGED,
            },
            verdict_before=VERDICT,
            verdict_after=None,
        )
        for k, kind in enumerate(("fold", "branch-point"))
    )
    return Branch(
        names=tuple(f"w[{k},λ]" for k in range(size)),
        parameter="p",
        z=z,
        tangent=generator.standard_normal((points, size + 1)),
        arclength=np.cumsum(generator.random(points)),
        residual_norm=generator.random(points) * 1e-310,
        iterations=generator.integers(0, 7, points),
        columns={
            "cost": generator.standard_normal(points),
            "index": generator.integers(-2, 9, points),
            "arclength": generator.standard_normal(points),
            "a/b": generator.standard_normal(points).astype(np.float32),
            "column_3": generator.random(points) < 0.5,
            "mode": generator.integers(-1, 2, (points, 3)).astype(np.int8),
            "spectrum": generator.standard_normal((points, 2)) * (1 + 1j),
            "kind": np.array(["minimum", "", "Sattel ä"] * points)[:points],
            "half": generator.standard_normal(points).astype(np.float16),
            "arrays": generator.standard_normal(points).astype(">f8"),
        },
        special_points=specials,
        status=(Status.LEFT_BOUNDS, Status.END_OF_SPAN),
        span=(-1.0, 2.0),
        values={"p": -1.0, "lam": 0.1 + 0.2},
        settings=Settings(step_maximum=0.3, seed=11),
        verdicts=((0, 3, VERDICT), (3, max(points - 1, 0), Criticality(kind="undecided"))),
        provenance={"versions": {"numpy": np.__version__}, "seed": 11, "counters": (3, 4)},
    )


def assert_same(first: Any, second: Any) -> None:
    """Equal in type and to the last bit, NaN included."""
    if isinstance(first, np.ndarray):
        assert isinstance(second, np.ndarray)
        assert first.shape == second.shape
        assert first.dtype.newbyteorder("=") == second.dtype
        if first.dtype.kind in "OU":
            assert first.tolist() == second.tolist()
        else:
            native = first.astype(second.dtype, copy=False)
            assert np.ascontiguousarray(native).tobytes() == np.ascontiguousarray(second).tobytes()
        return
    assert type(first) is type(second)
    if dataclasses.is_dataclass(first):
        for field in dataclasses.fields(first):
            assert_same(getattr(first, field.name), getattr(second, field.name))
    elif isinstance(first, dict):
        assert list(first) == list(second)
        for key in first:
            assert_same(first[key], second[key])
    elif isinstance(first, (list, tuple)):
        assert len(first) == len(second)
        for one, other in zip(first, second, strict=True):
            assert_same(one, other)
    elif isinstance(first, float):
        if math.isnan(first):
            assert math.isnan(second)
        else:
            assert struct.pack("d", first) == struct.pack("d", second)
    elif isinstance(first, complex):
        assert_same(first.real, second.real)
        assert_same(first.imag, second.imag)
    else:
        assert first == second


@pytest.mark.parametrize("points", [7, 1, 0])
def test_branch_round_trip_is_exact(tmp_path: Path, points: int) -> None:
    branch = make_branch(points)
    save(branch, tmp_path / "branch.nc")
    assert_same(branch, load(tmp_path / "branch.nc"))
    assert os.listdir(tmp_path) == ["branch.nc"]


def test_diagram_round_trip_is_exact(tmp_path: Path) -> None:
    diagram = Diagram(
        branches=(make_branch(5), make_branch(3, size=2, seed=1)),
        connections=((0, 1, 1),),
        status=Status.BUDGET_SPENT,
        report={"failures": [(Status.START_FAILED, "no direction")], "duplicates": 2},
    )
    save(diagram, tmp_path / "diagram.nc")
    assert_same(diagram, load(tmp_path / "diagram.nc"))


def test_points_round_trip_is_exact(tmp_path: Path) -> None:
    points = (
        Point(np.array([1.0, 2.0]), np.array([0.0, math.nan]), 0.5, 1e-12, 3),
        make_branch().special_points[0],
        VERDICT,
    )
    save(points, tmp_path / "points.nc")
    assert_same(points, load(tmp_path / "points.nc"))


def test_special_point_in_other_unknowns_than_the_branch(tmp_path: Path) -> None:
    branch = make_branch()
    odd = branch.special_points[0].replace(z=np.arange(5.0), tangent=np.arange(5, dtype=float))
    branch.special_points = (branch.special_points[0], odd)
    save(branch, tmp_path / "branch.nc")
    assert_same(branch.special_points, load(tmp_path / "branch.nc").special_points)


def test_description_of_the_problem_is_kept_once(tmp_path: Path) -> None:
    source = Described()
    branches = (make_branch(3), make_branch(3, seed=1), make_branch(3, seed=2))
    branches[0].source = branches[1].source = source
    save(Diagram(branches=branches), tmp_path / "diagram.nc")
    loaded = load(tmp_path / "diagram.nc")
    assert [branch.source for branch in loaded] == [None] * 3
    assert loaded[0].provenance["description"] == source.describe()
    assert loaded[1].provenance["description"] == source.describe()
    assert "description" not in loaded[2].provenance
    # A loaded result is saved again without loss.
    save(loaded, tmp_path / "again.nc")
    assert_same(loaded, load(tmp_path / "again.nc"))


def test_xarray_opens_a_branch(tmp_path: Path) -> None:
    branch = make_branch()
    save(branch, tmp_path / "branch.nc")
    with xarray.open_dataset(tmp_path / "branch.nc", group="branch/0") as table:
        assert table["component"].values.tolist() == [*branch.names, "p"]
        np.testing.assert_array_equal(table["z"].values, branch.z)
        np.testing.assert_array_equal(table["cost"].values, branch["cost"])
        assert table["column_4"].dtype == bool
    with xarray.open_dataset(tmp_path / "branch.nc", group="branch/0/special_points") as table:
        assert table["kind"].values.tolist() == ["fold", "branch-point"]


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.complex_numbers()
    | st.sampled_from(list(Status))
    | hnp.arrays(
        st.sampled_from([np.float64, np.float32, np.int64, np.uint8, np.bool_, np.complex128]),
        hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=5),
    ),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.text(max_size=3) | st.integers(), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.text(max_size=4), VALUES, max_size=4))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_evidence_round_trips(tmp_path_factory: Any, evidence: dict[str, Any]) -> None:
    path = tmp_path_factory.mktemp("evidence") / "points.nc"
    verdicts = [Criticality(kind="undecided", evidence=evidence)]
    save(verdicts, path)
    assert_same(verdicts, load(path))


def test_numpy_scalars_come_back_as_python_numbers(tmp_path: Path) -> None:
    save([np.float64(0.1), np.int32(4), np.bool_(True), np.complex128(1j)], tmp_path / "a.nc")
    assert_same([0.1, 4, True, 1j], load(tmp_path / "a.nc"))


@pytest.mark.parametrize("bad", [object(), {"f": print}, np.array([object()]), {1, 2}])
def test_what_has_no_exact_text_is_refused_by_place(tmp_path: Path, bad: Any) -> None:
    branch = make_branch()
    branch.provenance["odd"] = bad
    with pytest.raises(StorageError, match=r"branch 0\['provenance'\]\['odd'\]"):
        save(branch, tmp_path / "branch.nc")
    assert os.listdir(tmp_path) == []


def test_a_failed_save_keeps_the_former_file(tmp_path: Path) -> None:
    path = tmp_path / "branch.nc"
    save(make_branch(seed=4), path)
    before = path.read_bytes()
    broken = make_branch()
    broken.columns["odd"] = np.array([object()] * 7)
    with pytest.raises(StorageError, match="column 'odd'"):
        save(broken, path)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["branch.nc"]


def test_an_interrupted_save_leaves_nothing(tmp_path: Path) -> None:
    class Interrupting(dict):  # type: ignore[type-arg]
        def items(self) -> Any:
            raise KeyboardInterrupt

    branch = make_branch()
    branch.provenance = Interrupting(a=1)
    with pytest.raises(KeyboardInterrupt):
        save(branch, tmp_path / "branch.nc")
    assert os.listdir(tmp_path) == []


def test_only_results_are_saved(tmp_path: Path) -> None:
    with pytest.raises(SpecificationError, match="result"):
        save({"a": 1}, tmp_path / "a.nc")  # type: ignore[arg-type]


def test_unwritable_path(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="Cannot write"):
        save(make_branch(), tmp_path / "missing" / "branch.nc")
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="Cannot write"):
        save(make_branch(), tmp_path / "file" / "branch.nc")
    with pytest.raises(StorageError, match="folder"):
        save(make_branch(), tmp_path)


def test_files_that_are_not_ours(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="There is no file"):
        load(tmp_path / "none.nc")
    with pytest.raises(StorageError, match="is a folder"):
        load(tmp_path)
    (tmp_path / "text.nc").write_text("not a data file")
    with pytest.raises(StorageError, match="not a file of contcrit's"):
        load(tmp_path / "text.nc")
    xarray.Dataset({"a": ("t", [1.0])}).to_netcdf(tmp_path / "foreign.nc", engine="h5netcdf")
    with pytest.raises(StorageError, match="not a file of contcrit's"):
        load(tmp_path / "foreign.nc")


def test_newer_and_damaged_files(tmp_path: Path) -> None:
    path = tmp_path / "branch.nc"
    save(make_branch(), path)
    with h5py.File(path, "a") as file:
        file.attrs["format_version"] = FORMAT_VERSION + 1
    with pytest.raises(StorageError, match="newer contcrit"):
        load(path)
    with h5py.File(path, "a") as file:
        file.attrs["format_version"] = FORMAT_VERSION
        file["branch/0/metadata"][...] = '{"status": '
    with pytest.raises(StorageError, match="damaged"):
        load(path)
    save(make_branch(), path)
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(StorageError, match="damaged"):
        load(path)
