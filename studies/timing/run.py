"""Measure contcrit, the floors and the other tools, one process each; write what was found.

    python studies/timing/run.py [--quick] [--peers DIR] [--auto DIR] [--repeats N] [--out DIR]

This process stays small (standard library only), because a child may inherit its peak memory.
"""

from __future__ import annotations

import argparse
import datetime
import fnmatch
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from plan import HERE, ROOT, Case, Places, every_case
from processes import Finished, execute

PACKAGES = ("contcrit", "numpy", "scipy", "sympy", "symengine", "numba", "llvmlite")


def main(arguments: list[str] | None = None) -> int:
    options = _options(arguments)
    places = Places.of(options.peers, options.auto)
    cases = [case for case in every_case() if case.quick or not options.quick]
    cases = [case for case in cases if _wanted(case.tool, case.problem, options.only)]
    if options.list:
        for case in cases:
            print(f"{case.tool:24s} {case.problem}")
        return 0
    out = Path(options.out).resolve()
    out.mkdir(parents=True, exist_ok=True)
    results = out / "results.json"
    records: list[dict[str, Any]] = []
    report = {
        "machine": machine(), "quick": options.quick,
        "only": options.only, "repeats": options.repeats,
        "records": records,
    }  # fmt: skip
    if any(case.tool.startswith("contcrit") for case in cases):
        print("compiling the native gear", file=sys.stderr, flush=True)
        compile_native()
    for number, case in enumerate(cases, start=1):
        print(f"[{number}/{len(cases)}] {case.tool} on {case.problem}", file=sys.stderr, flush=True)
        records += measured(case, places, options)
        _write(report, results)  # what was measured so far survives an interruption
    if any(_wanted("contcrit", name, options.only) for name in ("start-up", "first branch")):
        records += start_up(options.repeats)
    report["machine"]["load_at_the_end"] = _load()
    _write(report, results)
    rendered = execute(
        [sys.executable, HERE / "render.py", results, "--page", out / "performance.md",
         "--figure", out / "performance.png"], paths=(ROOT,),
    )  # fmt: skip
    print(rendered.output, end="")
    if rendered.code:
        print(rendered.errors, file=sys.stderr)
    return rendered.code


def compile_native() -> None:
    """Fill the user's cache of machine code, so that no measured process has to compile."""
    with tempfile.TemporaryDirectory() as folder:
        for script, arguments in (
            ("cases/first_branch.py", [Path(folder) / "branch.nc", "native"]),
            ("cases/many.py", ["solutions"]),
        ):
            execute(
                [sys.executable, "-W", "ignore", HERE / script, *arguments], paths=(ROOT,),
                environment={"TIMING_QUICK": "1", "TIMING_REPEATS": "1"}, limit=1200,
            )  # fmt: skip


def _write(report: dict[str, Any], path: Path) -> None:
    path.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


def measured(case: Case, places: Places, options: argparse.Namespace) -> list[dict[str, Any]]:
    """Return the records of one case; a case that cannot run is a record, too."""
    interpreter = places.interpreter(case.tool)
    known = {"tool": case.tool, "problem": case.problem}
    if isinstance(interpreter, str):
        return [{**known, "outcome": "skipped", "reason": interpreter}]
    environment = {
        "TIMING_REPEATS": str(options.repeats),
        "TIMING_QUICK": "1" if options.quick else "0",
        **case.environment,
    }
    paths = [ROOT] if case.tool.startswith("contcrit") else [HERE / "peers"]
    if case.tool == "pydstool":
        paths.append(HERE / "peers" / "pydstool_shim")
    if case.tool == "auto-07p":
        environment["AUTO_DIR"] = str(places.auto)
    with tempfile.TemporaryDirectory() as folder:
        finished = execute(
            [interpreter, "-W", "ignore", HERE / case.script, *case.arguments],
            environment=environment, paths=paths, limit=min(case.limit, options.limit),
            folder=Path(folder),
        )  # fmt: skip
    whole = {
        "process_cpu_s": finished.cpu_s,
        "process_wall_s": finished.wall_s,
        "peak_mb": finished.peak_mb,
    }
    if finished.records and finished.code == 0:
        return [{"outcome": "measured", **record, **whole} for record in finished.records]
    return [{**known, "outcome": "failed", "reason": _reason(finished, options.limit), **whole}]


def start_up(repeats: int) -> list[dict[str, Any]]:
    """Time whole processes: the command line's help, the import, the first saved branch."""
    python = [sys.executable]
    records = [
        _process("interpreter alone", [*python, "-c", "pass"], repeats),
        _process("import contcrit", [*python, "-c", "import contcrit"], repeats),
        _process("contcrit --help", [*python, "-m", "contcrit", "--help"], repeats),
    ]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "branch.nc"
        for gear in ("auto", "native"):
            command = [*python, HERE / "cases" / "first_branch.py", file, gear]
            cold = []
            # Compiling everything takes a minute; it is not repeated.
            for _ in range(1 if gear == "native" else min(repeats, 3)):
                with tempfile.TemporaryDirectory() as cache:
                    place = {"XDG_CACHE_HOME": cache, "NUMBA_CACHE_DIR": ""}
                    cold.append(execute(command, paths=(ROOT,), environment=place))
                    warm = [
                        execute(command, paths=(ROOT,), environment=place) for _ in range(repeats)
                    ]
            label = f"first branch, {gear} gear"
            records.append(_summary(f"{label}, empty cache", cold))
            records.append(_summary(f"{label}, filled cache", warm))
    return records


def _process(name: str, command: list[Any], repeats: int) -> dict[str, Any]:
    return _summary(name, [execute(command, paths=(ROOT,)) for _ in range(repeats)])


def _summary(name: str, runs: list[Finished]) -> dict[str, Any]:
    failed = [run for run in runs if run.code]
    known = {"tool": "contcrit", "problem": name}
    if failed:
        return {**known, "outcome": "failed", "reason": _reason(failed[0], 0.0)}
    record = {key: value for run in runs for item in run.records for key, value in item.items()}
    return {
        **record,
        **known,
        "outcome": "measured",
        "repeats": len(runs),
        "process_cpu_s": statistics.median(run.cpu_s for run in runs),
        "spread": [min(run.cpu_s for run in runs), max(run.cpu_s for run in runs)],
        "process_wall_s": statistics.median(run.wall_s for run in runs),
        "peak_mb": statistics.median(run.peak_mb for run in runs),
    }


def machine() -> dict[str, Any]:
    """Return what the times depend on."""
    processor = platform.processor()
    listing = Path("/proc/cpuinfo")
    if listing.exists():
        names = [
            line.split(":", 1)[1].strip()
            for line in listing.read_text(encoding="utf-8").splitlines()
            if line.startswith("model name")
        ]
        processor = names[0] if names else processor
    versions = execute([sys.executable, "-c", _VERSIONS, *PACKAGES], paths=(ROOT,))
    return {
        "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "processor": processor or platform.machine(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "versions": json.loads(versions.output),
        "revision": _revision(),
        "load_at_the_start": _load(),
    }


_VERSIONS = """
import json, sys
from importlib.metadata import PackageNotFoundError, version
found = {}
for name in sys.argv[1:]:
    try:
        found[name] = version(name)
    except PackageNotFoundError:
        found[name] = __import__(name).__version__ if name == "contcrit" else "not installed"
print(json.dumps(found))
"""


def _load() -> list[float]:
    return [round(value, 2) for value in os.getloadavg()] if hasattr(os, "getloadavg") else []


def _revision() -> str:
    try:
        found = subprocess.run(
            ["git", "rev-parse", "--short", "HEAD"], cwd=HERE, capture_output=True, text=True
        )
    except OSError:
        return ""
    return found.stdout.strip()


def _reason(finished: Finished, limit: float) -> str:
    if finished.code == -9:
        return f"stopped after {finished.wall_s:.0f} s"
    lines = [line for line in finished.errors.splitlines() if line.strip()]
    return (lines[-1] if lines else f"exit code {finished.code}")[:300]


def _wanted(tool: str, problem: str, patterns: list[str]) -> bool:
    texts = (tool, problem, f"{tool}:{problem}")
    return not patterns or any(
        fnmatch.fnmatch(text, pattern) for text in texts for pattern in patterns
    )


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="small problems only, a few minutes")
    parser.add_argument("--peers", metavar="DIR", help="folder of environments, one a tool")
    parser.add_argument("--auto", metavar="DIR", help="AUTO-07p's folder, with cmds/ and lib/")
    parser.add_argument("--repeats", type=int, default=5, metavar="N", help="samples (default 5)")
    parser.add_argument("--limit", type=float, default=1200.0, help="seconds for each process")
    parser.add_argument("--only", nargs="+", default=[], metavar="PATTERN",
                        help="tools, problems or tool:problem, with * and ?")  # fmt: skip
    parser.add_argument("--out", default="timing-results", metavar="DIR", help="folder of results")
    parser.add_argument("--list", action="store_true", help="print the cases and stop")
    options = parser.parse_args(arguments)
    if options.repeats < 1:
        parser.error("--repeats must be at least 1")
    return options


if __name__ == "__main__":
    sys.exit(main())
