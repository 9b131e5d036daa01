"""A claim of a paper as an object: stated, drawn at random, checked, and found true or false."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, Self, TypeVar

import numpy as np

from ..errors import SpecificationError

Array = np.ndarray
Instance = Mapping[str, Any]
Option = TypeVar("Option")

VERDICTS = ("true", "false", "unproved")


class Draw(Protocol):
    """Where the numbers of an instance come from: a random generator, or a search for failures."""

    def integer(self, low: int, high: int) -> int:
        """Return an integer, both ends included."""
        ...

    def real(self, low: float, high: float) -> float:
        """Return a real number, both ends included."""
        ...

    def reals(self, shape: int | tuple[int, ...], low: float, high: float) -> Array:
        """Return an array of real numbers."""
        ...

    def choice(self, options: Sequence[Option]) -> Option:
        """Return one of the options."""
        ...


class RandomDraw:
    """Numbers from a random generator, uniformly.

    Parameters
    ----------
    generator : numpy.random.Generator

    Examples
    --------
    >>> 1 <= RandomDraw(np.random.default_rng(0)).integer(1, 3) <= 3
    True
    """

    def __init__(self, generator: np.random.Generator) -> None:
        self.generator = generator

    def integer(self, low: int, high: int) -> int:
        """Return an integer, both ends included."""
        return int(self.generator.integers(low, high, endpoint=True))

    def real(self, low: float, high: float) -> float:
        """Return a real number."""
        return float(self.generator.uniform(low, high))

    def reals(self, shape: int | tuple[int, ...], low: float, high: float) -> Array:
        """Return an array of real numbers."""
        return self.generator.uniform(low, high, shape)

    def choice(self, options: Sequence[Option]) -> Option:
        """Return one of the options."""
        return options[int(self.generator.integers(len(options)))]


@dataclass(frozen=True)
class Outcome:
    """What a check found on one instance.

    Parameters
    ----------
    holds : bool or None
        None where the check could not decide.
    margin : float
        By how much it holds (positive) or fails (negative), in the check's own unit; nan where
        there is no measure.
    detail : str
        The numbers that decided it.

    Examples
    --------
    >>> Outcome.at_most(1.0, 2.0).holds, Outcome.close(1.0, 1.1, tolerance=1e-3).holds
    (True, False)
    """

    holds: bool | None
    margin: float = math.nan
    detail: str = ""

    def __post_init__(self) -> None:
        if self.holds is not None:  # a numpy bool is not the object True
            object.__setattr__(self, "holds", bool(self.holds))

    @classmethod
    def at_most(
        cls, value: float, bound: float, *, tolerance: float = 0.0, detail: str = ""
    ) -> Self:
        """Return whether ``value <= bound + tolerance``; undecided where either is nan."""
        margin = float(bound) - float(value)
        text = detail or f"{value:.6g} <= {bound:.6g}"
        return cls(None if math.isnan(margin) else margin >= -tolerance, margin, text)

    @classmethod
    def close(cls, value: float, expected: float, *, tolerance: float, detail: str = "") -> Self:
        """Return whether two numbers agree to a tolerance; undecided where either is nan."""
        gap = abs(float(value) - float(expected))
        text = detail or f"{value:.12g}, expected {expected:.12g}"
        return cls(None if math.isnan(gap) else gap <= tolerance, tolerance - gap, text)

    @classmethod
    def every(cls, outcomes: Sequence[Outcome]) -> Self:
        """Return the conjunction: the first failure, else the first undecided, else the tightest.

        Raises
        ------
        SpecificationError
            If there are none: an empty conjunction checks nothing.
        """
        if not outcomes:
            raise SpecificationError(
                "outcomes", outcomes, "must not be empty.", "Check something on every instance."
            )
        rank = {False: 0, None: 1, True: 2}
        worst = min(
            outcomes,
            key=lambda one: (
                rank[one.holds],
                math.inf if math.isnan(one.margin) else one.margin,
            ),
        )
        return cls(worst.holds, worst.margin, worst.detail)


def _nothing(draw: Draw) -> Instance:
    """Return the one instance of a claim that leaves nothing open."""
    return {}


@dataclass(frozen=True, kw_only=True)
class Claim:
    """One statement of a paper, with what is known of it and how to check it.

    Parameters
    ----------
    key : str
        Short name, unique within its model: lower-case words joined by hyphens.
    statement : str
        What is claimed, in one sentence.
    reference : str
        Where: theorem, equation, figure or section.
    holds_in : str
        The hypotheses: the instances that are drawn.
    check : callable
        ``check(instance) -> Outcome``.
    instance : callable, optional
        ``instance(draw) -> mapping``: draws one instance within the hypotheses, degenerate ones
        included. Default: nothing to draw.
    verdict : {"true", "false", "unproved"}, optional
        "true": proved, or an exact computation. "false": the counterexample refutes it.
        "unproved": neither a proof nor a counterexample is known. Default "true".
    counterexample : mapping, optional
        The instance that refutes a false claim.
    correction : Claim, optional
        What is true instead of a false claim.
    note : str, optional
        The error in print, or where the proof is.
    trials : int, optional
        Instances that a check draws by default (20; 1 where nothing is drawn).

    Raises
    ------
    SpecificationError
        If the verdict is none of the three, a false claim lacks its counterexample or correction,
        or another one has them.

    Examples
    --------
    >>> claim = Claim(
    ...     key="squares",
    ...     statement="A square is not negative.",
    ...     reference="folklore",
    ...     holds_in="every real number",
    ...     instance=lambda draw: {"x": draw.real(-1.0, 1.0)},
    ...     check=lambda case: Outcome.at_most(0.0, case["x"] ** 2),
    ... )
    >>> measure(claim, trials=5).agrees
    True
    """

    key: str
    statement: str
    reference: str
    holds_in: str
    check: Callable[[Instance], Outcome]
    instance: Callable[[Draw], Instance] = _nothing
    verdict: str = "true"
    counterexample: Instance | None = None
    correction: Claim | None = None
    note: str = ""
    trials: int = 20

    def __post_init__(self) -> None:
        if self.verdict not in VERDICTS:
            raise SpecificationError(
                "verdict", self.verdict, f"must be one of {', '.join(VERDICTS)}.", "Choose one."
            )
        refuted = self.counterexample is not None and self.correction is not None
        spared = self.counterexample is None and self.correction is None
        if not (refuted if self.verdict == "false" else spared):
            raise SpecificationError(
                "counterexample",
                f"{self.key}: {self.verdict}",
                "and `correction` belong to false claims, which need both.",
                "Give both, or neither.",
            )
        if self.correction is not None and self.correction.verdict == "false":
            raise SpecificationError(
                "correction", self.correction.key, "must not be false itself.", "Correct it."
            )

    @property
    def draws(self) -> bool:
        """Whether there is anything to draw."""
        return self.instance is not _nothing


@dataclass(frozen=True)
class Measurement:
    """What was found when a claim was checked.

    Parameters
    ----------
    claim : Claim
    outcomes : tuple of Outcome
        One for each instance drawn; of a false claim, the counterexample's only.
    correction : Measurement or None
        The same for what is true instead.
    seed : int
        Of the random generator.
    seconds : float
        Wall time, the correction's included.
    failure : mapping or None
        The first instance that contradicts what the claim says of itself.

    Examples
    --------
    >>> claim = Claim(
    ...     key="one",
    ...     statement="One is positive.",
    ...     reference="folklore",
    ...     holds_in="always",
    ...     check=lambda case: Outcome.at_most(0.0, 1.0),
    ... )
    >>> found = measure(claim)
    >>> found.agrees, found.undecided, found.tightest.margin
    (True, 0, 1.0)
    """

    claim: Claim
    outcomes: tuple[Outcome, ...]
    correction: Measurement | None
    seed: int
    seconds: float
    failure: Instance | None = field(default=None)

    @property
    def agrees(self) -> bool:
        """Whether what was measured is what the claim says of itself.

        A false claim must fail on its counterexample and hold as corrected; another must hold on
        every instance that could be decided, and on one at least.
        """
        found = {outcome.holds for outcome in self.outcomes}
        if self.claim.verdict == "false":
            return found == {False} and self.correction is not None and self.correction.agrees
        return True in found and False not in found

    @property
    def undecided(self) -> int:
        """Number of instances that the check could not decide."""
        return sum(outcome.holds is None for outcome in self.outcomes)

    @property
    def tightest(self) -> Outcome:
        """The outcome of the smallest margin."""
        return Outcome.every(self.outcomes)


def measure(claim: Claim, *, trials: int | None = None, seed: int = 0) -> Measurement:
    """Check a claim on random instances, or on its counterexample if it is a false one.

    Parameters
    ----------
    claim : Claim
    trials : int, optional
        Instances to draw (default: the claim's own number; 1 where nothing is drawn).
    seed : int, optional
        Of the random generator (default 0).

    Raises
    ------
    SpecificationError
        If `trials` is not positive.

    Examples
    --------
    >>> import contcrit as cc
    >>> claims = {claim.key: claim for claim in cc.models.get("linear-periodic").claims}
    >>> all(measure(claim, trials=2).agrees for claim in claims.values())
    True
    """
    if trials is not None and trials < 1:
        raise SpecificationError("trials", trials, "must be positive.", "Ask for 1 or more.")
    began = time.perf_counter()
    outcomes: list[Outcome] = []
    failure: Instance | None = None
    correction: Measurement | None = None
    if claim.verdict == "false":
        assert claim.counterexample is not None and claim.correction is not None
        outcomes.append(claim.check(claim.counterexample))
        if outcomes[0].holds is not False:
            failure = claim.counterexample
        correction = measure(claim.correction, trials=trials, seed=seed)
    else:
        draw = RandomDraw(np.random.default_rng(seed))
        for _ in range((trials or claim.trials) if claim.draws else 1):
            case = claim.instance(draw)
            outcomes.append(claim.check(case))
            if outcomes[-1].holds is False and failure is None:
                failure = case
    return Measurement(
        claim, tuple(outcomes), correction, seed, time.perf_counter() - began, failure
    )
