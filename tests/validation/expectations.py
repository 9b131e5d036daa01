"""What every validation asks of a branch: exactly the expected special points, with evidence."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest

import contcrit as cc


class Expected(NamedTuple):
    """A special point as the literature or a closed form has it."""

    kind: str
    parameter: float
    kernel: int = 1
    frequency: float | None = None


def expect(
    branch: cc.Branch, *expected: Expected, relative: float = 1e-9, residual: float = 1e-9
) -> None:
    """Assert that the branch has exactly these special points, in this order either way round."""
    kinds = [special.kind for special in branch.special_points]
    assert sorted(kinds) == sorted(one.kind for one in expected), branch
    forward = [special.parameter for special in branch.special_points]
    wanted = [one.parameter for one in expected]
    tolerance = {"rel": relative, "abs": 1e-9}
    if forward != pytest.approx(wanted, **tolerance):
        expected = expected[::-1]
    for special, one in zip(branch.special_points, expected, strict=True):
        assert special.kind == one.kind, branch
        assert special.parameter == pytest.approx(one.parameter, **tolerance)
        assert special.residual <= residual
        assert special.digits >= 6, special
        assert special.bracket[0] <= special.arclength <= special.bracket[1]
        kernel = 0 if one.kind == "hopf" else one.kernel
        assert special.kernel_dimension == kernel, special
        if one.frequency is not None:
            assert special.evidence["frequency"] == pytest.approx(one.frequency, rel=relative)
    assert np.max(branch.residual_norm) <= residual
    assert np.all(np.diff(branch.arclength) > 0)


def ends(branch: cc.Branch) -> set[str]:
    """Return the names of the two statuses."""
    return {status.name for status in branch.status}


def through(diagram: cc.Diagram, *kinds: str) -> cc.Branch:
    """Return the one branch whose special points are of these kinds, in any order."""
    found = [
        branch
        for branch in diagram
        if sorted(s.kind for s in branch.special_points) == sorted(kinds)
    ]
    assert len(found) == 1, [branch.special_points for branch in diagram]
    return found[0]
