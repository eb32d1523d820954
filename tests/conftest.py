"""What tests share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

torch.set_num_threads(1)


@pytest.fixture
def shared_data() -> Callable[[str], Path]:
    """Where a set of real data lies: a folder beside the repository. The test is skipped where it is absent."""

    def find(name: str) -> Path:
        path = Path(__file__).resolve().parents[2] / "shared" / "data" / name
        if not path.exists():
            pytest.skip(f"needs ../shared/data/{name}")
        return path

    return find
