"""The native gear: the same walk, compiled, over systems that are machine code themselves.

The walk is compiled from the very source that the Python gear runs, with the compiled twins of
`native_twins`. Machine code is kept on disk between processes, under a name that changes with the
source.
"""

from __future__ import annotations

import hashlib
import inspect
import os
import sys
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from . import (
    batch,
    deflation,
    inner_code,
    kernel,
    native_tridiagonal,
    native_twins,
    newton,
    tridiagonal,
    tridiagonal_spectra,
    tridiagonal_turn,
)
from . import survey as surveying
from . import walk as walking
from .code_cache import guard
from .native_twins import COMPILED, OPTIONS, Handle, Work
from .own_memory import separate
from .repayment import COMPILING, LOADING

Array = np.ndarray


class Compiled(NamedTuple):
    """The compiled functions."""

    walk: Any
    survey: Any


class CompiledBatch(NamedTuple):
    """The compiled functions for many problems at once; threads may run them side by side."""

    solve: Any
    start: Any
    walk: Any


def handle_of(system: Any) -> tuple[Handle, Work, Any] | None:
    """Return handle, workspace and what keeps the code alive; None if the system has none."""
    own = getattr(system, "native", None)
    found = own() if own is not None else None
    if found is None:
        return None
    n = system.size
    inputs, outputs, matrix, square = separate(
        (found.in_size,), (found.out_size,), (n + 1, n + 1), (n, n)
    )
    inputs[n + 1 :] = found.constants
    jacobian = outputs[n : n + n * (n + 1)].reshape(n, n + 1)
    work = Work(inputs, outputs, outputs[:n], jacobian, matrix, square)
    return Handle(found.address, found.data, bool(system.symmetric)), work, found.keep_alive


def cache_directory() -> Path:
    """Return the folder of the user's that keeps machine code between processes."""
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(root) / "contcrit" / _digest()


@cache
def _digest() -> str:
    """Return a name that changes with the source of what is compiled."""
    own = sys.modules[__name__]
    modules = (
        kernel, *COMPILED, deflation, tridiagonal, tridiagonal_spectra, tridiagonal_turn,
        native_tridiagonal, native_twins, inner_code, own,
    )  # fmt: skip
    try:
        source = "".join(inspect.getsource(module) for module in modules)
    except OSError:  # installed without sources: they change with the version only
        source = version("contcrit")
    return hashlib.sha256(source.encode()).hexdigest()[:16]


@cache
def compiled() -> Compiled:
    """Return the compiled functions, from disk where they have been compiled before.

    Where the folder cannot be written, they are compiled for this process alone.
    """
    return Compiled(*compile_functions((walking.walk, surveying.survey), **OPTIONS))


@cache
def compiled_batch() -> CompiledBatch:
    """Return the compiled functions for many problems at once, kept as the others are."""
    functions = (newton.solve_block, batch.start_block, batch.walk_block)
    return CompiledBatch(*compile_functions(functions, nogil=True, **OPTIONS))


def compile_functions(
    functions: tuple[Any, ...], folder: Path | None = None, **options: Any
) -> list[Any]:
    """Return functions as the compiler's, which keeps their machine code in a folder."""
    import numba

    native_twins.register()
    options |= inner_code.pipelines().outer
    folder = _folder() if folder is None else folder
    keep = _writable(folder)
    settings: Any = numba.config
    previous = settings.CACHE_DIR
    settings.CACHE_DIR = str(folder) if keep else previous
    try:
        found = [numba.njit(cache=keep, **options)(function) for function in functions]
    finally:
        settings.CACHE_DIR = previous
    if keep:
        for dispatcher in found:
            guard(dispatcher, folder)
    return found


def _writable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(folder, os.W_OK | os.X_OK)


def is_loaded() -> bool:
    """Tell whether the compiled walk serves in this process already."""
    return bool(compiled.cache_info().currsize)


def is_kept() -> bool:
    """Tell whether walk and survey have been compiled before."""
    names = (walking.walk.__name__, surveying.survey.__name__)
    return all(any(_folder().rglob(f"*.{name}-*.nbi")) for name in names)


def batch_repays(function: str, seconds: float) -> bool:
    """Tell whether that much time saved repays a function for many problems."""
    if compiled_batch.cache_info().currsize and getattr(compiled_batch(), function).signatures:
        return True
    kept = any(_folder().rglob(f"*.{function}_block-*.nbi"))
    return seconds >= (LOADING if kept else COMPILING)


def _folder() -> Path:
    return cache_directory() / "dense"
