"""Run a study, compare its values, and write its record."""

from __future__ import annotations

import importlib.metadata
import json
import math
import platform
import time
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import SpecificationError
from ..files import replacing, writable_folder
from .base import Study, load_study, spelled
from .expected import Comparison, compare, expectations, plain

_PACKAGES = ("contcrit", "matplotlib", "numba", "numpy", "scipy", "symengine", "sympy")


@dataclass(frozen=True, kw_only=True)
class StudyReport:
    """What came out of a study.

    Parameters
    ----------
    study : Study
        What was run.
    measured : dict
        The values that it returned.
    comparisons : tuple of Comparison
        One a quantity, measured or expected.
    elapsed : float
        Seconds.
    error : str
        What stopped the study; empty when it ran to its end.
    """

    study: Study
    measured: dict[str, Any] = field(default_factory=dict)
    comparisons: tuple[Comparison, ...] = ()
    elapsed: float = 0.0
    error: str = ""

    @property
    def agrees(self) -> bool:
        """Whether the study ran to its end and no comparison failed."""
        return not self.error and all(item.agrees is not False for item in self.comparisons)

    @property
    def compared(self) -> bool:
        """Whether anything was expected of it; agreement says nothing otherwise."""
        return any(item.agrees is not None for item in self.comparisons)


def run_study(name: str, path: Path, out: Path, progress: Any = False) -> StudyReport:
    """Run one study, compare its values, and write ``<out>/<paper>/<study>.json``.

    Whatever the study raises is its result, not the caller's: it is recorded, with its traceback
    in the file.

    Parameters
    ----------
    name : str
        As `discover` has it.
    path : Path
        The study's file.
    out : Path
        Folder of the results.
    progress : bool or callable, optional
        Handed to the study (default False).

    Returns
    -------
    StudyReport
        Values, comparisons, and the error if there was one.

    Raises
    ------
    SpecificationError
        If ``expected.json`` is malformed.
    StorageError
        If `out` is not writable.
    """
    expected = expectations(path.parent).get(name.split("/")[1], {})
    folder = writable_folder(out / name.split("/")[0])
    study = Study(name=name, title="", claim="", run=lambda out, progress: {})
    measured: dict[str, Any] = {}
    error = details = ""
    start = time.perf_counter()
    try:
        study = load_study(name, path)
        returned: Any = study.run(folder, progress)
        if not isinstance(returned, Mapping):
            raise SpecificationError(
                "run", type(returned).__name__, "must return a mapping.", "Name its values."
            )
        measured = plain(returned, name)
    except Exception as exception:
        # A study is code of its own: any failure of it belongs into its report.
        error = f"{type(exception).__name__}: {exception}"
        details = traceback.format_exc()
    report = StudyReport(
        study=study,
        measured=measured,
        comparisons=tuple(compare(measured, expected)),
        elapsed=time.perf_counter() - start,
        error=error,
    )
    _write(report, folder / f"{name.split('/')[1]}.json", details)
    return report


def _write(report: StudyReport, path: Path, details: str) -> None:
    record = {
        "study": report.study.name,
        "title": report.study.title,
        "claim": report.study.claim,
        "agrees": report.agrees,
        "compared": report.compared,
        "error": report.error,
        "traceback": details,
        "measured": report.measured,
        "comparisons": [vars(item) for item in report.comparisons],
        "seed": report.study.seed,
        "elapsed_seconds": report.elapsed,
        "versions": _versions(),
        "files": sorted(
            item.name
            for item in path.parent.iterdir()
            if spelled(item.name).startswith(path.stem) and item != path
        ),
    }
    with replacing(path) as temporary:
        text = json.dumps(_finite(record), indent=2, allow_nan=False)
        temporary.write_text(text + "\n", encoding="utf-8")


def _finite(value: Any) -> Any:
    """Return a value with non-finite floats as text, which JSON has no numbers for."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    return value


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for package in _PACKAGES:
        # A checkout that is not installed has no metadata of its own.
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            found[package] = "not installed"
    return found
