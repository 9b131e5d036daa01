"""Results as labelled tables: xarray datasets and pandas data frames."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from .results import Branch, Diagram

if TYPE_CHECKING:
    import pandas
    import xarray

_OWN = ("arclength", "residual_norm", "iterations")


def branch_to_xarray(branch: Branch) -> xarray.Dataset:
    """Return a branch as a dataset over the dimension ``point``.

    Parameters
    ----------
    branch : Branch
        The branch, of m points in n unknowns.

    Returns
    -------
    xarray.Dataset
        ``unknowns`` of shape (m, n) with the names as coordinate ``unknown``; ``tangent`` of shape
        (m, n + 1) with coordinate ``component``; the parameter and ``arclength`` as coordinates of
        ``point``; ``residual_norm``, ``iterations`` and one variable a column. A column whose name
        is taken gets a trailing underscore. The attributes hold the parameter's name, the span,
        the other parameters' values and the two statuses by name.

    Examples
    --------
    >>> import numpy as np
    >>> from contcrit.errors import Status
    >>> from contcrit.results import Branch
    >>> from contcrit.tables import branch_to_xarray
    >>> branch = Branch(names=("x",), parameter="p", z=np.array([[0.0, 1.0], [0.0, 2.0]]),
    ...     tangent=np.array([[0.0, 1.0], [0.0, 1.0]]), arclength=np.array([0.0, 1.0]),
    ...     residual_norm=np.zeros(2), iterations=np.zeros(2, dtype=int),
    ...     status=(Status.END_OF_SPAN, Status.END_OF_SPAN), span=(1.0, 2.0))
    >>> float(branch_to_xarray(branch)["unknowns"].sel(unknown="x")[0])
    0.0
    """
    import xarray

    taken = {"point", "unknown", "component"}
    variables: dict[str, Any] = {}
    for name, dimensions, data in (
        ("unknowns", ("point", "unknown"), branch.z[:, :-1]),
        ("tangent", ("point", "component"), branch.tangent),
        ("residual_norm", ("point",), branch.residual_norm),
        ("iterations", ("point",), branch.iterations),
    ):
        taken.add(name)
        variables[name] = (dimensions, data)
    taken.add("arclength")
    parameter = _free_name(branch.parameter, taken)
    coordinates = {
        "unknown": list(branch.names),
        "component": [*branch.names, branch.parameter],
        parameter: ("point", branch.z[:, -1]),
        "arclength": ("point", branch.arclength),
    }
    for name, data in branch.columns.items():
        free = _free_name(name, taken)
        extra = tuple(f"{free}_axis_{axis}" for axis in range(1, np.ndim(data)))
        taken.update(extra)
        variables[free] = (("point", *extra), data)
    attributes = {
        "parameter": branch.parameter,
        "span": list(branch.span),
        "status": [status.name for status in branch.status],
        **{f"value of {name}": value for name, value in branch.values.items()},
    }
    return xarray.Dataset(variables, coords=coordinates, attrs=attributes)


def branch_to_pandas(branch: Branch) -> pandas.DataFrame:
    """Return a branch as a data frame with one row a point.

    Parameters
    ----------
    branch : Branch
        The branch.

    Returns
    -------
    pandas.DataFrame
        Columns: the parameter, the unknowns, the branch's columns (those with more axes as
        ``name[i,j]``), ``arclength``, ``residual_norm``, ``iterations``, and ``verdict`` where
        stretches were classified. A name that is taken gets a trailing underscore.

    Examples
    --------
    >>> import numpy as np
    >>> from contcrit.errors import Status
    >>> from contcrit.results import Branch
    >>> from contcrit.tables import branch_to_pandas
    >>> branch = Branch(names=("x",), parameter="p", z=np.array([[0.0, 1.0], [0.0, 2.0]]),
    ...     tangent=np.array([[0.0, 1.0], [0.0, 1.0]]), arclength=np.array([0.0, 1.0]),
    ...     residual_norm=np.zeros(2), iterations=np.zeros(2, dtype=int),
    ...     status=(Status.END_OF_SPAN, Status.END_OF_SPAN), span=(1.0, 2.0))
    >>> list(branch_to_pandas(branch).columns)
    ['p', 'x', 'arclength', 'residual_norm', 'iterations']
    """
    import pandas

    taken: set[str] = set()
    names = [_free_name(name, taken) for name in (branch.parameter, *branch.names)]
    parts = [pandas.DataFrame(np.roll(branch.z, 1, axis=1), columns=names)]
    for name, column in branch.columns.items():
        data = np.asarray(column)
        if data.ndim == 1:
            parts.append(pandas.DataFrame({_free_name(name, taken): data}))
            continue
        labels = [f"{name}[{','.join(map(str, index))}]" for index in np.ndindex(data.shape[1:])]
        flat = data.reshape(len(data), len(labels))
        parts.append(pandas.DataFrame(flat, columns=[_free_name(label, taken) for label in labels]))
    own: dict[str, Any] = {_free_name(name, taken): getattr(branch, name) for name in _OWN}
    if branch.verdicts:
        kinds = np.full(len(branch), "", dtype=object)
        # Backwards, so that the first stretch wins at a shared point, as `verdict_at` has it.
        for first, last, verdict in reversed(branch.verdicts):
            kinds[first : last + 1] = str(verdict)
        own[_free_name("verdict", taken)] = kinds
    parts.append(pandas.DataFrame(own))
    return pandas.concat(parts, axis=1)


def diagram_to_pandas(diagram: Diagram | Iterable[Branch]) -> pandas.DataFrame:
    """Return the points of all branches, with the branch's position in the first column.

    Parameters
    ----------
    diagram : Diagram or iterable of Branch
        The branches. A column that only some of them have is missing (NaN) in the others.

    Returns
    -------
    pandas.DataFrame
        The rows of `branch_to_pandas`, branch after branch, with the column ``branch``.
    """
    import pandas

    frames = []
    for position, branch in enumerate(diagram):
        frame = branch_to_pandas(branch)
        frame.insert(0, _free_name("branch", set(frame.columns)), position)
        frames.append(frame)
    if not frames:
        return pandas.DataFrame({"branch": np.zeros(0, dtype=int)})
    return pandas.concat(frames, ignore_index=True)


def special_point_table(result: Branch | Diagram) -> pandas.DataFrame:
    """Return one row a special point.

    Parameters
    ----------
    result : Branch or Diagram
        What was traced.

    Returns
    -------
    pandas.DataFrame
        Columns ``branch``, ``kind``, the parameter, the unknowns, ``arclength``, ``residual``,
        ``digits``, ``kernel_dimension``, ``verdict_before`` and ``verdict_after`` (text, empty
        where it was not classified). A name that is taken gets a trailing underscore.

    Examples
    --------
    >>> from contcrit.results import Diagram
    >>> from contcrit.tables import special_point_table
    >>> list(special_point_table(Diagram(branches=())).columns)[:2]
    ['branch', 'kind']
    """
    import pandas

    branches = (result,) if isinstance(result, Branch) else tuple(result)
    frames = [_special_points_of(position, branch) for position, branch in enumerate(branches)]
    filled = [frame for frame in frames if len(frame)]
    if filled:
        return pandas.concat(filled, ignore_index=True)
    return frames[0] if frames else pandas.DataFrame(columns=["branch", "kind"])


def _special_points_of(position: int, branch: Branch) -> pandas.DataFrame:
    import pandas

    found = branch.special_points
    taken = {"branch", "kind"}
    table: dict[str, Any] = {
        "branch": np.full(len(found), position),
        "kind": np.array([special.kind for special in found], dtype=object),
    }
    table[_free_name(branch.parameter, taken)] = np.array([s.parameter for s in found], dtype=float)
    for k, name in enumerate(branch.names):
        table[_free_name(name, taken)] = np.array([s.z[k] for s in found], dtype=float)
    for name, read in _SPECIAL_COLUMNS.items():
        table[_free_name(name, taken)] = [read(special) for special in found]
    return pandas.DataFrame(table)


def _text(verdict: Any) -> str:
    return "" if verdict is None else str(verdict)


_SPECIAL_COLUMNS: dict[str, Any] = {
    "arclength": lambda special: float(special.arclength),
    "residual": lambda special: float(special.residual),
    "digits": lambda special: float(special.digits),
    "kernel_dimension": lambda special: special.kernel_dimension,
    "verdict_before": lambda special: _text(special.verdict_before),
    "verdict_after": lambda special: _text(special.verdict_after),
}


def _free_name(name: str, taken: set[str]) -> str:
    """Return the name, with underscores appended until it is not taken, and take it."""
    while name in taken:
        name += "_"
    taken.add(name)
    return name
