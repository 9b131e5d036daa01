from __future__ import annotations

import pytest

from contcrit.errors import SpecificationError
from contcrit.models.base import Model


def build(width, depth=2):
    return width * depth


def make(**changes):
    parts = {
        "name": "a-model",
        "paper": "A paper",
        "summary": "something",
        "build": build,
        "starts": dict,
        "constants": {"width": "a number", "depth": "a number; default 2"},
    }
    return Model(**{**parts, **changes})


def test_build_takes_its_constants_and_refuses_others():
    model = make()
    assert model.build(width=3) == 6
    assert model.build(3, depth=5) == 15
    with pytest.raises(SpecificationError, match="Choose among width, depth"):
        model.build(widht=3)


@pytest.mark.parametrize("name", ["A-model", "a model", "", "a--b", "-a", "1a", "a_b"])
def test_wrong_names_are_refused(name):
    with pytest.raises(SpecificationError, match="hyphens"):
        make(name=name)


@pytest.mark.parametrize("constants", [{}, {"width": ""}, {"width": "", "depth": "", "more": ""}])
def test_constants_describe_the_arguments(constants):
    with pytest.raises(SpecificationError, match="every argument"):
        make(constants=constants)


def test_a_model_is_frozen():
    with pytest.raises(AttributeError):
        make().name = "other"
