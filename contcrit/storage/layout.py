"""Names in the files, as ``docs/file-format.md`` has them."""

from __future__ import annotations

FORMAT = "contcrit"
FORMAT_VERSION = 1

POINT_VARIABLES = {
    "z": ("point", "component"),
    "tangent": ("point", "component"),
    "arclength": ("point",),
    "residual_norm": ("point",),
    "iterations": ("point",),
}
SPECIAL_VARIABLES = ("arclength", "residual", "digits")
SPECIAL_RECORD = ("evidence", "verdict_before", "verdict_after")
RESERVED = {
    *POINT_VARIABLES,
    *("point", "component", "metadata", "special_points", "arrays", "real_imaginary"),
}
