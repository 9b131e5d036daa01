"""Machine code on disk: many processes at once, damaged files, folders that cannot be written."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from contcrit.engine import native, native_twins

ROOT = Path(__file__).resolve().parents[2]

WRITERS = """
    import sys, time
    from pathlib import Path
    import numba
    from contcrit.engine.code_cache import guard

    folder = Path(sys.argv[1])
    numba.config.CACHE_DIR = str(folder)

    def double(value):
        return value + value

    compiled = numba.njit(cache=True)(double)
    guard(compiled, folder)
    files = type(compiled._cache._cache_file)
    save_index = files._save_index

    def save_slowly(self, overloads):  # all processes have read the index before one writes it
        time.sleep(0.4)
        save_index(self, overloads)

    files._save_index = save_slowly
    while time.time() < float(sys.argv[2]):
        pass
    kinds = [int, float, complex, bool]
    for kind in kinds[int(sys.argv[3]) : int(sys.argv[4])]:
        assert compiled(kind(1)) == 2 * kind(1), kind
    print(sum(compiled.stats.cache_hits.values()))
"""

SOLVERS = """
    import sys
    import sympy as sp
    import numpy as np
    import contcrit as cc
    from contcrit.api.many import solve_many

    x, p = sp.symbols("x p")
    problem = cc.Problem([p - x * sp.exp(x)], [x], [p])
    found = solve_many(
        problem, [1.0], values={"p": np.linspace(0.1, 5, 100)}, settings=cc.Settings(gear="native")
    )
    assert found.converged.all() and found.provenance == {"gear": "native"}
    print(found.x.tobytes().hex())
"""


def launch(script: Path, home: Path, *arguments: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "XDG_CACHE_HOME": str(home), "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        [sys.executable, str(script), *arguments],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def outputs(processes: list[subprocess.Popen[str]]) -> list[str]:
    found = []
    for process in processes:
        out, err = process.communicate(timeout=600)
        assert process.returncode == 0, err
        found.append(out.strip())
    return found


def written(tmp_path: Path, source: str) -> Path:
    script = tmp_path / "script.py"
    script.write_text(textwrap.dedent(source))
    return script


def test_processes_that_start_cold_together_agree(tmp_path):
    script = written(tmp_path, SOLVERS)
    home = tmp_path / "home"
    first = outputs([launch(script, home) for _ in range(2)])
    again = outputs([launch(script, home)])
    assert len(set(first + again)) == 1 and first[0]
    assert any((home / "contcrit").rglob("*.nbi"))


def test_processes_that_write_different_signatures_together_keep_them_apart(tmp_path):
    import time

    script = written(tmp_path, WRITERS)
    folder = tmp_path / "code"
    folder.mkdir()
    start = str(time.time() + 8)
    outputs([launch(script, tmp_path, str(folder), start, str(k), str(k + 1)) for k in range(4)])
    assert outputs([launch(script, tmp_path, str(folder), "0", "0", "4")]) == ["4"]


def made(folder: Path):
    """Return a guarded function of this file, compiled to a folder."""
    import numba

    from contcrit.engine.code_cache import guard

    previous = numba.config.CACHE_DIR
    numba.config.CACHE_DIR = str(folder)
    try:
        compiled = numba.njit(cache=True)(triple)
    finally:
        numba.config.CACHE_DIR = previous
    guard(compiled, folder)
    return compiled


def triple(value):
    return value + value + value


def hits(compiled) -> int:
    return sum(compiled.stats.cache_hits.values())


@pytest.mark.parametrize("suffix", [".nbi", ".nbc"])
def test_damaged_files_are_written_anew(tmp_path, suffix):
    assert made(tmp_path)(2) == 6
    damaged = list(tmp_path.rglob(f"*{suffix}"))
    assert damaged
    for path in damaged:
        path.write_bytes(path.read_bytes()[:40])
    repaired = made(tmp_path)
    assert repaired(2) == 6 and hits(repaired) == 0
    once_more = made(tmp_path)
    assert once_more(2) == 6 and hits(once_more) == 1


def test_a_full_disk_costs_the_file_only(tmp_path, monkeypatch):
    compiled = made(tmp_path)

    def full(self, name, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(type(compiled._cache._cache_file), "_save_data", full)
    assert compiled(2) == 6


def test_a_home_that_turns_unwritable_costs_the_file_only(tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    compiled = made(home)
    for path in home.rglob("*"):
        if path.is_dir():
            path.rmdir()
    home.rmdir()
    home.write_text("now a file")  # refused even to those whom permissions do not stop
    assert compiled(2) == 6


def test_functions_for_many_problems_compile_without_a_home(tmp_path, monkeypatch):
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    monkeypatch.setenv("XDG_CACHE_HOME", str(blocked))
    found = native.compile_functions((triple,), **native_twins.OPTIONS)
    assert found[0](2) == 6 and hits(found[0]) == 0
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    kept = native.compile_functions((triple,), **native_twins.OPTIONS)
    assert kept[0](2) == 6
    assert any(native.cache_directory().rglob("*triple*.nbi"))
