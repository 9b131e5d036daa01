"""Machine code on disk, shared by processes that start, write and stop as they please."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any


def guard(dispatcher: Any, folder: Path) -> None:
    """Let one process at a time write machine code, and none fail where a file does.

    Two processes that write the code of different signatures at once could leave an index that
    names one's code as the other's.
    """
    files = dispatcher._cache
    load, save, flush = files.load_overload, files.save_overload, files.flush

    def load_or_compile(signature: Any, target: Any) -> Any:
        try:
            return load(signature, target)
        except Exception:  # whatever a damaged file raises: it is written anew
            with suppress(OSError):
                flush()
            return None

    def save_alone(signature: Any, code: Any) -> None:
        with suppress(OSError), _alone(folder):  # a full disk: the code serves this process
            save(signature, code)

    files.load_overload, files.save_overload = load_or_compile, save_alone


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold the folder's lock, where the system has such locks."""
    try:
        import fcntl
    except ImportError:
        yield
        return
    with (folder / "lock").open("a") as file:
        with suppress(OSError):  # network folders may refuse locks
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
