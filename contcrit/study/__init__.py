"""Studies: a paper's claims, computed again and compared with what is expected.

A study is a file ``studies/<paper>/<study>.py`` that defines ``STUDY``. The package never imports
that folder: files are loaded by their path, and found by looking.
"""

from .base import Study, choose, discover, load_study
from .expected import Comparison, compare, expectations
from .run import StudyReport, run_study

__all__ = [
    "Comparison",
    "Study",
    "StudyReport",
    "choose",
    "compare",
    "discover",
    "expectations",
    "load_study",
    "run_study",
]
