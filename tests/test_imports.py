"""What a short run does not import: half of its time would be that."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = ("scipy", "numba", "matplotlib", "pandas", "xarray", "cvxpy", "rich")

SPIRAL = """
rows = [p * x - sp.exp(x) * sp.sin(y) + sp.exp(2 * x), p * y - sp.exp(x) * sp.cos(y)]
problem, start, span = cc.Problem(rows, [x, y], [p], kind={kind!r}), [0.0, 7.854], (1e-4, 0.2)
first = 1e-3
"""

POTENTIAL = """
potential = x**4 / 4 - p * x**2 / 2 + y**2 + x / 10 + x * y / 3
problem, start, span = cc.Problem.from_potential(potential, [x, y], [p]), [1.0, 0.0], (-1, 2)
first = 1.0
"""

RUN = """
import sys
import sympy as sp
import contcrit as cc
x, y, p = sp.symbols("x y p")
{problem}
branch = cc.trace(problem, start, "p", span, values={{"p": first}}, progress=False)
branch.save({file!r})
kinds = {{special.kind for special in branch.special_points}}
print(len(branch) > 10, "fold" in kinds, len(branch.verdicts) > 1)
print(sorted(set({heavy!r}) & set(sys.modules)))
"""


@pytest.mark.parametrize(
    "problem",
    [*(SPIRAL.format(kind=kind) for kind in ("equation", "flow")), POTENTIAL],
    ids=["equation", "flow", "potential"],
)
def test_a_small_branch_is_traced_and_saved_without_heavy_libraries(
    problem: str, tmp_path: Path
) -> None:
    script = RUN.format(problem=problem, file=str(tmp_path / "branch.nc"), heavy=HEAVY)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stderr == ""
    assert done.stdout.splitlines() == ["True True True", "[]"]
