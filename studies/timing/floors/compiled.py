"""Compile and run the C floor; without a C compiler, say so.

``python compiled.py P1|P2``; the compiler is ``$CC``, or ``cc`` on the search path.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from references import SPIRAL_FOLD
from stopwatch import named, repeats_from_environment, report

SOURCE = Path(__file__).resolve().parent / "spiral.c"
TOOL = "floor: C"


def main(problem: str) -> None:
    compiler = shutil.which(os.environ.get("CC", "cc"))
    if compiler is None:
        report(TOOL, problem, outcome="skipped", reason="no C compiler was found")
        return
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "spiral"
        build = [compiler, "-O2", str(SOURCE), "-o", str(program), "-lm"]
        made = subprocess.run(build, capture_output=True, text=True)
        if made.returncode:
            reason = f"{compiler} could not compile it: {made.stderr[-200:]}"
            report(TOOL, problem, outcome="failed", reason=reason)
            return
        found = []
        for _ in range(repeats_from_environment()):
            printed = subprocess.run([program, "300", "0.03"], capture_output=True, text=True)
            records = [json.loads(line) for line in printed.stdout.splitlines()]
            found.append(next(item for item in records if item["problem"] == problem))
    record = found[0]
    for key in ("warm_cpu_s", "gross_us", "net_us"):
        record[key] = statistics.median(item[key] for item in found)
    record["spread"] = [pick(item["warm_cpu_s"] for item in found) for pick in (min, max)]
    # What the march calls the fold is interpolated between two points: no located fold.
    record["fold_error"] = abs(record["largest_parameter"] - SPIRAL_FOLD)
    record["fold_from"] = "interpolated"
    record["repeats"] = len(found)
    report(record.pop("tool"), record.pop("problem"), **record)


if __name__ == "__main__":
    main(named(sys.argv[1:]))
