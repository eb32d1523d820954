"""check_recipe: what every recipe promises, checked. For the house's tests and for anyone's own recipe.

from zerosum import check_recipe
check_recipe("./my_recipe.py")
"""

from __future__ import annotations

import copy
import dataclasses
import itertools
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from zerosum import recipes, sampling
from zerosum.data import open_source, paired
from zerosum.data.source import Source
from zerosum.play import Pace, Run, play
from zerosum.rundir import RunDir


def check_recipe(recipe: str | ModuleType, source: Source | None = None, steps: int = 6, **settings: Any) -> None:
    """Raise AssertionError, saying what is broken, where a recipe does not keep its promises.

    `recipe`: a name, the path of a .py file, or the module. `source`: data to play on (default: scikit-learn's digits; pairs of
    a digit mirrored and as it is where the recipe needs pairs).
    `steps`: how many steps each check plays, at least 4. `settings`: fields of its Config, to make it small. Takes a few
    seconds for small networks.
    """
    module = recipes.find(recipe) if isinstance(recipe, str) else recipe
    source = source or _toy(vars(module).get("NEEDS"))
    cfg = module.Config(**{"batch": 8, **settings})
    check_config(module, cfg)

    def fresh(seed: int = 0, **pace: Any) -> Run:
        torch.manual_seed(seed)
        return Run(module.build(cfg, source.spec), steps, cfg.batch, seed=0, pace=Pace(**pace))

    check_learning(fresh(), source)
    check_resume(fresh, source, steps)
    check_sampling(fresh(), source)
    for pace in ({"dtype": torch.bfloat16}, {"accum": 2}):
        for logs in play(fresh(**pace), source):
            _finite(logs, str(pace))


def _toy(need: str | None) -> Source:
    """Digits; of 32 x 32 pixels, each beside its mirrored self, for games that map."""
    if need is None:
        return open_source("digits")
    small = open_source("digits").some(200)["x"]
    x = (interpolate(small, scale_factor=4) * 127.5 + 127.5).round().byte().numpy()
    return paired.from_arrays({"mirrored": x[..., ::-1]}, x, "upright", "digits")


def check_config(module: ModuleType, cfg: Any) -> None:
    """Config is frozen, of plain values that survive JSON; the docstring says in its first line what the recipe is."""
    assert (module.__doc__ or "").strip(), "the recipe's file needs a docstring: its first line is shown by `zerosum list`"
    frozen = dataclasses.is_dataclass(cfg) and vars(type(cfg))["__dataclass_params__"].frozen
    assert frozen, "Config must be a frozen dataclass"
    again = module.Config(**json.loads(json.dumps(vars(cfg))))
    assert again == cfg, "Config does not survive JSON: use numbers, words and booleans alone"


def check_learning(run: Run, source: Source) -> None:
    """Every loss is finite; every weight matrix of a player's nets is moved, and nothing else is.

    Single numbers and biases may rightly stand still: a Wasserstein critic's last bias cancels out of its loss.
    """
    before = copy.deepcopy(run.nets.state_dict())
    for logs in play(run, source):
        _finite(logs, "float32")
        assert logs, "a step in which no player took a turn"
    trained = {net for player in run.game.players.values() for net in player.trains}
    for name, net in run.game.nets.items():
        for key, value in net.named_parameters():
            moved = not torch.equal(before[f"{name}.{key}"], value)
            assert name in trained or not moved, f"{name}.{key} moved, and no player trains it"
            assert moved or name not in trained or value.ndim < 2, f"{name}.{key} never moved: does the loss reach it?"


def check_resume(fresh: Callable[..., Run], source: Source, steps: int) -> None:
    """Broken off, saved, loaded into other weights and played on: bit for bit the uninterrupted run."""
    whole, broken, loaded = fresh(), fresh(), fresh(seed=1)
    for _ in play(whole, source):
        pass
    for _ in itertools.islice(play(broken, source), steps // 2):
        pass
    with tempfile.TemporaryDirectory() as place:
        folder = RunDir.create(Path(place) / "run", {})
        folder.save(broken, seconds=0.0)
        folder.restore(loaded)
    for _ in play(loaded, source):
        pass
    for key, value in whole.nets.state_dict().items():
        assert torch.equal(value, loaded.nets.state_dict()[key]), (
            f"{key} differs after a resume: is some state not in a buffer?"
        )
    assert whole.clock == loaded.clock, f"the clock differs after a resume: {whole.clock} and {loaded.clock}"


def check_sampling(run: Run, source: Source) -> None:
    """Samples have the data's shape and range, follow their seed, do not depend on their neighbours, and change nothing."""
    for _ in play(run, source):
        pass
    before = copy.deepcopy(run.nets.state_dict())
    real = sampling.examples(run.game, source)
    make = lambda seed, chunk=250: sampling.generate(run, sampling.draw(run.game, 12, seed, real=real), chunk)["x"]
    x = make(0)
    assert x.shape == (12, *source.spec.shape), f"samples of shape {tuple(x.shape)}, data of {source.spec.shape}"
    assert torch.isfinite(x).all(), "samples hold NaN or infinity"
    assert source.spec.kind != "images" or x.abs().max() <= 1, "images leave [-1, 1]"
    assert torch.equal(x, make(0)), "the same seed gave other samples"
    if run.game.maps is None:
        assert not torch.equal(x, make(1)), "another seed gave the same samples"
    else:
        assert not torch.equal(x[0], x[1]), "other inputs gave the same outputs"
    assert torch.allclose(x, make(0, chunk=5), atol=1e-4), "a sample depends on the others in its batch: eval mode should not"
    for key, value in run.nets.state_dict().items():
        assert torch.equal(value, before[key]), f"sampling changed {key}"
    assert run.nets.training, "sampling left the nets in eval mode"
    _check_encoding(run, source)
    if run.game.maps is not None:
        check_maps(run, source)


def check_maps(run: Run, source: Source) -> None:
    """What a game that maps says of itself is so: its inputs' shape, its output's scale, other sizes, known pixels."""
    maps, spec = run.game.maps, source.spec
    assert maps is not None
    asked = sampling.draw(run.game, 3, 0, real=source.some(3))
    height, width = maps.tile
    wanted = (3, sum(maps.channels), height, width)
    assert asked["a"].shape == wanted, f"a of {tuple(asked['a'].shape)}, and Maps says {wanted}"
    assert len(maps.names) == len(maps.channels), "Maps names other inputs than it gives channels of"
    assert (height * maps.scale, width * maps.scale) == spec.shape[1:], "tile times scale is not the output's size"
    assert not height % maps.multiple and not width % maps.multiple, "the tile is not divisible by Maps.multiple"
    assert ("mask" in asked) == maps.mask, "Maps.mask and the inputs do not agree"
    other = {name: torch.cat([value, value], 3) if value.ndim == 4 else value for name, value in asked.items()}
    out = sampling.generate(run, other)["x"]
    wide = (3, spec.shape[0], height * maps.scale, 2 * width * maps.scale)
    assert out.shape == wide, f"an input twice as wide gave {tuple(out.shape)}, not {wide}"
    if maps.mask:
        known = (asked["mask"] == 0).expand_as(asked["a"])
        assert torch.equal(sampling.generate(run, asked)["x"][known], asked["a"][known]), "known pixels were changed"
    if maps.back is not None:
        with run.shown() as nets:
            back = maps.back(nets, {"a": source.some(3)["x"].to(run.pace.device)})
        assert back.shape == wanted, f"the way back gives {tuple(back.shape)}, not {wanted}"


def _check_encoding(run: Run, source: Source) -> None:
    game = run.game
    if game.encode is None:
        return
    with run.shown() as nets:
        x = source.some(5)["x"].to(run.pace.device)
        back = game.generate(nets, game.encode(nets, x))
    assert back.shape == x.shape, f"encode and generate give {tuple(back.shape)} from {tuple(x.shape)}"


def _finite(logs: dict[str, Tensor], when: str) -> None:
    wrong = [name for name, value in logs.items() if not torch.isfinite(value)]
    assert not wrong, f"{', '.join(wrong)} not finite ({when})"
