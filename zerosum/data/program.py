"""A light program: another Python on one thread, without torch and without the caller's script."""

from __future__ import annotations

import os
import sys
from typing import Any


def program(file: str, *words: str) -> dict[str, Any]:
    """`args` and `env` of `subprocess.Popen` for a .py file: what is importable here is importable there.

    It does not look for what the paths say already (-S), which would be a fifth of its start.
    """
    quiet = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    environment = os.environ | quiet | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    environment.pop("PYTHONWARNINGS", None)
    return {"args": [sys.executable, "-S", "-P", file, *words], "env": environment}
