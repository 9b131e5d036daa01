"""Studies are found by looking, run apart, and compared by stated rules."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from contcrit.cli import main
from contcrit.errors import SpecificationError
from contcrit.study import choose, compare, discover, expectations, load_study, run_study
from contcrit.study.expected import plain

STUDY = """
from contcrit.study import Study
{imports}

def run(out, progress):
    (out / "{stem}.png").write_bytes(b"drawn")
    return {values}

STUDY = Study(name="{name}", title="A title", claim="Equation 1", run=run, seed=7)
"""


def write_study(root: Path, paper: str, stem: str, values: str, imports: str = "") -> Path:
    folder = root / paper
    folder.mkdir(parents=True, exist_ok=True)
    name = f"{paper}/{stem}".replace("_", "-")
    text = STUDY.format(stem=stem, values=values, name=name, imports=imports)
    (folder / f"{stem}.py").write_text(text)
    return folder / f"{stem}.py"


def expect(root: Path, paper: str, entries: Any) -> None:
    (root / paper / "expected.json").write_text(json.dumps(entries))


def agreement(measured: Any, **entry: Any) -> bool | None:
    (item,) = compare({"q": measured}, {"q": entry})
    return item.agrees


def test_discovery_looks_for_the_definition(tmp_path: Path) -> None:
    write_study(tmp_path, "paper-1", "figure_2", "{}")
    write_study(tmp_path, "paper-1", "example_1", "{}")
    (tmp_path / "paper-1" / "_shared.py").write_text("STUDY = 1")
    (tmp_path / "paper-1" / "helper.py").write_text("raise SystemExit")
    (tmp_path / "timing").mkdir()
    (tmp_path / "timing" / "engine.py").write_text("raise SystemExit")
    assert list(discover(tmp_path)) == ["paper-1/example-1", "paper-1/figure-2"]


def test_discovery_refuses_what_it_cannot_read(tmp_path: Path) -> None:
    with pytest.raises(SpecificationError, match="is not a folder"):
        discover(tmp_path / "none")
    (tmp_path / "paper").mkdir()
    (tmp_path / "paper" / "broken.py").write_text("STUDY = (")
    with pytest.raises(SpecificationError, match="is not Python"):
        discover(tmp_path)


def test_two_files_of_one_name_are_refused(tmp_path: Path) -> None:
    write_study(tmp_path, "paper", "a_b", "{}")
    write_study(tmp_path, "paper", "a-b", "{}")
    with pytest.raises(SpecificationError, match="two files"):
        discover(tmp_path)


@pytest.mark.parametrize("name", ["paper-1/figure-2", "paper_1/figure_2", "paper-1/figure_2.py"])
def test_names_are_taken_with_hyphens_or_underscores(tmp_path: Path, name: str) -> None:
    write_study(tmp_path, "paper-1", "figure_2", "{}")
    write_study(tmp_path, "paper-1", "figure_3", "{}")
    found = discover(tmp_path)
    assert list(choose([name], found)) == ["paper-1/figure-2"]
    assert list(choose(["paper-1"], found)) == list(found)
    with pytest.raises(SpecificationError, match="neither a study nor a paper"):
        choose(["figure-2"], found)


def test_a_study_must_be_named_after_its_file(tmp_path: Path) -> None:
    path = write_study(tmp_path, "paper", "one", "{}")
    assert load_study("paper/one", path).seed == 7
    path.write_text(path.read_text().replace("paper/one", "paper/two"))
    with pytest.raises(SpecificationError, match="paper/one"):
        load_study("paper/one", path)


def test_relative_imports_find_shared_files(tmp_path: Path) -> None:
    for paper, value in (("paper-a", 3), ("paper-b", 4)):
        write_study(tmp_path, paper, "one", '{"n": VALUE}', "from ._shared import VALUE")
        (tmp_path / paper / "_shared.py").write_text(f"VALUE = {value}")
    measured = [
        run_study(name, path, tmp_path / "out").measured["n"]
        for name, path in discover(tmp_path).items()
    ]
    assert measured == [3, 4]


def test_a_run_is_recorded(tmp_path: Path) -> None:
    values = '{"fold": {"lam": np.float64(0.25), "index": 2}, "extra": float("nan")}'
    path = write_study(tmp_path / "studies", "paper", "one", values, "import numpy as np")
    entries = {
        "fold": {
            "lam": {"value": 0.25 + 1e-12, "atol": 1e-9, "source": "equation 3"},
            "index": {"value": 2, "source": "table 1"},
        },
        "missing": {"value": 1, "source": "table 2"},
    }
    expect(tmp_path / "studies", "paper", {"one": entries})
    report = run_study("paper/one", path, tmp_path / "out")
    agrees = {item.quantity: item.agrees for item in report.comparisons}
    assert agrees == {"fold/lam": True, "fold/index": True, "extra": None, "missing": False}
    assert not report.agrees
    record = json.loads((tmp_path / "out" / "paper" / "one.json").read_text())
    assert record["study"] == "paper/one"
    assert record["measured"] == {"fold": {"lam": 0.25, "index": 2}, "extra": "nan"}
    assert record["agrees"] is False
    assert record["seed"] == 7
    assert record["files"] == ["one.png"]
    assert record["versions"]["numpy"] == np.__version__
    assert record["elapsed_seconds"] >= 0
    assert [item["source"] for item in record["comparisons"]] == [
        "equation 3",
        "table 1",
        "",
        "table 2",
    ]


@pytest.mark.parametrize("values", ["1 / 0", '{"f": print}', "[1]", "missing_name"])
def test_a_failing_study_is_a_result(tmp_path: Path, values: str) -> None:
    path = write_study(tmp_path, "paper", "one", values)
    report = run_study("paper/one", path, tmp_path / "out")
    assert report.error
    assert not report.agrees
    record = json.loads((tmp_path / "out" / "paper" / "one.json").read_text())
    assert "Traceback" in record["traceback"]


def test_rules_of_agreement() -> None:
    assert agreement(1.05, value=1.0, rtol=0.1)
    assert not agreement(1.2, value=1.0, rtol=0.1)
    assert agreement(0.05, value=0.0, atol=0.1)
    assert not agreement(0.05, value=0.0, rtol=0.1)
    assert agreement(3, value=3)
    assert not agreement(4, value=3)
    assert agreement([1.0, 2.0], value=[1.0, 2.0 + 1e-12], rtol=1e-9)
    assert not agreement([1.0], value=[1.0, 2.0], rtol=1e-9)
    assert not agreement(1.0, value=[1.0], rtol=1e-9)
    assert agreement("minimum", value="minimum")
    assert not agreement("saddle", value="minimum")
    assert agreement(True, value=True)
    assert not agreement(1, value=True)
    assert not agreement(True, value=1)
    assert agreement(2.0, at_least=1, at_most=3)
    assert not agreement(0.5, at_least=1)
    assert not agreement(3.5, at_most=3)
    assert not agreement(None, value=1)
    for bound in ({"value": 1.0, "rtol": 1.0}, {"at_least": 0.0}, {"at_most": 0.0}):
        assert not agreement(math.nan, **bound)
    assert not agreement(math.inf, value=1.0, rtol=0.5)


@given(
    st.floats(-1e6, 1e6), st.floats(1e-12, 1.0), st.floats(-2.0, 2.0).filter(lambda s: abs(s) != 1)
)
def test_tolerance_is_the_border(value: float, atol: float, share: float) -> None:
    measured = value + share * atol
    assert agreement(measured, value=value, atol=atol) is (abs(measured - value) <= atol)


@pytest.mark.parametrize(
    "entry",
    [
        {},
        {"source": "nowhere"},
        {"value": 1.5},
        {"value": [1, 2.5]},
        {"value": 1, "tolerance": 1},
        {"value": 1.5, "rtol": "small"},
        {"at_most": "1"},
    ],
)
def test_malformed_entries_are_refused(tmp_path: Path, entry: dict[str, Any]) -> None:
    with pytest.raises(SpecificationError, match=r"expected\.json"):
        list(compare({"q": 1}, {"q": entry}))


@pytest.mark.parametrize("text", ["{", "[]", '{"one": 1}', '{"one": {"q": 1}}'])
def test_malformed_expectations_are_refused_before_the_run(tmp_path: Path, text: str) -> None:
    path = write_study(tmp_path, "paper", "one", "{}")
    (tmp_path / "paper" / "expected.json").write_text(text)
    with pytest.raises(SpecificationError, match=r"expected\.json"):
        run_study("paper/one", path, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_expectations_may_be_nested_or_joined(tmp_path: Path) -> None:
    entry = {"value": 1, "source": "here"}
    expect(tmp_path, ".", {"example_1": {"a": {"b": entry}, "c/d": entry}})
    assert expectations(tmp_path) == {"example-1": {"a/b": entry, "c/d": entry}}
    assert expectations(tmp_path / "elsewhere") == {}


def test_values_become_plain() -> None:
    given_values = {"a": np.arange(2), 1: (1 + 2j, np.bool_(True)), "n": None}
    assert plain(given_values, "q") == {"a": [0, 1], "1": [[1.0, 2.0], True], "n": None}


def test_command_runs_and_compares(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = tmp_path / "studies"
    write_study(root, "paper-1", "good", '{"q": 1.0}')
    write_study(root, "paper-1", "bad", '{"q": 2.0}')
    write_study(root, "paper-1", "raising", "1 / 0")
    entry = {"q": {"value": 1.0, "rtol": 1e-9, "source": "table 1"}}
    expect(root, "paper-1", {"good": entry, "bad": entry})
    common = ["--studies", str(root), "--out", str(tmp_path / "out")]
    assert main(["study", "--list", "--studies", str(root)]) == 0
    assert "paper-1/good" in capsys.readouterr().out
    assert main(["study", "paper-1/good", *common]) == 0
    assert "1 of 1 studies agree" in capsys.readouterr().out
    assert main(["study", "paper-1/bad", *common]) == 1
    shown = capsys.readouterr()
    assert "NO" in shown.out
    assert "paper-1/bad" in shown.err
    write_study(root, "paper-2", "silent", '{"q": 2.0}')
    assert main(["study", "paper-2", *common]) == 0
    shown = capsys.readouterr().out
    assert "0 of 1 studies agree" in shown
    assert "Nothing is expected of: paper-2/silent" in shown
    # One failure does not keep the others from running.
    assert main(["study", "--all", *common]) == 1
    shown = capsys.readouterr()
    assert "1 of 4 studies agree" in shown.out
    assert "ZeroDivisionError" in shown.err
    assert (tmp_path / "out" / "paper-1" / "good.json").exists()
