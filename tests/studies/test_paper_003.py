"""Results that studies keep: read again only where nothing that made them has changed."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from contcrit.study.base import load_study

FOLDER = Path(__file__).resolve().parents[2] / "studies" / "paper-003"

pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="the studies are not installed")


@pytest.fixture
def shared() -> ModuleType:
    load_study("paper-003/figure-6", FOLDER / "figure_6.py")
    return importlib.import_module("contcrit_studies_paper_003._shared")


def one() -> int:
    return 1


def two() -> int:
    return 2


def test_a_cache_is_read_if_nothing_changed(shared: ModuleType, tmp_path: Path) -> None:
    path = tmp_path / "runs.npz"
    calls: list[int] = []

    def compute() -> dict[str, np.ndarray]:
        calls.append(1)
        return {"x": np.arange(3.0) + len(calls)}

    first = shared.cached(path, {"seed": 0, "sizes": (1, 2)}, (one,), compute)
    again = shared.cached(path, {"sizes": (1, 2), "seed": 0}, (one,), compute)
    assert len(calls) == 1
    assert again["x"].tolist() == first["x"].tolist() == [1.0, 2.0, 3.0]


@pytest.mark.parametrize(("constants", "code"), [({"seed": 1}, one), ({"seed": 0}, two)])
def test_a_stale_cache_is_made_anew(
    shared: ModuleType, tmp_path: Path, constants: dict[str, int], code: object
) -> None:
    path = tmp_path / "runs.npz"
    shared.cached(path, {"seed": 0}, (one,), lambda: {"x": np.zeros(1)})
    found = shared.cached(path, constants, (code,), lambda: {"x": np.ones(1)})
    assert found["x"].tolist() == [1.0]
    with np.load(path) as stored:
        assert stored["x"].tolist() == [1.0]


def test_a_step_descends_the_hinge_loss(shared: ModuleType) -> None:
    load_study("paper-003/figure-1", FOLDER / "figure_1.py")
    figure = importlib.import_module("contcrit_studies_paper_003.figure_1")
    generator = np.random.default_rng(0)
    weights = [generator.normal(size=shape) for shape in ((4, 3), (4,), (4,), (1,))]
    X, y = generator.integers(0, 2, (8, 3)).astype(float), generator.choice([-1.0, 1.0], 8)

    def loss() -> float:
        W, b, v, c = weights
        return float(np.mean(np.maximum(1 - y * (np.maximum(X @ W.T + b, 0) @ v + c), 0)))

    before = [block.copy() for block in weights]
    figure.step(weights, X, y)
    moved = [(after - block) / figure.RATE for after, block in zip(weights, before, strict=True)]
    for block, original in zip(weights, before, strict=True):
        block[...] = original
    h = 1e-6
    for block, change in zip(weights, moved, strict=True):
        for place in np.ndindex(block.shape):
            kept = block[place]
            block[place] = kept + h
            up = loss()
            block[place] = kept - h
            down = loss()
            block[place] = kept
            assert change[place] == pytest.approx(-(up - down) / (2 * h), abs=1e-6)
