"""Seeds, hypothesis profiles and thread counts of the whole test run."""

from __future__ import annotations

import os

# Before numpy is imported: the run is parallel over processes already.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
os.environ.setdefault("MPLBACKEND", "Agg")

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

SEED = int(os.environ.get("CONTCRIT_SEED", "0"))
PROFILE = os.environ.get("CONTCRIT_HYPOTHESIS_PROFILE", "default")

_common = {
    "deadline": None,
    "derandomize": False,
    "print_blob": True,
    "suppress_health_check": [HealthCheck.too_slow],
}
# A profile named "default" cannot be built on itself, so both state every value that matters.
settings.register_profile("contcrit-default", max_examples=25, database=None, **_common)
settings.register_profile("contcrit-thorough", max_examples=500, **_common)
settings.load_profile(f"contcrit-{PROFILE}")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Seed hypothesis, unless ``--hypothesis-seed`` was given, so that every run is the same."""
    if config.getoption("hypothesis_seed") is None:
        config.option.hypothesis_seed = str(SEED)


def pytest_report_header(config: pytest.Config) -> str:
    """Print what a run needs to be repeated."""
    return (
        f"contcrit: seed {SEED} (CONTCRIT_SEED), hypothesis seed "
        f"{config.getoption('hypothesis_seed')}, profile {PROFILE} (CONTCRIT_HYPOTHESIS_PROFILE)"
    )


@pytest.fixture
def rng() -> np.random.Generator:
    """Return a generator seeded with the seed in the report's header."""
    return np.random.default_rng(SEED)
