"""The Python blocks of the documentation run as they stand, and its links lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import sympy as sp

import contcrit as cc

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def blocks(page: Path, language: str) -> list[str]:
    text = page.read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


RUNNING = [page for page in PAGES if blocks(page, "python")]


def test_the_readme_shows_python() -> None:
    assert ROOT / "README.md" in RUNNING


@pytest.fixture(scope="module")
def branch() -> cc.Branch:
    """Return the branch that the pages read from ``branch.nc``."""
    x, p = sp.symbols("x p")
    problem = cc.Problem.from_potential(x**4 / 4 - p * x**2 / 2, [x], [p])
    return cc.trace(problem, {x: 0}, parameter="p", span=(-1, 1))


@pytest.mark.parametrize("page", RUNNING, ids=lambda page: str(page.relative_to(ROOT)))
def test_python_blocks_run(
    page: Path,
    branch: cc.Branch,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    branch.save("branch.nc")
    source = "\n".join(blocks(page, "python"))
    exec(compile(source, str(page), "exec"), {"__name__": "documentation"})
    if "print(" in source:
        assert capsys.readouterr().out.strip()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), f"{page.name} links to {target}"
