"""What the studies of this paper share: the look of figures."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

Array = np.ndarray

SEED = 0
"""Seed of the studies' random draws."""


def bare(axes: Axes) -> None:
    """Take away the upper and right edges of a frame."""
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
