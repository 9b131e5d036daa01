"""What is measured: every case, the process that measures it, and what it needs."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]


@dataclass(frozen=True)
class Case:
    """One measurement in a process of its own.

    Parameters
    ----------
    tool : str
        What is measured, as the tables call it where the process says nothing.
    problem : str
        On what.
    script : str
        Path of the script below this folder.
    arguments : tuple of str
        Its arguments.
    quick : bool
        Whether the short run measures it, too.
    limit : float
        Seconds after which it is given up.
    environment : dict
        More environment variables.
    """

    tool: str
    problem: str
    script: str
    arguments: tuple[str, ...]
    quick: bool = True
    limit: float = 600.0
    environment: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Places:
    """Where the other tools are: a folder of environments, and AUTO's own folder."""

    peers: Path | None
    auto: Path | None

    @classmethod
    def of(cls, peers: str | None, auto: str | None) -> Places:
        """Take what was given, or else ``TIMING_PEERS`` and ``AUTO_DIR``."""
        peers = peers or os.environ.get("TIMING_PEERS")
        auto = auto or os.environ.get("AUTO_DIR")
        return cls(Path(peers).resolve() if peers else None, Path(auto).resolve() if auto else None)

    def interpreter(self, tool: str) -> Path | str:
        """Return the Python that has a tool, or why there is none."""
        if tool.startswith(("contcrit", "floor")):
            return Path(sys.executable)
        if tool == "auto-07p":
            return self._for_auto()
        if self.peers is None:
            return "no folder of other tools was given (--peers)"
        for name in ("bin/python", "Scripts/python.exe"):
            found = self.peers / tool / name
            if found.exists():
                return found
        return f"{tool} is not installed in the folder of other tools"

    def _for_auto(self) -> Path | str:
        if self.auto is None:
            return "no folder of AUTO-07p was given (--auto)"
        if not (self.auto / "cmds" / "cmds.make").exists():
            return "the folder of AUTO-07p has no cmds/cmds.make"
        missing = [name for name in ("gfortran", "make") if shutil.which(name) is None]
        if missing:
            return f"AUTO-07p needs {' and '.join(missing)}"
        return Path(sys.executable)


def own_cases() -> Iterator[Case]:
    """Yield the measurements of contcrit."""
    for name in ("P1", "P2"):
        yield Case("contcrit", name, "cases/equations.py", (name, "native"))
        yield Case("contcrit (python gear)", name, "cases/equations.py", (name, "python"))
        yield Case("contcrit", f"{name}_long", "cases/equations.py", (f"{name}_long", "native"))
    for name in ("P4", "P4_trivial"):
        yield Case("contcrit", name, "cases/pitchfork.py", (name,))
    for size in (50, 1000, 10_000, 100_000, 1_000_000):
        name = f"P3_{size}"
        yield Case("contcrit", name, "cases/grids.py", (name,), quick=size <= 1000, limit=1200)
        if size <= 1000:
            yield Case("contcrit (rows one by one)", name, "cases/grids.py", (name, "rows"))
    for name in ("plane_bratu_25", "plane_bratu_200", "mittelmann_20", "mittelmann_200"):
        quick = not name.endswith("200")
        yield Case("contcrit", name, "cases/grids.py", (name,), quick=quick, limit=1200)
    for size in (2, 4, 8, 16, 32):
        name = f"random_{size}"
        yield Case(
            "contcrit", f"matrix_{name}", "cases/matrices.py", (name,), quick=size <= 8, limit=1200
        )
    for size in (2, 4, 8):
        name = f"turn_{size}"
        yield Case(
            "contcrit", f"matrix_{name}", "cases/matrices.py", (name,), quick=size <= 4, limit=1200
        )
    for name in ("evaluations", "problems", "solutions", "million", "stream"):
        yield Case("contcrit", name, "cases/many.py", (name,))


def floor_cases() -> Iterator[Case]:
    """Yield what no continuation can be faster than."""
    for name in ("P1", "P2"):
        yield Case("floor", name, "floors/compiled.py", (name,))
    for size in (50, 1000, 10_000, 100_000, 1_000_000):
        yield Case("floor", f"P3_{size}", "floors/banded.py", (f"P3_{size}",), quick=size <= 1000)
    yield Case("floor", "P1", "peers/numpy_loop.py", ("P1",))


SLOW_PEERS = {("auto-07p", "P3_1000"), ("auto-07p", "P3_bvp"), ("jaxcont", "P3_1000_engine")}

PEERS: dict[str, tuple[str, ...]] = {
    "auto-07p": ("P1", "P2", "P3_50", "P3_1000", "P3_bvp", "P4", "P4_trivial"),
    "bice": ("P1", "P1_detect", "P2", "P3_50", "P3_50_detect", "P3_1000", "P4", "P4_trivial"),
    "contique": ("P1", "P2", "P3_50", "P3_1000"),
    "jaxcont": ("P1", "P1_engine", "P2", "P2_engine", "P3_50", "P3_50_engine", "P3_1000_engine"),
    "pycont-lite": ("P1", "P2", "P3_50", "P4", "P4_trivial"),
    "pydstool": ("P1", "P3_50", "P4", "P4_trivial"),
    "xpplab": ("P1", "P2", "P3_50", "P4", "P4_trivial"),
}


def peer_cases() -> Iterator[Case]:
    """Yield the other tools on the problems that they can be given."""
    for tool, problems in PEERS.items():
        stem = "auto" if tool == "auto-07p" else tool.replace("-", "_")
        for problem in problems:
            large = "1000" in problem
            yield Case(
                tool, problem, f"peers/with_{stem}.py", (problem,),
                quick=(tool, problem) not in SLOW_PEERS and not large, limit=1200,
            )  # fmt: skip


def every_case() -> list[Case]:
    """Return all cases: contcrit, floors, other tools."""
    return [*own_cases(), *floor_cases(), *peer_cases()]
