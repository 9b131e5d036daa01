"""Run one measurement in a process of its own: its records, processor time and peak memory."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent

ONE_THREAD = {
    name: "1"
    for name in (
        "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS",
        "VECLIB_MAXIMUM_THREADS", "NUMEXPR_NUM_THREADS",
    )
} | {
    "PYTHONDONTWRITEBYTECODE": "",  # sources are compiled once, as installing a package does
    "MPLBACKEND": "Agg",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false",
}  # fmt: skip


@dataclass(frozen=True)
class Finished:
    """What a process left behind.

    Parameters
    ----------
    code : int
        Its exit code.
    records : list of dict
        The lines of JSON that it printed.
    output, errors : str
        Everything that it printed.
    cpu_s, wall_s : float
        Processor time of the process and its children, and elapsed time.
    peak_mb : float
        Largest resident memory of the process (or of the largest of its children).
    """

    code: int
    records: list[dict[str, Any]] = field(default_factory=list)
    output: str = ""
    errors: str = ""
    cpu_s: float = 0.0
    wall_s: float = 0.0
    peak_mb: float = 0.0


def execute(
    command: Sequence[str | os.PathLike[str]],
    *,
    environment: Mapping[str, str] | None = None,
    paths: Sequence[Path] = (),
    limit: float = 600.0,
    folder: Path | None = None,
) -> Finished:
    """Run a command with one thread per library, and wait for it.

    The caller is expected to be small itself: on some systems a child inherits the parent's peak
    memory when it is started.

    Parameters
    ----------
    command : sequence of str
        Program and arguments.
    environment : mapping, optional
        More environment variables.
    paths : sequence of Path, optional
        Put in front of the module search path, this folder first.
    limit : float, optional
        Seconds after which it is stopped (default 600).
    folder : Path, optional
        Where it runs.
    """
    variables = {**os.environ, **ONE_THREAD, **(environment or {})}
    search = [str(HERE), *(str(path) for path in paths)]
    variables["PYTHONPATH"] = os.pathsep.join(search)
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
        begun = time.perf_counter()
        try:
            process = subprocess.Popen(
                [os.fspath(part) for part in command],
                stdin=subprocess.DEVNULL, stdout=output, stderr=errors, env=variables, cwd=folder,
            )  # fmt: skip
        except OSError as error:
            return Finished(127, errors=str(error))
        code, cpu, peak = _wait(process, limit)
        wall = time.perf_counter() - begun
        output.seek(0)
        errors.seek(0)
        text = output.read()
        return Finished(code, list(_records(text)), text, errors.read(), cpu, wall, peak)


def _wait(process: subprocess.Popen[Any], limit: float) -> tuple[int, float, float]:
    """Wait for a process; return exit code, processor seconds and peak megabytes."""
    import signal
    import threading

    if not hasattr(os, "wait4"):
        code = process.wait(limit)
        return code, float("nan"), float("nan")
    timer = threading.Timer(limit, process.send_signal, (signal.SIGKILL,))
    timer.start()
    try:
        _, status, usage = os.wait4(process.pid, 0)
    finally:
        timer.cancel()
    process.returncode = os.waitstatus_to_exitcode(status)
    unit = 2**20 if os.uname().sysname == "Darwin" else 2**10
    return process.returncode, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / unit


def _records(text: str) -> list[dict[str, Any]]:
    found = []
    for line in text.splitlines():
        if not line.startswith("{"):
            continue
        try:
            record = json.loads(line)
        except json.JSONDecodeError:
            continue  # a tool's own output may begin with a brace
        if isinstance(record, dict) and "tool" in record:
            found.append(record)
    return found
