"""When machine code is worth its loading: what Python took in a process adds up."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from contcrit.engine import native, native_tridiagonal, repayment

SMALL = SimpleNamespace(size=2)
LINE = SimpleNamespace(size=1000, tridiagonal=True)


@pytest.fixture(autouse=True)
def _fresh(monkeypatch):
    for module in (native, native_tridiagonal):
        monkeypatch.setattr(module, "is_loaded", lambda: False)
    for kind in ("native", "native_tridiagonal"):
        monkeypatch.setitem(repayment._spent, kind, 0.0)


@pytest.mark.parametrize("system", [SMALL, LINE])
@pytest.mark.parametrize("kept", [True, False])
def test_many_short_walks_count_as_one_long_one(monkeypatch, system, kept):
    for module in (native, native_tridiagonal):
        monkeypatch.setattr(module, "is_kept", lambda: kept)
    walks = 0
    while not repayment.is_due(system):
        repayment.note(system, 100)
        walks += 1
    limit = repayment.LOADING if kept else repayment.COMPILING
    taken = repayment.seconds(system, 100)
    assert walks == pytest.approx(limit / taken, abs=1.01)


def test_small_systems_do_not_pay_for_lines(monkeypatch):
    monkeypatch.setattr(native, "is_kept", lambda: True)
    repayment.note(SMALL, 10_000)
    assert repayment.is_due(SMALL)
    assert not repayment.is_due(LINE)


def test_what_is_loaded_serves_at_once(monkeypatch):
    assert not repayment.is_due(SMALL)
    monkeypatch.setattr(native, "is_loaded", lambda: True)
    assert repayment.is_due(SMALL)
    assert not repayment.is_due(LINE)


def test_larger_systems_take_longer():
    assert repayment.seconds(SimpleNamespace(size=30), 10) > repayment.seconds(SMALL, 10) > 0.0
