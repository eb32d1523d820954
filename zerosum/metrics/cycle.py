"""There and back: what is left of an image after it was turned into the other kind and back again."""

from __future__ import annotations

from torch import Tensor

from zerosum.metrics.against import levels
from zerosum.metrics.case import Case
from zerosum.metrics.intervals import FEWEST, bootstrap
from zerosum.metrics.l1 import l1
from zerosum.metrics.score import Score

ITEMS = 32
QUICK = True


def applies(case: Case) -> bool:
    """Games that map, and know the way back."""
    return case.maps is not None and case.maps.back is not None


def measure(case: Case) -> list[Score]:
    """L1 between held-out images of either kind and what comes back (Zhu et al. 2017, "Unpaired Image-to-Image Translation
    using Cycle-Consistent Adversarial Networks", eq. 2)."""
    maps, count = case.maps, min(case.items, ITEMS)
    assert maps is not None
    a, x = case.maker.inputs(count, case.seed)["a"], case.held["x"][:count]
    there, back = (lambda a: case.maker.generate({"a": a})["x"]), case.maker.back
    given, made = maps.ask(case.train)["a"].mean(0), case.train["x"].mean(0)
    kinds = {" + ".join(maps.names): (a, back(there(a)), given), maps.made: (x, there(back(x)), made)}
    return [_score(name, *sides, seed=case.seed) for name, sides in kinds.items()]


def _score(name: str, before: Tensor, after: Tensor, mean: Tensor, seed: int) -> Score:
    values, floor = l1(levels(after), levels(before)), l1(levels(mean).expand_as(before), levels(before))
    low, high = bootstrap(values) if len(values) >= FEWEST else (None, None)
    protocol = (
        f"mean absolute difference between {len(values)} held-out images ({name}) and what comes back from the other kind, as "
        "a share of the range; a game that copies its input gets 0, so it says nothing by itself; trivial: the mean training "
        f"image; interval: bootstrap over images; seed {seed}"
    )
    return Score(f"cycle L1, {name}", float(values.mean()), "lower", 0.0, float(floor.mean()), protocol, low, high)
