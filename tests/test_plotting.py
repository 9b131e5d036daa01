"""Figures show every point of a branch once, in the style of its verdict."""

from __future__ import annotations

import sys
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from contcrit.criticality.record import Criticality
from contcrit.errors import SpecificationError, Status, StorageError
from contcrit.plotting import PALETTE, plot_branch, plot_diagram, save_figure
from contcrit.results import Branch, Diagram, SpecialPoint

MINIMUM = Criticality(kind="minimum", index=0, nullity=0)
SADDLE = Criticality(kind="saddle", index=1, nullity=0)
MAXIMUM = Criticality(kind="maximum", index=2, nullity=0)


def parabola(columns: bool = True, classified: bool = True) -> Branch:
    """The fold p = 1 - x^2, y = 2x, sampled beside its tip, where the verdict changes."""
    x = np.linspace(-1, 1, 8)
    z = np.column_stack([x, 2 * x, 1 - x**2])
    tip = SpecialPoint(
        kind="fold",
        z=np.array([0.0, 0.0, 1.0]),
        tangent=np.array([1.0, 2.0, 0.0]),
        bracket=(0.9, 1.1),
        arclength=1.0,
        residual=0.0,
        digits=12.0,
        verdict_before=MINIMUM,
        verdict_after=SADDLE,
    )
    return Branch(
        names=("x", "y"),
        parameter="lam",
        z=z,
        tangent=np.zeros((8, 3)),
        arclength=x + 1,
        residual_norm=np.zeros(8),
        iterations=np.zeros(8, dtype=int),
        columns={"cost": x**2 + 1, "modes": np.zeros((8, 2))} if columns else {},
        special_points=(tip,),
        status=(Status.END_OF_SPAN, Status.END_OF_SPAN),
        span=(0.0, 1.0),
        verdicts=((0, 3, MINIMUM), (4, 7, SADDLE)) if classified else (),
    )


def lines(ax: Axes) -> list[tuple[str, np.ndarray, np.ndarray]]:
    drawn = [line for line in ax.lines if line.get_linestyle() != "None"]
    return [
        (str(line.get_linestyle()), np.asarray(line.get_xdata()), np.asarray(line.get_ydata()))
        for line in drawn
    ]


def legend_of(ax: Axes) -> list[str]:
    legend = ax.get_legend()
    return [] if legend is None else [text.get_text() for text in legend.get_texts()]


def test_stretches_by_verdict_meet_at_the_special_point() -> None:
    branch = parabola()
    ax = plot_branch(branch, y="x")
    (solid, x1, y1), (dashed, x2, y2) = lines(ax)
    assert (solid, dashed) == ("-", "--")
    np.testing.assert_array_equal(y1, [*branch["x"][:4], 0.0])
    np.testing.assert_array_equal(y2, [0.0, *branch["x"][4:]])
    np.testing.assert_array_equal(x1, [*branch["lam"][:4], 1.0])
    np.testing.assert_array_equal(x2, [1.0, *branch["lam"][4:]])
    assert legend_of(ax) == ["minimum", "saddle", "fold"]


def test_special_points_are_marked_in_their_place() -> None:
    ax = plot_branch(parabola(), y="y")
    (marks,) = [line for line in ax.lines if line.get_linestyle() == "None"]
    assert (list(marks.get_xdata()), list(marks.get_ydata())) == ([1.0], [0.0])
    assert len(plot_branch(parabola(), y="y", special=False).lines) == 2
    # A column is interpolated in arc length.
    (marks,) = [line for line in plot_branch(parabola()).lines if line.get_linestyle() == "None"]
    assert marks.get_ydata()[0] == pytest.approx(1 + (1 / 7) ** 2, rel=1e-14)


def test_stretches_without_a_special_point_between_leave_no_gap() -> None:
    branch = parabola()
    branch.special_points = ()
    (_, x1, _), (_, x2, _) = lines(plot_branch(branch))
    assert x1[-1] == x2[0]
    assert len(x1) + len(x2) == len(branch) + 1


def test_default_ordinate() -> None:
    assert plot_branch(parabola()).get_ylabel() == "cost"
    assert plot_branch(parabola(columns=False)).get_ylabel() == "x"
    # A diagram takes an observable only when all branches have it.
    mixed = Diagram(branches=(parabola(), parabola(columns=False)))
    assert plot_diagram(mixed).get_ylabel() == "x"
    ax = plot_branch(parabola(), y="norm")
    np.testing.assert_allclose(lines(ax)[0][2][0], np.sqrt(5))
    assert ax.get_xlabel() == r"$\lambda$"


def test_unclassified_branches_are_solid_and_partly_classified_ones_dotted() -> None:
    ax = plot_branch(parabola(classified=False))
    assert [style for style, _, _ in lines(ax)] == ["-"]
    assert legend_of(ax) == ["fold"]
    branch = parabola()
    branch.verdicts = branch.verdicts[:1]
    ax = plot_branch(branch)
    assert [style for style, _, _ in lines(ax)] == ["-", ":"]
    assert "not classified" in legend_of(ax)
    branch.verdicts = ((0, 7, MAXIMUM),)
    assert [style for style, _, _ in lines(plot_branch(branch))] == [":"]


def test_colours() -> None:
    diagram = Diagram(branches=(parabola(), parabola()))
    ax = plot_diagram(diagram)
    drawn = [line for line in ax.lines if line.get_linestyle() != "None"]
    assert [to_hex(line.get_color()).upper() for line in drawn] == [PALETTE[0]] * 2 + [
        PALETTE[1]
    ] * 2
    ax = plot_diagram(diagram, color="index")
    drawn = [line for line in ax.lines if line.get_linestyle() != "None"]
    assert [to_hex(line.get_color()).upper() for line in drawn] == [PALETTE[0], PALETTE[1]] * 2
    assert {"index 0", "index 1"} <= set(legend_of(ax))
    ax = plot_branch(parabola(), color="red")
    assert to_hex(ax.lines[0].get_color()) == "#ff0000"


def test_axes_and_scales() -> None:
    ax = Figure().subplots()
    assert plot_branch(parabola(), ax=ax) is ax
    plot_branch(parabola(), ax=ax, log="y")
    assert (ax.get_xscale(), ax.get_yscale()) == ("linear", "log")
    assert parabola().plot(log="xy").get_xscale() == "log"


def test_an_empty_result_draws_empty_axes(tmp_path: Path) -> None:
    failed = parabola()
    failed.z, failed.special_points, failed.verdicts = failed.z[:0], (), ()
    for result in (Diagram(branches=()), Diagram(branches=(failed,))):
        ax = result.plot()
        assert len(ax.lines) == 0
        save_figure(ax, tmp_path / "empty.png")


def test_one_point_is_visible() -> None:
    branch = parabola(classified=False)
    branch.special_points = ()
    for name in ("z", "tangent", "arclength", "residual_norm", "iterations"):
        setattr(branch, name, getattr(branch, name)[:1])
    branch.columns = {}
    assert plot_branch(branch).lines[0].get_marker() == "."


def test_unknown_kinds_get_a_marker_of_their_own() -> None:
    branch = parabola()
    branch.special_points = tuple(
        branch.special_points[0].replace(kind=kind) for kind in ("strange", "fold", "odd")
    )
    ax = plot_branch(branch)
    marks = [line.get_marker() for line in ax.lines if line.get_linestyle() == "None"]
    assert len(set(marks)) == 3


@pytest.mark.parametrize(
    "options", [{"y": "none"}, {"y": "modes"}, {"log": "z"}, {"color": "no colour"}]
)
def test_misuse_is_refused(options: dict[str, str]) -> None:
    with pytest.raises(SpecificationError):
        plot_branch(parabola(), **options)  # type: ignore[arg-type]


def test_branches_in_different_parameters_are_refused() -> None:
    other = parabola()
    other.parameter = "mu"
    with pytest.raises(SpecificationError, match="different parameters"):
        plot_diagram((parabola(), other))


@pytest.mark.parametrize("suffix", ["png", "pdf", "svg"])
def test_saved_figures_are_reproducible(tmp_path: Path, suffix: str) -> None:
    for name in ("one", "two"):
        save_figure(plot_branch(parabola()), tmp_path / f"{name}.{suffix}")
    assert (tmp_path / f"one.{suffix}").read_bytes() == (tmp_path / f"two.{suffix}").read_bytes()
    assert len(list(tmp_path.iterdir())) == 2


def test_figures_that_cannot_be_saved(tmp_path: Path) -> None:
    figure = plot_branch(parabola()).figure
    with pytest.raises(SpecificationError, match="suffix"):
        save_figure(figure, tmp_path / "figure.gif")  # type: ignore[arg-type]
    with pytest.raises(StorageError, match="Cannot write"):
        save_figure(figure, tmp_path / "missing" / "figure.png")  # type: ignore[arg-type]


def test_nothing_of_pyplot_is_used() -> None:
    plot_branch(parabola())
    pyplot = sys.modules.get("matplotlib.pyplot")
    assert pyplot is None or not pyplot.get_fignums()
    assert matplotlib.rcParams["svg.hashsalt"] is None
