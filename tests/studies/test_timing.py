"""The benchmarks: their arithmetic, their honesty about what is missing, and one short run."""

from __future__ import annotations

import ast
import importlib
import itertools
import json
import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "studies" / "timing"
MODULES = ("stopwatch", "processes", "references", "plan", "tables", "targets", "render", "run")

pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="the benchmarks are not installed")


@pytest.fixture
def timing(monkeypatch: pytest.MonkeyPatch) -> Iterator[SimpleNamespace]:
    """Return the modules of the benchmarks, which import each other as scripts do."""
    monkeypatch.syspath_prepend(str(FOLDER))
    before = {name: sys.modules.pop(name) for name in MODULES if name in sys.modules}
    yield SimpleNamespace(**{name: importlib.import_module(name) for name in MODULES})
    for name in MODULES:
        sys.modules.pop(name, None)
    sys.modules.update(before)


def record(tool: str, problem: str, **values: Any) -> dict[str, Any]:
    known = {"tool": tool, "problem": problem, "outcome": "measured", "points": 10, "unknowns": 2}
    return {**known, "gross_us": 9.0, "peak_mb": 1.0, "process_cpu_s": 1.0, **values}


def report(*records: dict[str, Any]) -> dict[str, Any]:
    machine = {
        "date": "today", "processor": "one", "cores": 1, "system": "some", "python": "3",
        "versions": {"contcrit": "0"}, "revision": "",
    }  # fmt: skip
    return {"machine": machine, "quick": True, "repeats": 1, "records": list(records)}


# ---- arithmetic --------------------------------------------------------------------------------


def test_net_leaves_out_what_one_step_takes(
    timing: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = SimpleNamespace(now=0.0)

    def steps(count: int) -> dict[str, Any]:
        clock.now += 5.0 + 2.0 * count
        return {"points": count + 1}

    monkeypatch.setattr(timing.stopwatch, "cpu", lambda: clock.now)
    found = timing.stopwatch.measure(lambda: steps(100), lambda: steps(1), 3)
    assert found["warm_cpu_s"] == pytest.approx(205.0)
    assert found["gross_us"] == pytest.approx(1e6 * 205 / 101)
    assert found["net_us"] == pytest.approx(2e6)
    assert found["repeats"] == 3


def test_short_calls_are_looped(timing: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = itertools.count()
    calls = itertools.count()
    monkeypatch.setattr(timing.stopwatch, "cpu", lambda: 1e-3 * next(calls))
    found = timing.stopwatch.samples([lambda: next(ticks), lambda: None], 2)
    # The clock moves a millisecond a reading: no loop lasts long enough, and all are counted.
    assert [len(taken) for taken in found] == [2, 2]
    assert next(ticks) >= 20_000


def test_calls_are_timed_in_turn(timing: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = itertools.count()
    order: list[str] = []
    monkeypatch.setattr(timing.stopwatch, "cpu", lambda: float(next(clock)))
    calls = [lambda: order.append("run"), lambda: order.append("step")]
    assert timing.stopwatch.samples(calls, 3) == [[1.0] * 3, [1.0] * 3]
    assert order == ["run", "step"] * 3


def test_a_fold_that_was_not_located_is_marked(timing: SimpleNamespace) -> None:
    located = timing.stopwatch.fold_error({"fold": 1.5, "largest_parameter": 1.0}, 1.25)
    assert located == {"fold_error": 0.25, "fold_from": "located"}
    largest = timing.stopwatch.fold_error({"fold": None, "largest_parameter": 1.0}, 1.25)
    assert largest == {"fold_error": 0.25, "fold_from": "largest point"}
    assert timing.tables.fold_error(largest).endswith("(largest point)")
    assert "none found" in timing.tables.fold_error(timing.stopwatch.fold_error({}, 1.25))


def test_references_agree_with_each_other(timing: SimpleNamespace) -> None:
    references = timing.references
    assert references.grid_fold(999) == pytest.approx(3.513828891028, rel=1e-12)
    second, fourth = references.BRATU_SHIFTS
    for interior, fold in references.GRID_FOLDS.items():
        mesh = 1 / (interior + 1)
        series = references.BRATU_FOLD + second * mesh**2 + fourth * mesh**4
        assert series == pytest.approx(fold, abs=100 * mesh**6)
    assert references.mittelmann(6)["fold"] == pytest.approx(0.367879441171, rel=1e-11)
    assert references.mittelmann(2000)["branch-point (1,0)"] == pytest.approx(0.272435, rel=1e-5)
    folds = [references.PLANE_BRATU_FOLDS[side] for side in (25, 50, 100, 200)]
    assert sorted(folds) == folds


def test_growth_is_the_slope(timing: SimpleNamespace) -> None:
    records = [record("contcrit", "P3", unknowns=n, net_us=0.3 * n**1.5) for n in (10, 100, 1000)]
    assert timing.targets.exponent(records) == pytest.approx(1.5)
    assert timing.targets.exponent(records[:1]) is None


@pytest.mark.parametrize(("cost", "verdict"), [(0.9, "reached"), (1.1, "**not reached**")])
def test_a_goal_is_reached_or_not(timing: SimpleNamespace, cost: float, verdict: str) -> None:
    results = timing.tables.Results([record("contcrit", "P1", net_us=cost)])
    first, second, *_ = timing.targets.targets(results)
    assert (first.value, first.verdict) == (cost, verdict)
    assert second.verdict == "not measured"


# ---- processes ---------------------------------------------------------------------------------


def test_a_process_is_measured_from_outside(timing: SimpleNamespace) -> None:
    source = (
        "import json; block = bytearray(80 * 2**20)\n"
        "for i in range(0, len(block), 4096): block[i] = 1\n"
        'print("noise"); print(json.dumps({"tool": "t", "problem": "p"})); print("{broken")'
    )
    finished = timing.processes.execute([sys.executable, "-c", source])
    assert finished.code == 0
    assert finished.records == [{"tool": "t", "problem": "p"}]
    # The child begins as a copy of this process, which may be large itself.
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    assert 80 < finished.peak_mb < 200 + own
    assert 0 < finished.cpu_s <= finished.wall_s * 8


def test_a_process_is_stopped_at_its_limit(timing: SimpleNamespace) -> None:
    waiting = [sys.executable, "-c", "import time; time.sleep(60)"]
    finished = timing.processes.execute(waiting, limit=0.5)
    assert finished.code == -9
    assert finished.wall_s < 30
    assert timing.run._reason(finished, 0.5).startswith("stopped after")
    assert timing.processes.execute(["a-program-that-does-not-exist"]).code == 127


# ---- what is measured --------------------------------------------------------------------------


def test_every_case_has_its_script(timing: SimpleNamespace) -> None:
    cases = timing.plan.every_case()
    assert len({(case.tool, case.problem) for case in cases}) >= 50
    for case in cases:
        assert (FOLDER / case.script).is_file(), case
    assert any(case.quick for case in cases) and not all(case.quick for case in cases)
    scripts = {FOLDER / case.script for case in cases}
    apart = {"own.py", "shared.py", "first_branch.py"}
    for folder in ("cases", "floors", "peers"):
        found = {path for path in (FOLDER / folder).glob("*.py") if path.name not in apart}
        assert found <= scripts


def test_every_script_is_python() -> None:
    for path in FOLDER.rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        assert ast.get_docstring(tree), path


def test_what_is_not_installed_says_so(timing: SimpleNamespace, tmp_path: Path) -> None:
    places = timing.plan.Places(None, None)
    assert "--peers" in places.interpreter("bice")
    assert "--auto" in places.interpreter("auto-07p")
    places = timing.plan.Places(tmp_path, tmp_path)
    assert "not installed" in places.interpreter("bice")
    assert "cmds" in places.interpreter("auto-07p")
    assert places.interpreter("contcrit (python gear)") == Path(sys.executable)
    program = tmp_path / "bice" / "bin" / "python"
    program.parent.mkdir(parents=True)
    program.touch()
    assert places.interpreter("bice") == program


def test_the_page_says_what_was_not_measured(timing: SimpleNamespace) -> None:
    page = timing.render.page(
        report(
            record("contcrit", "P1", net_us=2.0, fold_error=1e-12, fold_from="located"),
            record("AUTO-07p", "P1", net_us=8.0, fold_error=1e-9, fold_from="located"),
            {"tool": "bice", "problem": "P1", "outcome": "skipped", "reason": "no folder"},
        ),
        "",
    )
    assert "| bice, P1 | skipped | no folder |" in page
    assert "AUTO-07p 4x" in page
    (line,) = [line for line in page.splitlines() if line.startswith("| AUTO-07p |")]
    assert "1e-09" in line and "8 µs" in line


def test_a_run_goes_on_without_the_other_tools(tmp_path: Path) -> None:
    environment = {**os.environ, "PATH": ""}
    for name in ("TIMING_PEERS", "AUTO_DIR"):
        environment.pop(name, None)
    done = subprocess.run(
        [
            sys.executable, FOLDER / "run.py", "--quick", "--repeats", "1", "--out", tmp_path,
            "--only", "contcrit:mittelmann_20", "floor:P1", "bice:P1", "auto-07p:P1",
        ],
        capture_output=True, text=True, cwd=tmp_path, env=environment,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    written = json.loads((tmp_path / "results.json").read_text())
    outcomes = {(item["tool"], item["problem"]): item["outcome"] for item in written["records"]}
    assert outcomes["bice", "P1"] == outcomes["auto-07p", "P1"] == "skipped"
    assert outcomes["numpy loop", "P1"] == outcomes["contcrit", "mittelmann_20"] == "measured"
    # Without a search path there is no compiler either, which is said.
    assert outcomes["floor: C", "P1"] == "skipped"
    own = next(item for item in written["records"] if item["problem"] == "mittelmann_20")
    assert own["errors"]["fold"] < 1e-9
    assert own["points"] > 20
    assert own["gross_us"] > 0 and own["peak_mb"] > 10
    page = (tmp_path / "performance.md").read_text(encoding="utf-8")
    assert "no folder of other tools was given" in page
