"""AUTO-07p: its Fortran programs, built and run by its own makefile; standard library only.

``AUTO_DIR=<folder with cmds/ and lib/> python with_auto.py PROBLEM``, one of `CASES`.
Times are those of the child processes: a whole run less one of two points gives the cost of a
point.
"""

from __future__ import annotations

import os
import re
import shutil
import statistics
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from references import BRATU_FOLD, GRID_FOLDS, SPIRAL_FOLD
from stopwatch import cpu, fold_error, named, repeats_from_environment, report

HERE = Path(__file__).resolve().parent
KINDS = {1: "BP", 2: "LP", 3: "HB", -4: "UZ", 5: "LP", 6: "BP"}
ENDS = {0, 4, 9, -9}

COMMON: dict[str, Any] = {
    "IPS": 0, "IRS": 0, "ILP": 1, "NTST": 50, "NCOL": 4, "IAD": 3, "ISP": 1, "ISW": 1, "IPLT": 0,
    "NBC": 0, "NINT": 0, "NMX": 2000, "NPR": 100000, "MXBF": 0, "IID": 0, "ITMX": 9, "ITNW": 7,
    "NWTN": 3, "JAC": 0, "EPSL": 1e-9, "EPSU": 1e-9, "EPSS": 1e-8, "DS": 0.01, "DSMIN": 1e-6,
    "DSMAX": 0.03, "IADS": 1, "NPAR": 3, "ICP": "[1]", "RL0": 1e-4, "RL1": 1.0,
}  # fmt: skip

GRID = {"ICP": "[1,2]", "JAC": 1, "DS": 0.05, "UZSTOP": "{2:8.0}", "RL0": -1.0, "RL1": 10.0}
CROSSING = {"ISP": 2, "DSMAX": 0.01, "MXBF": 5, "NMX": 400, "UZSTOP": "{1:[0.005,1.2]}"} | {
    "RL0": 0.0,
    "RL1": 1.3,
}

# Problem: program, constants that differ, unknowns, reference of the fold.
CASES: dict[str, tuple[str, dict[str, Any], int, float | None]] = {
    "P1": ("p1", {"JAC": 1, "UZSTOP": "{1:-1e-4}"}, 2, SPIRAL_FOLD),
    "P2": ("p2", {"DSMAX": 0.03 * 2**0.5}, 4, SPIRAL_FOLD),
    "P3_50": ("p3", GRID | {"DSMAX": 0.4}, 50, GRID_FOLDS[50]),
    "P3_1000": ("p3", GRID | {"DSMAX": 2.0}, 1000, GRID_FOLDS[1000]),
    "P3_bvp": ("p3b", GRID | {"JAC": 0, "IPS": 4, "NBC": 2, "DSMAX": 0.1}, 2, BRATU_FOLD),
    "P4": ("p4", CROSSING, 2, None),
    "P4_trivial": ("p4t", CROSSING, 2, None),
}


def constants(unknowns: int, changes: dict[str, Any]) -> str:
    """Return the text of a constants file."""
    return "".join(f"{k}={v}\n" for k, v in {"NDIM": unknowns, **COMMON, **changes}.items())


class Program:
    """One Fortran program of AUTO in a folder of its own."""

    def __init__(self, name: str, auto: str, folder: Path) -> None:
        self.name, self.folder = name, folder
        shutil.copy(HERE / "fortran" / f"{name}.f90", folder)
        begun = cpu()
        made = subprocess.run(
            [
                "make", "-s", "-f", f"{auto}/cmds/cmds.make", f"EQUATION_NAME={name}",
                f"AUTO_DIR={auto}", f"{name}.exe",
            ],
            cwd=folder, capture_output=True, text=True,
        )  # fmt: skip
        if not (folder / f"{name}.exe").exists():
            raise SystemExit(f"the program could not be built: {made.stderr[-500:]}")
        self.build_cpu_s = cpu() - begun

    def run(self, text: str) -> float:
        """Run with these constants; return its processor time."""
        for leftover in ("fort.7", "fort.8", "fort.9"):
            (self.folder / leftover).unlink(missing_ok=True)
        begun = cpu()
        subprocess.run(
            [f"./{self.name}.exe"], cwd=self.folder, input=text, capture_output=True, text=True
        )
        return cpu() - begun

    def points(self) -> tuple[list[float], list[tuple[str, float]]]:
        """Return the parameter at every accepted point, and the special points."""
        lams, events = [], []
        for line in (self.folder / "fort.7").read_text().splitlines():
            words = line.split()
            if len(words) < 5 or words[0] == "0":
                continue
            lams.append(float(words[4]))
            kind = int(words[2])
            if kind not in ENDS:
                events.append((KINDS.get(kind, str(kind)), float(words[4])))
        return lams, events


def main(problem: str) -> None:
    auto = os.environ.get("AUTO_DIR", "")
    name, changes, unknowns, reference = CASES[problem]
    text = constants(unknowns, changes)
    short = re.sub(r"NMX=\d+", "NMX=2", text)
    repeats = 1 if problem == "P3_1000" else 4 * repeats_from_environment()
    with tempfile.TemporaryDirectory() as folder:
        program = Program(name, auto, Path(folder))
        least = statistics.median(program.run(short) for _ in range(repeats))
        shortest = len(program.points()[0])
        taken = [program.run(text) for _ in range(repeats)]
        lams, events = program.points()
    whole = statistics.median(taken)
    folds = [lam for kind, lam in events if kind == "LP"]
    found = {
        "points": len(lams),
        "events": events,
        "fold": folds[0] if folds else None,
        "largest_parameter": max(lams),
    }
    report(
        "AUTO-07p", problem, unknowns=unknowns, repeats=repeats, warm_cpu_s=whole,
        spread=[min(taken), max(taken)], one_step_cpu_s=least, build_cpu_s=program.build_cpu_s,
        start_cpu_s=program.build_cpu_s + least, gross_us=1e6 * whole / len(lams),
        net_us=1e6 * (whole - least) / (len(lams) - shortest), **found,
        **fold_error(found, reference),
    )  # fmt: skip


if __name__ == "__main__":
    main(named())
