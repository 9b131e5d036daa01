"""Figures of branches and diagrams: the only module that draws.

Nothing here touches pyplot's state or shows a window: without `ax`, a new figure is made.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from .errors import SpecificationError
from .files import replacing
from .results import Branch, Diagram, SpecialPoint

Array = np.ndarray

PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
"""Colours that stay apart for colour-blind readers (Okabe and Ito, 2008, without yellow)."""

UNCLASSIFIED = "not classified"
_STYLES: dict[str, Any] = {
    "minimum": "-",
    "sharp minimum": "-",
    "flat minimum": (0, (5, 1)),
    "saddle": "--",
}
_OTHER_STYLE = ":"
_MARKERS = {
    "fold": "s",
    "branch-point": "o",
    "hopf": "D",
    "flip": "^",
    "neimark-sacker": "v",
    "border": "X",
    "inertia": "P",
    "user": "*",
    "cusp": "<",
    "bogdanov-takens": ">",
}
_OTHER_MARKERS = ("h", "8", "p", "d", "H")
_MARKER_STYLE: dict[str, Any] = {
    "linestyle": "none",
    "markersize": 6,
    "markerfacecolor": "white",
    "markeredgecolor": "black",
}
_OBSERVABLES = ("cost", "potential")
_GREEK = (
    "alpha beta gamma delta epsilon zeta eta theta kappa mu nu xi rho sigma tau phi chi psi omega"
).split()
_FIXED_METADATA: dict[str, dict[str, Any]] = {
    "png": {"Software": None},
    "pdf": {"CreationDate": None, "ModDate": None, "Producer": None, "Creator": None},
    "svg": {"Date": None, "Creator": None},
}


def plot_branch(
    branch: Branch,
    y: str | None = None,
    ax: Axes | None = None,
    *,
    color: str = "branch",
    log: str = "",
    special: bool = True,
    legend: bool = True,
    linewidth: float = 1.6,
) -> Axes:
    """Draw a branch against its parameter.

    Stretches are drawn by verdict: minima solid, saddles dashed, all else dotted; a branch that was
    not classified at all is solid. Special points are markers by kind. Between accepted points a
    column's value at a special point is interpolated in arc length; unknowns and ``"norm"`` are
    exact there.

    Parameters
    ----------
    branch : Branch
        The branch.
    y : str, optional
        A column's name, or ``"norm"`` for the Euclidean norm of the unknowns. Default: the column
        ``cost`` or ``potential`` where there is one, else the first unknown.
    ax : Axes, optional
        Where to draw (default: a new figure).
    color : str, optional
        ``"branch"`` (default) gives each branch a colour of `PALETTE`, ``"index"`` each Morse
        index; anything else is a colour of matplotlib's.
    log : {"", "x", "y", "xy"}, optional
        Axes with a logarithmic scale (default: none).
    special : bool, optional
        Whether to mark special points (default True).
    legend : bool, optional
        Whether to explain styles and markers (default True).
    linewidth : float, optional
        Width of the lines in points (default 1.6).

    Returns
    -------
    Axes
        Where it was drawn; ``ax.figure`` is the figure.

    Raises
    ------
    SpecificationError
        If `y` is no column with one number a point, or `color` or `log` is not as said.

    Examples
    --------
    >>> import numpy as np
    >>> from contcrit.errors import Status
    >>> from contcrit.plotting import plot_branch
    >>> from contcrit.results import Branch
    >>> branch = Branch(names=("x",), parameter="p", z=np.array([[0.0, 1.0], [1.0, 2.0]]),
    ...     tangent=np.zeros((2, 2)), arclength=np.array([0.0, 1.0]), residual_norm=np.zeros(2),
    ...     iterations=np.zeros(2, dtype=int), status=(Status.END_OF_SPAN, Status.END_OF_SPAN),
    ...     span=(1.0, 2.0))
    >>> plot_branch(branch).get_xlabel()
    'p'
    """
    return plot_diagram(
        (branch,),
        y,
        ax,
        color=color,
        log=log,
        special=special,
        legend=legend,
        linewidth=linewidth,
    )


def plot_diagram(
    diagram: Diagram | Iterable[Branch],
    y: str | None = None,
    ax: Axes | None = None,
    *,
    color: str = "branch",
    log: str = "",
    special: bool = True,
    legend: bool = True,
    linewidth: float = 1.6,
) -> Axes:
    """Draw all branches of a diagram into one pair of axes.

    Parameters
    ----------
    diagram : Diagram or iterable of Branch
        Branches in the same parameter.
    y : str, optional
        As in `plot_branch`; the default is one that all branches have.
    ax : Axes, optional
        Where to draw (default: a new figure).
    color, log, special, legend, linewidth
        As in `plot_branch`.

    Returns
    -------
    Axes
        Where it was drawn.

    Raises
    ------
    SpecificationError
        If the branches have different parameters, or as in `plot_branch`.

    Examples
    --------
    >>> from contcrit.plotting import plot_diagram
    >>> from contcrit.results import Diagram
    >>> len(plot_diagram(Diagram(branches=())).lines)
    0
    """
    branches = tuple(diagram)
    parameters = {branch.parameter for branch in branches}
    if len(parameters) > 1:
        raise SpecificationError(
            "diagram",
            sorted(parameters),
            "has branches in different parameters.",
            "Draw those of one parameter at a time.",
        )
    if log not in ("", "x", "y", "xy"):
        raise SpecificationError(
            "log", log, "must be '', 'x', 'y' or 'xy'.", "It names the logarithmic axes."
        )
    if color not in ("branch", "index") and not matplotlib.colors.is_color_like(color):
        raise SpecificationError(
            "color", color, "must be 'branch', 'index' or a colour.", "'branch' is the default."
        )
    filled = [branch for branch in branches if len(branch)]
    y = _default_y(filled) if y is None else y
    # Everything is computed before a figure is touched, so that a refusal leaves none behind.
    stretches = [list(_stretches(branch, y)) for branch in filled]
    specials = [_special_values(branch, y) for branch in filled] if special else []
    if ax is None:
        ax = Figure(figsize=(6.4, 4.4), layout="constrained").subplots()
    indices = sorted({s.index for found in stretches for s in found if s.index is not None})
    styles: dict[str, Any] = {}
    used: dict[str, str] = {}
    for position, found in enumerate(stretches):
        for stretch in found:
            if color == "index":
                label = "index unknown" if stretch.index is None else f"index {stretch.index}"
                rank = -1 if stretch.index is None else indices.index(stretch.index)
                shade = "0.5" if rank < 0 else PALETTE[rank % len(PALETTE)]
                used[label] = shade
            else:
                shade = PALETTE[position % len(PALETTE)] if color == "branch" else color
            ax.plot(
                stretch.x,
                stretch.y,
                color=shade,
                linestyle=stretch.style,
                linewidth=linewidth,
                marker="." if len(stretch.x) == 1 else None,
            )
            styles.setdefault(stretch.label, stretch.style)
    kinds = _mark(ax, specials)
    if "x" in log:
        ax.set_xscale("log")
    if "y" in log:
        ax.set_yscale("log")
    if branches:
        ax.set_xlabel(_label(branches[0].parameter))
        ax.set_ylabel("norm of the unknowns" if y == "norm" else _label(y))
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    if legend:
        _explain(ax, styles, used, kinds, linewidth)
    return ax


def save_figure(
    figure: Figure | Axes, path: str | os.PathLike[str], *, resolution: float = 200.0
) -> None:
    """Write a figure so that the same figure gives the same file.

    Parameters
    ----------
    figure : Figure or Axes
        The figure, or axes in it.
    path : str or path-like
        The file; its suffix chooses the format (``.png``, ``.pdf``, ``.svg``).
    resolution : float, optional
        Dots per inch of a PNG (default 200).

    Raises
    ------
    SpecificationError
        If the suffix is none of these.
    StorageError
        If the file cannot be written.
    """
    whole: Any = figure if isinstance(figure, Figure) else figure.get_figure(root=True)
    suffix = Path(path).suffix.lower().lstrip(".")
    if suffix not in _FIXED_METADATA:
        raise SpecificationError(
            "path", str(path), "needs a suffix that names a format.", "Use .png, .pdf or .svg."
        )
    # SVG identifiers are salted with a random number, unless a salt is given.
    with replacing(path) as temporary, matplotlib.rc_context({"svg.hashsalt": "contcrit"}):
        whole.savefig(temporary, format=suffix, dpi=resolution, metadata=_FIXED_METADATA[suffix])


@dataclass(frozen=True)
class _Stretch:
    """A piece of a branch with one verdict."""

    style: Any
    label: str
    index: int | None
    x: Array
    y: Array


def _default_y(branches: Sequence[Branch]) -> str:
    for name in _OBSERVABLES:
        if branches and all(np.ndim(branch.columns.get(name, 0.0)) == 1 for branch in branches):
            return name
    return branches[0].names[0] if branches and branches[0].names else "norm"


def _ordinate(branch: Branch, y: str) -> Array:
    """Return the values to draw, one a point."""
    if y == "norm" and y not in branch.column_names:
        return np.linalg.norm(branch.z[:, :-1], axis=1)
    values = np.asarray(branch[y])
    if values.ndim != 1 or values.dtype.kind not in "biuf":
        raise SpecificationError(
            "y", y, "is not a column with one real number a point.", "Choose another column."
        )
    return values.astype(float)


def _ordinate_at(branch: Branch, special: SpecialPoint, y: str, values: Array) -> float:
    if special.z.shape == branch.z.shape[1:]:
        if y == branch.parameter:
            return special.parameter
        if y in branch.names:
            return float(special.z[branch.names.index(y)])
        if y == "norm" and y not in branch.column_names:
            return float(np.linalg.norm(special.x))
    return float(np.interp(special.arclength, branch.arclength, values))


def _special_values(branch: Branch, y: str) -> list[tuple[str, float, float]]:
    """Return kind, parameter and ordinate of the special points."""
    values = _ordinate(branch, y)
    return [
        (special.kind, special.parameter, _ordinate_at(branch, special, y, values))
        for special in branch.special_points
    ]


def _stretches(branch: Branch, y: str) -> Iterator[_Stretch]:
    """Yield the pieces with one verdict each, cut at the special points between them."""
    values, arclength, parameter = _ordinate(branch, y), branch.arclength, branch.z[:, -1]
    # Special points join the line: a fold is drawn to its tip, a change of verdict in its place.
    ends = arclength[0], arclength[-1]
    extra = [sp for sp in branch.special_points if ends[0] <= sp.arclength <= ends[1]]
    s = np.concatenate([arclength, [special.arclength for special in extra]])
    x = np.concatenate([parameter, [special.parameter for special in extra]])
    v = np.concatenate([values, [_ordinate_at(branch, sp, y, values) for sp in extra]])
    order = np.argsort(s, kind="stable")
    s, x, v = s[order], x[order], v[order]
    for start, stop, verdict in _pieces(branch, [special.arclength for special in extra]):
        inside = (s >= start) & (s <= stop)
        if verdict is None:
            style = _OTHER_STYLE if branch.verdicts else "-"
            yield _Stretch(style, UNCLASSIFIED, None, x[inside], v[inside])
        else:
            style = _STYLES.get(verdict.kind, _OTHER_STYLE)
            yield _Stretch(style, verdict.kind, verdict.index, x[inside], v[inside])


def _pieces(branch: Branch, cuts: Sequence[float]) -> Iterator[tuple[float, float, Any]]:
    """Yield arc lengths and verdict of pieces that cover the branch without a gap."""
    runs: list[tuple[int, int, Any]] = []
    for position in range(len(branch)):
        verdict = branch.verdict_at(position) if branch.verdicts else None
        if runs and runs[-1][2] is verdict:
            runs[-1] = (runs[-1][0], position, verdict)
        else:
            runs.append((position, position, verdict))
    start = float(branch.arclength[0])
    for k, (_, last, verdict) in enumerate(runs):
        stop = float(branch.arclength[last])
        if k + 1 < len(runs):
            following = float(branch.arclength[last + 1])
            between = [cut for cut in cuts if stop <= cut <= following]
            stop = between[0] if between else following
        yield start, stop, verdict
        start = stop


def _mark(ax: Axes, specials: Sequence[Sequence[tuple[str, float, float]]]) -> dict[str, str]:
    """Draw the special points by kind and return the marker of each kind."""
    kinds = sorted({kind for found in specials for kind, _, _ in found})
    unknown = [kind for kind in kinds if kind not in _MARKERS]
    markers = {
        kind: _MARKERS.get(kind) or _OTHER_MARKERS[unknown.index(kind) % len(_OTHER_MARKERS)]
        for kind in kinds
    }
    for kind, marker in markers.items():
        points = np.array([(x, y) for found in specials for k, x, y in found if k == kind])
        ax.plot(points[:, 0], points[:, 1], marker=marker, zorder=3, **_MARKER_STYLE)
    return markers


def _explain(
    ax: Axes,
    styles: dict[str, Any],
    colours: dict[str, str],
    kinds: dict[str, str],
    linewidth: float,
) -> None:
    handles = []
    # One style that says nothing ("not classified") needs no line in the legend.
    if set(styles) != {UNCLASSIFIED}:
        for label, style in styles.items():
            line = Line2D([], [], color="0.3", linestyle=style, linewidth=linewidth, label=label)
            handles.append(line)
    for label, shade in sorted(colours.items()):
        handles.append(Line2D([], [], color=shade, linewidth=linewidth, label=label))
    for kind, marker in kinds.items():
        handles.append(Line2D([], [], marker=marker, label=kind, **_MARKER_STYLE))
    if handles:
        ax.legend(handles=handles, frameon=False, fontsize="small")


def _label(name: str) -> str:
    """Return a name as it is shown: Greek letters as such, nothing read as mathematics."""
    if name == "lam":
        return r"$\lambda$"
    return rf"$\{name}$" if name in _GREEK else name.replace("$", r"\$")
