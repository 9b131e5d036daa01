"""What the files at the top of the repository say of each other."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from pathlib import Path

import pytest

import contcrit

ROOT = Path(__file__).resolve().parent.parent
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
README = (ROOT / "README.md").read_text(encoding="utf-8")


def requirement_names(lines: list[str]) -> set[str]:
    return {re.split(r"[\[<>=~!; ]", line)[0].lower() for line in lines}


def test_the_groups_repeat_the_extras() -> None:
    extras = PYPROJECT["project"]["optional-dependencies"]
    groups = PYPROJECT["dependency-groups"]
    assert groups["test"] == extras["test"]
    assert [line for line in groups["dev"] if isinstance(line, str)] == extras["dev"]


@pytest.mark.parametrize("line", PYPROJECT["project"]["dependencies"])
def test_each_dependency_has_a_lower_bound_and_a_reason(line: str) -> None:
    assert re.fullmatch(r"[a-z0-9-]+>=[0-9.]+", line)
    reasons = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    name, bound = line.split(">=")
    assert re.search(rf"^\| {re.escape(name)} +\| {re.escape(bound)} +\|", reasons, re.MULTILINE)


def test_the_package_imports_only_what_it_declares() -> None:
    declared = requirement_names(PYPROJECT["project"]["dependencies"])
    imported = set()
    for path in (ROOT / "contcrit").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                imported |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                imported.add((node.module or "").split(".")[0])
    assert imported - set(sys.stdlib_module_names) - {"contcrit"} <= declared
    # xarray reads and writes netCDF files through h5netcdf, which it finds by its name.
    assert declared - imported <= {"h5netcdf"}


def test_versions_agree() -> None:
    version = contcrit.__version__
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"## [{version}]" in changelog
    assert re.search(rf"^version: {re.escape(version)}$", citation, re.MULTILINE)


def test_the_readme_opens_with_exactly_two_commands() -> None:
    blocks = re.findall(r"^```(\w*)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    commands = [body.rstrip("\n") for language, body in blocks if language == "sh"]
    assert [language for language, _ in blocks[:2]] == ["sh", "sh"]
    assert len(commands) == 2
    assert all("\n" not in command for command in commands)
    assert "contcrit study" in commands[0]
    assert "pytest" in commands[1]
