"""The models: each file that defines ``MODEL`` adds one, and nothing else has to know.

`names` lists them, `get` returns one, `rebuild` makes a problem again from its description.
"""

from .base import Model, Start
from .discovery import get, names, rebuild

__all__ = ["Model", "Start", "get", "names", "rebuild"]
