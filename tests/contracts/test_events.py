"""One contract for every event, run on an example of its own with a known answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest

import contcrit as cc
from contcrit.engine.gauge import GaugedSystem, gauged
from contcrit.engine.kernel import control_from
from contcrit.engine.location import Locator
from contcrit.events import Event, LocalPoint, Signals, UserEvent, default_events
from contcrit.events.base import spectral_matrix
from contcrit.events.flip import multipliers
from contcrit.linalg import metric_weights, negative_count
from tests.strategies import (
    flip,
    fold,
    hopf,
    p,
    pitchfork,
    rotated_pitchfork,
    transcritical,
    x,
    y,
)

USER = UserEvent("half", lambda u, q: float(u[0]) - 0.5)
EVENTS = [*default_events(), USER]


class Example(NamedTuple):
    """A branch in closed form, on which one thing happens."""

    problem: cc.Problem
    curve: Callable[[float], list[float]]
    special: list[float]
    kind: str


def double_zero() -> cc.Problem:
    return cc.Problem([p * x - x**3, p * y - y**3], [x, y], [p], kind="equation")


def double_flip() -> cc.Problem:
    """Return two flips at once: the multiplier -1 has a kernel of dimension 2."""
    return cc.Problem([-(1 + p) * x + x**3, -(1 + p) * y + y**3], [x, y], [p], kind="map")


EXAMPLES = {
    "fold": [Example(fold(), lambda s: [s, s * s], [0, 0], "fold")],
    "branch-point": [
        Example(transcritical(), lambda s: [0, s], [0, 0], "branch-point"),
        Example(transcritical(), lambda s: [s, s], [0, 0], "branch-point"),
        Example(pitchfork(), lambda s: [0, s], [0, 0], "branch-point"),
        Example(pitchfork(), lambda s: [s, s * s], [0, 0], "branch-point"),
        Example(double_zero(), lambda s: [0, 0, s], [0, 0, 0], "branch-point"),
    ],
    "inertia": [
        Example(hopf(), lambda s: [0, 0, s], [0, 0, 0], "hopf"),
        Example(fold(), lambda s: [s, s * s], [0, 0], "fold"),
        Example(double_zero(), lambda s: [0, 0, s], [0, 0, 0], "branch-point"),
    ],
    "flip": [
        Example(flip(), lambda s: [0, s], [0, 0], "flip"),
        Example(double_flip(), lambda s: [0, 0, s], [0, 0, 0], "flip"),
    ],
    "isotropy": [
        Example(
            rotated_pitchfork(1), lambda s: [0.6 * s, 0.8 * s, 0, s * s], [0] * 4, "branch-point"
        )
    ],
    "user": [Example(fold(), lambda s: [s, s * s], [0.5, 0.25], "user")],
}
CASES = [
    pytest.param(event, example, id=f"{event.kind}-{k}")
    for event in EVENTS
    for k, example in enumerate(EXAMPLES.get(event.kind, []))
]
GRID = np.linspace(-0.63, 0.74, 29)


def signals_along(example: Example) -> tuple[Any, Signals, np.ndarray, np.ndarray]:
    """Return system, signals, weights and arc lengths computed apart from the walk."""
    base = example.problem.compile("p", {})
    plain = np.array([example.curve(float(s)) for s in GRID])
    system = gauged(base, plain[0, :-1])
    lifted = isinstance(system, GaugedSystem)
    z = np.array([system.lift(point) for point in plain]) if lifted else plain
    weights = metric_weights(system.size, 0.5, getattr(system, "multipliers", 0))
    eps = 1e-6
    ahead = np.array([example.curve(float(s) + eps) for s in GRID])
    behind = np.array([example.curve(float(s) - eps) for s in GRID])
    tangent = (ahead - behind) / (2 * eps)
    tangent = np.array([system.lift(t) for t in tangent]) if lifted else tangent
    tangent /= np.sqrt(np.sum(weights * tangent**2, axis=1))[:, None]
    bordered = [
        np.vstack([system.jacobian(point), weights * direction])
        for point, direction in zip(z, tangent, strict=True)
    ]
    determinants = [np.linalg.slogdet(matrix) for matrix in bordered]
    spectra = [spectral_matrix(system, point, system.jacobian(point)) for point in z]
    step = np.sum(weights * tangent[:-1] * np.diff(z, axis=0), axis=1)
    signals = Signals(
        z=z,
        tangent=tangent,
        sign=np.array([sign for sign, _ in determinants]),
        log_modulus=np.array([log for _, log in determinants]),
        negative=np.array([negative_count(matrix, symmetric) for matrix, symmetric in spectra]),
        step=step,
        phases=np.array([system.phases(point[:-1]) for point in plain]) if lifted else None,
        multipliers=multipliers(system, z),
    )
    moved = np.diff(z, axis=0)
    arclength = np.concatenate([[0], np.cumsum(np.sqrt(np.sum(weights * moved**2, axis=1)))])
    return system, signals, weights, arclength


def place(example: Example) -> float:
    """Return the grid value at which the special point lies."""
    return 0.5 if example.kind == "user" else 0.0


def test_every_event_has_an_example() -> None:
    kinds = {event.kind for event in EVENTS}
    assert kinds == set(EXAMPLES)
    assert len(kinds) == len(EVENTS)


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.kind)
def test_events_keep_the_protocol(event: Event) -> None:
    assert isinstance(event, Event)
    assert isinstance(event.kind, str) and event.kind
    assert isinstance(event.terminal, bool)
    assert type(event).__doc__


@pytest.mark.parametrize(("event", "example"), CASES)
def test_brackets_enclose_the_point_and_nothing_else(event: Event, example: Example) -> None:
    system, signals, _, _ = signals_along(example)
    assert event.applies(system)
    brackets = event.brackets(signals)
    assert brackets
    for bracket in brackets:
        assert 0 <= bracket.first < bracket.last < len(GRID)
        assert GRID[bracket.first] <= place(example) <= GRID[bracket.last]
        assert bracket.last - bracket.first <= 2


@pytest.mark.parametrize(("event", "example"), CASES)
def test_the_test_function_changes_sign_across_the_bracket(event: Event, example: Example) -> None:
    system, signals, _weights, _ = signals_along(example)
    for bracket in event.brackets(signals):
        values = []
        for k in (bracket.first, bracket.last):
            point = LocalPoint(
                system,
                signals.z[k],
                signals.tangent[k],
                float(signals.sign[k]),
                float(signals.log_modulus[k]),
                signals.z[bracket.first],
            )
            values.append(event.value(point, bracket))
        if bracket.dip:
            assert min(values) > 0
        else:
            assert values[0] * values[1] < 0


@pytest.mark.parametrize(("event", "example"), CASES)
def test_nothing_is_bracketed_beside_the_point(event: Event, example: Example) -> None:
    _, signals, _, _ = signals_along(example)
    split = int(np.searchsorted(GRID, place(example)))
    for piece in (slice(0, split), slice(split, None)):
        here = Signals(
            z=signals.z[piece],
            tangent=signals.tangent[piece],
            sign=signals.sign[piece],
            log_modulus=signals.log_modulus[piece],
            negative=None if signals.negative is None else signals.negative[piece],
            step=signals.step[piece.start : None if piece.stop is None else split - 1],
            phases=None if signals.phases is None else signals.phases[piece],
            multipliers=None if signals.multipliers is None else signals.multipliers[piece],
        )
        assert event.brackets(here) == []


@pytest.mark.parametrize(("event", "example"), CASES)
def test_the_point_is_located(event: Event, example: Example) -> None:
    system, signals, weights, arclength = signals_along(example)
    settings = cc.Settings()
    control = control_from(settings, (-1.0, 1.0))
    locator = Locator(system, weights, control, settings, signals, arclength)
    (special,) = locator.special_points((event,))
    assert special.kind == example.kind
    z = system.drop(special.z) if isinstance(system, GaugedSystem) else special.z
    assert z == pytest.approx(np.array(example.special), abs=1e-9)
    assert special.residual < 1e-12
    assert special.kind == "user" or special.digits >= 6


def test_the_isotropy_event_needs_a_gauge() -> None:
    (event,) = (event for event in EVENTS if event.kind == "isotropy")
    assert not event.applies(fold().compile("p", {}))
    assert event.terminal
