"""Machine code of `matrix_steps`: compiled once, kept on disk, loaded where that is worthwhile."""

from __future__ import annotations

import hashlib
import inspect
import itertools
import os
import sys
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from . import matrix_steps as steps

_REPAYS_LOADING = 400
"""Evaluations by numpy whose cost beyond machine code's is that of loading it (measured)."""

_REPAYS_IMPORTING = 4_000
"""The same where numba is to be imported first."""

_REPAYS_COMPILING = 100_000
"""The same for compiling it."""

_asked = itertools.count(1)


def worthwhile() -> bool:
    """Tell whether one more evaluation in this process calls for machine code.

    Loaded code always serves; otherwise numpy does until its evaluations have cost as much as
    loading, or compiling, would have.
    """
    if is_loaded():
        return True
    number = next(_asked)
    if number == _REPAYS_COMPILING:
        return True
    # Folders are looked through now and then only.
    if number % _REPAYS_LOADING or (number < _REPAYS_IMPORTING and "numba" not in sys.modules):
        return False
    return any(cache_folder().rglob("*.nbi"))


def is_loaded() -> bool:
    """Tell whether this process has the machine code."""
    return bool(compiled_entry.cache_info().currsize)


@cache
def cache_folder() -> Path:
    """Return the folder of the user's that keeps the machine code between processes."""
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    try:
        source = inspect.getsource(steps)
    except OSError:  # installed without sources: they change with the version only
        source = version("contcrit")
    digest = hashlib.sha256(source.encode()).hexdigest()[:16]
    return Path(root) / "contcrit" / digest


@cache
def compiled_entry() -> Any:
    """Return `matrix_steps.entry` as a C function ``void f(double *, double *, void *)``.

    Where the folder cannot be written, it is compiled for this process alone.
    """
    import numba
    from numba import carray, types  # type: ignore[attr-defined]
    from numba.extending import overload, register_jitable

    for name, helper in vars(steps).items():
        if inspect.isfunction(helper) and name not in ("entry", "at_address"):
            register_jitable(error_model="numpy")(helper)

    @overload(steps.at_address)
    def _at_address(pointer: Any, length: Any) -> Any:
        def view(pointer: Any, length: Any) -> Any:
            return carray(pointer, length)

        return view

    folder = cache_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        keep = os.access(folder, os.W_OK | os.X_OK)
    except OSError:
        keep = False
    settings: Any = numba.config
    previous = settings.CACHE_DIR
    settings.CACHE_DIR = str(folder) if keep else previous
    try:
        numbers = types.CPointer(types.float64)
        signature = types.void(numbers, numbers, numbers)
        return numba.cfunc(signature, cache=keep, error_model="numpy")(steps.entry)
    finally:
        settings.CACHE_DIR = previous
