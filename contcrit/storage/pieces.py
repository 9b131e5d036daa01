"""A branch written piece by piece, and put together again when it is read."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from ..criticality.record import Criticality
from ..encoding import Encoder
from ..errors import StorageError
from ..results import Branch
from .layout import FORMAT, FORMAT_VERSION, POINT_VARIABLES
from .netcdf import GroupWriter
from .write import Descriptions, write_branch, write_metadata

Array = np.ndarray
Verdicts = tuple[tuple[int, int, Criticality], ...]


class PieceWriter:
    """Appends pieces of one branch to a file, which is complete after each of them.

    Parameters
    ----------
    path : str or path-like
        The file; one that exists is replaced.

    Raises
    ------
    StorageError
        If the file cannot be written.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self.count = 0
        self._descriptions = Descriptions()
        self._identifiers = 0
        with self._open("w") as file:
            file.attrs["format"] = FORMAT
            file.attrs["format_version"] = FORMAT_VERSION
            file.attrs["content"] = "pieces"
            GroupWriter(file).child("branch")

    def append(self, piece: Branch) -> None:
        """Write one more piece; the file is closed again on return."""
        description = self._descriptions.position(piece)
        with self._open("a") as file:
            folder = GroupWriter(file["branch"])
            write_branch(folder, self.count, piece, description)
            self.count += 1
            for name in ("metadata", "arrays"):
                if name in file:
                    del file[name]
            metadata = {"branches": self.count, "descriptions": self._descriptions.found}
            write_metadata(GroupWriter(file), Encoder(), metadata, "the result")

    def _open(self, mode: str) -> h5py.File:
        try:
            return h5py.File(self.path, mode, track_order=True)
        except (OSError, ValueError) as error:
            raise StorageError(
                f"Cannot write {self.path}: {error}. Check that the folder exists, is writable and "
                "has room, or give another path."
            ) from error


def joined(pieces: Sequence[Branch]) -> Branch:
    """Return the branch that consecutive pieces are.

    Parameters
    ----------
    pieces : sequence of Branch
        At least one; each goes on where the one before it ends.
    """
    first, last = pieces[0], pieces[-1]
    variables: dict[str, Any] = {
        name: np.concatenate([getattr(piece, name) for piece in pieces]) for name in POINT_VARIABLES
    }
    return replace(
        first,
        **variables,
        columns={
            name: np.concatenate([piece.columns[name] for piece in pieces])
            for name in first.columns
        },
        special_points=tuple(special for piece in pieces for special in piece.special_points),
        status=(first.status[0], last.status[1]),
        verdicts=_joined_verdicts(pieces),
        provenance={**first.provenance, **last.provenance},
    )


def _joined_verdicts(pieces: Sequence[Branch]) -> Verdicts:
    """Shift the pieces' verdicts to the whole, and join those that a seam cut in two."""
    found: list[tuple[int, int, Criticality]] = []
    begin = 0
    for piece in pieces:
        for k, (first, last, verdict) in enumerate(piece.verdicts):
            cut = k == 0 and first == 0 and found and found[-1][1] == begin - 1
            if cut and _alike(found[-1][2], verdict) and not _special_at(piece):
                found[-1] = (found[-1][0], begin + last, found[-1][2])
            else:
                found.append((begin + first, begin + last, verdict))
        begin += len(piece)
    return tuple(found)


def _alike(one: Criticality, other: Criticality) -> bool:
    return (one.kind, one.index, one.nullity) == (other.kind, other.index, other.nullity)


def _special_at(piece: Branch) -> bool:
    """Tell whether a special point lies right before the piece's first point."""
    return any(s.kind != "user" and s.arclength <= piece.arclength[0] for s in piece.special_points)


def thinned(branch: Branch, every: int) -> Branch:
    """Return the branch with every so many of its points, and its last; special points stay.

    Parameters
    ----------
    branch : Branch
    every : int
        At least 1.
    """
    count = len(branch)
    positions = np.unique(np.append(np.arange(0, count, every), max(count - 1, 0)))
    positions = positions[positions < count]
    verdicts = []
    for first, last, verdict in branch.verdicts:
        low = int(np.searchsorted(positions, first))
        high = int(np.searchsorted(positions, last, side="right")) - 1
        if low <= high:
            verdicts.append((low, high, verdict))
    changes: dict[str, Any] = {name: getattr(branch, name)[positions] for name in POINT_VARIABLES}
    return replace(
        branch,
        **changes,
        columns={name: column[positions] for name, column in branch.columns.items()},
        verdicts=tuple(verdicts),
    )
