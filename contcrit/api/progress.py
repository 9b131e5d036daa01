"""Progress of long runs: a bar on a terminal, a callback, or nothing."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any


class Progress:
    """A progress bar on standard error, a callback of the user's, or nothing."""

    def __init__(self, progress: bool | Callable[[int, float], Any] | None) -> None:
        self.bar: Any = None
        self.task: Any = None
        self.callback: Callable[[int, float], Any] | None = None
        if callable(progress):
            self.callback = progress
        elif progress or (progress is None and sys.stderr.isatty()):
            self.callback = self._update

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *exception: object) -> None:
        if self.bar is not None:
            self.bar.stop()
            self.bar = None

    def _update(self, points: int, parameter: float) -> None:
        if self.bar is None:
            from rich.console import Console
            from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

            self.bar = Progress(
                SpinnerColumn(),
                TextColumn("{task.description}"),
                TimeElapsedColumn(),
                console=Console(stderr=True),
                transient=True,
            )
            self.task = self.bar.add_task("tracing", total=None)
            self.bar.start()
        self.bar.update(self.task, description=f"{points} points, parameter {parameter:.6g}")
