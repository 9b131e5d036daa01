"""Exceptions for misuse, and the statuses that a computation can end with.

Misuse raises: the message names the argument, what was observed, the rule and the remedy.
Numerical trouble never raises: it is a `Status` on a partial, usable result.
"""

from __future__ import annotations

from enum import Enum
from typing import Any


class ContcritError(Exception):
    """Base class of every exception that contcrit raises on purpose."""


class SpecificationError(ContcritError, ValueError):
    """An argument breaks a rule.

    Parameters
    ----------
    argument : str
        Name of the offending argument.
    observed : object
        What was given; shortened in the message.
    rule : str
        The rule that it breaks.
    remedy : str
        What to do instead.
    """

    def __init__(self, argument: str, observed: Any, rule: str, remedy: str) -> None:
        self.argument = argument
        self.observed = observed
        self.rule = rule
        self.remedy = remedy
        shown = repr(observed) if not isinstance(observed, str) else observed
        if len(shown) > 200:
            shown = shown[:197] + "..."
        super().__init__(f"`{argument}`: {rule} Observed: {shown}. {remedy}")

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.argument, self.observed, self.rule, self.remedy)


class StorageError(ContcritError, OSError):
    """A file cannot be written or is not one of ours."""


class Status(Enum):
    """How a computation ended; the value is a message with its remedy."""

    END_OF_SPAN = "The branch reached an end of the parameter span exactly."
    CLOSED_LOOP = "The branch returned to its start: it is a closed loop."
    MAXIMUM_POINTS = (
        "The maximum number of points was reached. Raise `maximum_points` to go on, "
        "or continue from the last point."
    )
    STOPPED_BY_USER = "The progress callback asked to stop; the points so far are valid."
    NOT_ASKED_FOR = "This direction was not asked for; use direction='both' to trace it too."
    STOPPED_AT_EVENT = "A terminal event was located; the branch ends there."
    BORDER_END = "No branch goes on beyond the border of a kink: the branch ends there."
    BORDER_UNDECIDED = (
        "A collision with the border of a kink could not be decided: several kinks meet there in a "
        "degenerate way. Perturb another parameter slightly, or trace from beyond the border."
    )
    LEFT_BOUNDS = "The unknowns left the stated bounds. Widen `maximum_norm` to go on."
    STEP_TOO_SMALL = (
        "The corrector failed at the smallest step: the branch may end here, or the equations "
        "lose smoothness. Try `Settings.careful()`, or trace from the other side."
    )
    START_FAILED = (
        "Newton's method did not converge from the start point. Give a closer start, use `find` "
        "to search for one, or start at a parameter value where a solution is known."
    )
    SINGULAR_START = (
        "The start point is singular and no branch direction could be told apart there. "
        "Start a little away from it; if every start is singular, the solutions come in orbits "
        "of a continuous symmetry: declare it in `generators`."
    )
    NOT_FINITE = (
        "The equations returned a value that is not finite. Check the domain of logarithms, "
        "square roots and divisions, and the span."
    )
    CONVERGED = "Converged to the stated tolerances."
    COMPLETE = "Every branch in the queue was traced within the budget."
    BUDGET_SPENT = (
        "The budget was spent before the work was done. Raise `maximum_branches` or "
        "`maximum_depth` of a diagram, or `search_starts` of a search."
    )
    NOTHING_FOUND = (
        "No start led to a solution. Widen the box, raise `search_starts`, or give start points."
    )

    END_OF_TIME = "The flow was followed for the whole time asked for."
    NOT_UNIQUE = (
        "The solution is not unique from here: several modes may follow. Choose one by `side`, or "
        "start elsewhere."
    )
    MODE_UNDECIDED = (
        "No mode to go on in could be decided where the flow meets switching surfaces. Perturb the "
        "start slightly."
    )
    CHATTERING = (
        "The flow switches more and more often without getting on in time. Loosen `rtol` and "
        "`atol`, or replace the jump by a steep smooth function."
    )
    MAXIMUM_EVENTS = (
        "The maximum number of changes of mode was reached. Raise `maximum_events` to go on."
    )
    MAXIMUM_STEPS = (
        "The maximum number of steps was reached: the flow may be stiff. Raise `maximum_steps`, "
        "loosen `rtol` and `atol`, or ask for less time."
    )
    FLOW_FAILED = (
        "The integrator's step fell below rounding, or the right-hand side is not finite: the "
        "solution may blow up or leave its domain there. The part before is valid."
    )

    @property
    def message(self) -> str:
        """The message, with its remedy where there is one."""
        return self.value

    @property
    def is_success(self) -> bool:
        """Whether the computation did all that was asked."""
        return self in _SUCCESSES


_SUCCESSES = frozenset(
    {
        Status.END_OF_SPAN,
        Status.CLOSED_LOOP,
        Status.STOPPED_BY_USER,
        Status.NOT_ASKED_FOR,
        Status.STOPPED_AT_EVENT,
        Status.BORDER_END,
        Status.CONVERGED,
        Status.COMPLETE,
        Status.END_OF_TIME,
    }
)
