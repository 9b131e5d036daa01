"""The package's public surface: every name is found, and finding it is cheap."""

from __future__ import annotations

import subprocess
import sys

import pytest

from contcrit import contraction


def test_every_name_is_found() -> None:
    for name in contraction.__all__:
        assert getattr(contraction, name).__name__ == name
    assert dir(contraction) == contraction.__all__
    with pytest.raises(AttributeError, match="no attribute"):
        contraction.nothing  # noqa: B018


def test_importing_the_package_loads_nothing_heavy() -> None:
    code = (
        "import sys, contcrit.contraction; "
        "print([m for m in ('sympy', 'scipy', 'cvxpy', 'mpmath') if m in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_flows_need_neither_sympy_nor_cvxpy_to_load() -> None:
    code = (
        "import sys; from contcrit.contraction import flow, rate_bound, find_metric; "
        "print([m for m in ('sympy', 'cvxpy', 'mpmath') if m in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
