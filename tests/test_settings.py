"""Settings refuse nonsense, and presets mean what they say."""

from __future__ import annotations

import dataclasses
import math

import pytest

from contcrit import Settings
from contcrit.errors import SpecificationError

FIELDS = {field.name: field for field in dataclasses.fields(Settings)}
NUMBERS = [name for name, field in FIELDS.items() if isinstance(field.default, float)]
COUNTS = [
    name for name, field in FIELDS.items() if isinstance(field.default, int) and name != "seed"
]


def test_defaults_are_valid_and_documented() -> None:
    settings = Settings()
    assert set(settings.to_dict()) == set(FIELDS)
    assert Settings(**settings.to_dict()) == settings
    for name in FIELDS:
        assert name in (Settings.__doc__ or "")


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("value", [0.0, -1.0, math.nan, math.inf, "0.1", None, True])
def test_numbers_must_be_finite_and_positive(name: str, value: object) -> None:
    with pytest.raises(SpecificationError, match=f"`{name}`"):
        Settings(**{name: value})


@pytest.mark.parametrize("name", COUNTS)
@pytest.mark.parametrize("value", [0, -3, 2.5, True, "7", None])
def test_counts_must_be_positive_whole_numbers(name: str, value: object) -> None:
    with pytest.raises(SpecificationError, match=f"`{name}`"):
        Settings(**{name: value})


@pytest.mark.parametrize("theta", [0.0, 1.0, 1.5, -0.2])
def test_theta_lies_strictly_between_zero_and_one(theta: float) -> None:
    with pytest.raises(SpecificationError, match="`theta`"):
        Settings(theta=theta)


@pytest.mark.parametrize("seed", [-1, 0.5, "a", True, None])
def test_seeds_are_whole_numbers(seed: object) -> None:
    with pytest.raises(SpecificationError, match="`seed`"):
        Settings(seed=seed)


def test_gears_are_named() -> None:
    with pytest.raises(SpecificationError, match="`gear`"):
        Settings(gear="fifth")


def test_the_smallest_step_is_the_smallest() -> None:
    for changes in ({"step_minimum": 0.05}, {"step_minimum": 1e-3, "step_maximum": 1e-4}):
        with pytest.raises(SpecificationError, match="`step_minimum`"):
            Settings(**changes)
    # The first step may exceed the largest: it is capped.
    assert Settings(step_initial=0.2, step_maximum=0.1).step_maximum == 0.1


def test_settings_do_not_change() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Settings().theta = 0.3  # type: ignore[misc]


def test_replace_keeps_the_rest_and_checks() -> None:
    settings = Settings(theta=0.3).replace(seed=4)
    assert (settings.theta, settings.seed) == (0.3, 4)
    with pytest.raises(SpecificationError, match="is not a setting"):
        settings.replace(stepsize=0.1)
    with pytest.raises(SpecificationError, match="`theta`"):
        settings.replace(theta=2.0)


def test_presets_order_speed_against_care() -> None:
    fast, usual, careful = Settings.fast(), Settings(), Settings.careful()
    for name in ("step_maximum", "parameter_fraction", "angle_maximum", "correction_maximum"):
        assert getattr(fast, name) > getattr(usual, name) > getattr(careful, name)
    assert Settings.fast(seed=3).seed == 3
    assert Settings.careful(angle_maximum=0.05).angle_maximum == 0.05
