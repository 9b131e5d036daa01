"""Results in one self-describing file, and back, exactly.

Files are netCDF-4 (HDF5): any HDF5 reader opens them, and ``xarray.open_dataset(path,
group="branch/0")`` gives a branch's table. The layout is documented in ``docs/file-format.md``.
"""

from .layout import FORMAT_VERSION
from .read import load
from .write import save

__all__ = ["FORMAT_VERSION", "load", "save"]
