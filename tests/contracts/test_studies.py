"""Every study is well-formed: it loads, says what it claims, and something is expected of it."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from contcrit.study import discover, expectations, load_study

ROOT = Path(__file__).resolve().parents[2] / "studies"
STUDIES = discover(ROOT) if ROOT.is_dir() else {}
PAPERS = sorted({path.parent for path in STUDIES.values()})


@pytest.mark.parametrize("name", STUDIES)
def test_study_loads_and_explains_itself(name: str) -> None:
    study = load_study(name, STUDIES[name])
    assert study.name == name
    assert study.title.strip()
    assert study.claim.strip()
    assert callable(study.run)
    assert study.seed >= 0


@pytest.mark.parametrize("name", STUDIES)
def test_something_is_expected_with_its_source(name: str) -> None:
    entries = expectations(STUDIES[name].parent).get(name.split("/")[1], {})
    assert entries, f"expected.json expects nothing of {name}"
    for quantity, entry in entries.items():
        assert str(entry.get("source", "")).strip(), f"{name}: {quantity} names no source"


@pytest.mark.parametrize("name", STUDIES)
def test_importing_a_study_computes_nothing(name: str) -> None:
    tree = ast.parse(STUDIES[name].read_text(encoding="utf-8"))
    calls = [node for node in tree.body if isinstance(node, (ast.For, ast.While, ast.With))]
    assert not calls, f"{name} computes while it is imported; do it in run()"


@pytest.mark.parametrize("folder", PAPERS, ids=lambda folder: folder.name)
def test_paper_has_a_readme_and_expects_existing_studies(folder: Path) -> None:
    assert (folder / "README.md").is_file()
    known = {name.split("/")[1] for name, path in STUDIES.items() if path.parent == folder}
    assert set(expectations(folder)) <= known
