"""Writing files that are either complete or absent."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from .errors import StorageError


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary path in the same folder, and move it onto `path` on success.

    An interrupted or failed block leaves the former file as it was and no temporary file behind.
    The temporary name keeps the suffix of `path`, since writers choose a format by it.

    Parameters
    ----------
    path : str or path-like
        The file to write. Its folder must exist.

    Yields
    ------
    pathlib.Path
        Where the block writes.

    Raises
    ------
    StorageError
        If the folder is missing or not writable, or the write fails.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> from contcrit.files import replacing
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     target = pathlib.Path(folder) / "note.txt"
    ...     with replacing(target) as temporary:
    ...         _ = temporary.write_text("complete")
    ...     target.read_text()
    'complete'
    """
    target = Path(path)
    if target.is_dir():
        raise StorageError(f"Cannot write {target}: it is a folder. Give the name of a file.")
    # A long name plus the prefix could exceed what the file system takes, hence the cut.
    temporary = target.with_name(f".{target.stem[:40]}-{os.urandom(6).hex()}{target.suffix}")
    try:
        yield temporary
        os.replace(temporary, target)
    except StorageError:
        raise
    except OSError as error:
        reason = error.strerror or str(error)
        raise StorageError(
            f"Cannot write {target}: {reason}. Check that the folder exists, is writable and has "
            "room, or give another path."
        ) from error
    finally:
        # Already moved away after a success.
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def writable_folder(path: str | os.PathLike[str]) -> Path:
    """Make a folder where needed, and make sure that files can be written there.

    Parameters
    ----------
    path : str or path-like
        The folder.

    Returns
    -------
    pathlib.Path
        The same folder.

    Raises
    ------
    StorageError
        If it cannot be made or does not take a file.
    """
    folder = Path(path)
    probe = folder / f".{os.urandom(8).hex()}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.touch(exist_ok=False)
        probe.unlink()
    except OSError as error:
        reason = error.strerror or str(error)
        raise StorageError(
            f"Cannot write to the folder {folder}: {reason}. Give a folder that you may write to."
        ) from error
    return folder
