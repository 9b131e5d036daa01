"""What the studies of this paper share: caches, progress, and the look of figures."""

from __future__ import annotations

import hashlib
import inspect
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from contcrit.files import replacing

Array = np.ndarray

SEED = 0
"""Seed of the studies' random draws."""


def bare(axes: Axes) -> None:
    """Take away the upper and right edges of a frame."""
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def cached(
    path: Path,
    constants: Mapping[str, Any],
    code: Sequence[Callable[..., Any]],
    compute: Callable[[], Mapping[str, Array]],
) -> dict[str, Array]:
    """Return arrays from a file, or compute them and write the file.

    Parameters
    ----------
    path : Path
        The file, ending in ``.npz``.
    constants : mapping
        All that the result depends on, seeds included; it is written into the file.
    code : sequence of callable
        The functions that compute it. A file made with other constants, other code or another
        version of numpy is stale: it is not read, but made anew.
    compute : callable
        Returns the arrays by name.
    """
    source = "".join(inspect.getsource(function) for function in code)
    stated = {
        "constants": json.loads(json.dumps(dict(constants))),
        "code": hashlib.sha256(source.encode()).hexdigest(),
        "numpy": np.__version__,
    }
    text = json.dumps(stated, sort_keys=True)
    if path.exists():
        with np.load(path, allow_pickle=False) as stored:
            if "provenance" in stored and str(stored["provenance"]) == text:
                return {name: stored[name] for name in stored.files if name != "provenance"}
    found = {name: np.asarray(value) for name, value in compute().items()}
    with replacing(path) as temporary:
        np.savez(temporary, provenance=np.array(text), **found)
    return found


@contextmanager
def counting(progress: Any, total: int, text: str) -> Iterator[Callable[[int], None]]:
    """Yield a function that advances a bar on standard error, if that is a terminal."""
    if not (progress and sys.stderr.isatty()):
        yield lambda steps: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(text, total=total)
        yield lambda steps: bar.advance(task, steps)
