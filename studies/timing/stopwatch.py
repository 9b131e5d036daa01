"""Processor time of repeated calls, in the measured process: standard library only."""

from __future__ import annotations

import json
import os
import statistics
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

LEAST = 0.05
"""Seconds that one timed sample lasts at least; shorter calls are looped within a sample."""


def cpu() -> float:
    """Return user and system time of this process and of its finished children, in seconds."""
    spent = os.times()
    try:
        import resource
    except ImportError:  # not a POSIX system: os.times has the clock's resolution only
        return spent.user + spent.system + spent.children_user + spent.children_system
    total = 0.0
    for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN):
        usage = resource.getrusage(who)
        total += usage.ru_utime + usage.ru_stime
    return total


def samples(calls: Sequence[Callable[[], Any]], repeats: int) -> list[list[float]]:
    """Return seconds of processor time per call, a list for each; they are timed in turn.

    A machine whose speed drifts then treats all alike.
    """
    numbers, first = zip(*[_calibrated(call) for call in calls], strict=True)
    found = [[taken] for taken in first]
    for _ in range(1, repeats):
        for call, number, taken in zip(calls, numbers, found, strict=True):
            taken.append(_spent(call, number) / number)
    return found


def _calibrated(call: Callable[[], Any]) -> tuple[int, float]:
    """Return how many calls make a sample, and the seconds per call of the first one."""
    number = 1
    while True:
        spent = _spent(call, number)
        if spent >= LEAST or number >= 10_000:
            return number, spent / number
        number = max(2 * number, int(number * LEAST / max(spent, 1e-6)) + 1)


def _spent(call: Callable[[], Any], number: int) -> float:
    begun = cpu()
    for _ in range(number):
        call()
    return cpu() - begun


def measure(
    run: Callable[[], Mapping[str, Any]],
    one_step: Callable[[], Mapping[str, Any]] | None = None,
    repeats: int = 5,
) -> dict[str, Any]:
    """Time a continuation: cold, warm, and warm less a run of one step.

    Parameters
    ----------
    run : callable
        One whole call as a user writes it; returns ``points`` (accepted points), ``events`` (pairs
        of kind and parameter) and whatever else belongs beside the time.
    one_step : callable, optional
        The same call, stopped after one step.
    repeats : int, optional
        Timed samples (default 5), of which the median is reported.

    Returns
    -------
    dict
        ``start_cpu_s``: spent before the first call (interpreter, imports, problem);
        ``cold_cpu_s``: the first call; ``warm_cpu_s``: a later one, with ``spread``, its smallest
        and largest sample; ``gross_us``: warm time per point; ``net_us``: the warm time less that
        of one step, timed in turn with it, per further point.
    """
    record: dict[str, Any] = {"start_cpu_s": cpu()}
    first = None
    if one_step is not None:
        begun = cpu()
        first = one_step()
        record["first_step_cpu_s"] = cpu() - begun
    begun = cpu()
    found = run()
    record["cold_cpu_s"] = cpu() - begun
    points = int(found["points"])
    paired = one_step is not None and first is not None and points > int(first["points"])
    taken, *least = samples([run, one_step] if paired else [run], repeats)
    warm = statistics.median(taken)
    record |= {
        "repeats": len(taken),
        "warm_cpu_s": warm,
        "spread": [min(taken), max(taken)],
        "gross_us": 1e6 * warm / points,
    }
    if paired:
        record["one_step_cpu_s"] = statistics.median(least[0])
        more = statistics.median(a - b for a, b in zip(taken, least[0], strict=True))
        record["net_us"] = 1e6 * more / (points - int(first["points"]))
    return record | dict(found)


def report(tool: str, problem: str, **values: Any) -> None:
    """Print one record as a line of JSON."""
    record = {"tool": tool, "problem": problem, **values}
    print(json.dumps(record, default=_plain), flush=True)


def repeats_from_environment(default: int = 5) -> int:
    """Return the number of repeats that the caller asks for."""
    return int(os.environ.get("TIMING_REPEATS", default))


def is_quick() -> bool:
    """Tell whether the caller wants the short run."""
    return os.environ.get("TIMING_QUICK", "") == "1"


def named(arguments: list[str] | None = None) -> str:
    """Return the one problem that the command line names."""
    given = sys.argv[1:] if arguments is None else arguments
    if len(given) != 1:
        raise SystemExit("usage: python <script> PROBLEM")
    return given[0]


def fold_error(found: Mapping[str, Any], reference: float | None) -> dict[str, Any]:
    """Return the distance of the located fold from the reference, or of the largest parameter.

    A tool that locates no fold is judged by the largest parameter among its points, which an
    honest reader must not confuse with a located fold; ``fold_from`` says which it is.
    """
    if reference is None:
        return {}
    located = found.get("fold")
    if located is not None:
        return {"fold_error": abs(located - reference), "fold_from": "located"}
    largest = found.get("largest_parameter")
    if largest is None:
        return {"fold_error": None, "fold_from": "none"}
    return {"fold_error": abs(largest - reference), "fold_from": "largest point"}


def _plain(value: Any) -> Any:
    if hasattr(value, "tolist"):
        return value.tolist()
    return float(value)
