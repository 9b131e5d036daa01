"""From nothing to the first saved branch: one process, timed from outside.

``python first_branch.py FILE GEAR`` traces P1 and saves the branch.
"""

from __future__ import annotations

import json
import sys

import numpy as np
from own import spiral
from references import SPIRAL_FOLD

import contcrit as cc

branch = cc.trace(
    spiral(), [0.0, 2.5 * np.pi], "lam", (1e-4, 0.2), values={"lam": 1e-3},
    settings=cc.Settings(gear=sys.argv[2]), progress=False,
)  # fmt: skip
branch.save(sys.argv[1])
fold = branch.of_kind("fold")[0].parameter
print(
    json.dumps(
        {
            "tool": "contcrit",
            "problem": "first branch",
            "points": len(branch),
            "gear": branch.provenance["gear"],
            "events": [[special.kind, special.parameter] for special in branch.special_points],
            "fold_error": abs(fold - SPIRAL_FOLD),
            "fold_from": "located",
        }
    )
)
