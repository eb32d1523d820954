"""Synthetic Adult tables under differential privacy: utility at an epsilon, what it is spent on, and what an audit proves.

    python benchmarks/adult_dp.py ADULT.csv[.gz] [--epsilon 1] [--delta 1e-5] [--seeds 0 1 2] [--set NAME=VALUE ...]

The split, the learners and the columns are those of `benchmarks/adult.py`; `seconds` is the time to fit, without the audit.
No schema is given: types alone are known. Noise and sampled rows follow a fresh key each time, so that no run repeats.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from _asked import asked

sys.path.insert(0, str(Path(__file__).parent))
from _contestants import HELD_OUT
from adult import TARGET, measure, opened, show

from zerosum import GAN


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--epsilon", type=float, default=1.0)
    parser.add_argument("--delta", type=float, default=1e-5)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--set", nargs="*", default=[], metavar="NAME=VALUE")
    args = parser.parse_args()
    train, test, schema = opened(args.data)
    settings: dict[str, Any] = asked(args.set)
    plan: dict[str, Any] = {"held_out": HELD_OUT, "target": TARGET, "dp_epsilon": args.epsilon, "dp_delta": args.delta}
    found, said = [], []
    for seed in args.seeds:
        begun = time.perf_counter()
        gan = GAN(seed=seed, **plan | settings).fit(train)
        seconds = time.perf_counter() - begun
        found.append(measure(train, test, gan.sample(len(train), seed=seed), schema) | {"seconds": seconds})
        show(f"dptabular, epsilon {args.epsilon:g}", str(seed), found[-1])
        assert gan.ledger is not None
        said.append(f"seed {seed}: {gan.audit().words()}")
        if seed == args.seeds[-1]:
            said += gan.ledger.words()
    print(f"\nmean F1 {np.mean([row['F1'] for row in found]):.3f}\n\n```\n" + "\n".join(said) + "\n```")


if __name__ == "__main__":
    main()
