"""GAN(recipe, **settings).fit(data).sample(n): the scikit-learn-shaped face."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import torch

from zerosum import recipes, shows
from zerosum.audit import Audit
from zerosum.auto import Choice, choose
from zerosum.conditions import Asked, sample_where
from zerosum.data import lasting, modality, open_source
from zerosum.errors import UserError, suggest
from zerosum.job import Job, open_run
from zerosum.metrics.score import Score
from zerosum.pictures import picture
from zerosum.private.ledger import Ledger
from zerosum.progress import Display
from zerosum.report import write_report
from zerosum.sampling import Sampler
from zerosum.secrecy import budget
from zerosum.settings import plain, settings
from zerosum.train import Training
from zerosum.translate import Translator, as_mask


class GAN:
    """A generative adversarial network that fits data and samples more of it.

    `recipe`: a name that `zerosum list` shows, the path of a recipe file, or "auto" to let the data decide. `settings` are
    the recipe's fields (batch, lr_g ...) and those of `zerosum.train.Training` (steps, minutes, seed, device ...).
    The constructor only stores them; a name that neither knows is refused by `fit`.
    """

    def __init__(self, recipe: str = "auto", **settings: Any) -> None:
        self.recipe, self.settings = recipe, settings
        self._job: Job | None = None
        self._sampler: Sampler | None = None
        self.asked: Asked | None = None  # of the last sample with `where`: hits, and rows drawn and kept

    def fit(
        self, x: Any, y: Any = None, out: str | Path | None = None, display: Display | None = None, schema: Any = None
    ) -> GAN:
        """Train. `x`: images [n, h, w], [n, h, w, c] or [n, c, h, w], vectors [n, d], a DataFrame, or a path.

        `y`: a label an item, integers or words (a recipe without classes warns that it ignores them); of a table the name of
        the column to be predicted. `schema`: a table's
        columns as `zerosum.tables.schema.Schema`, as plain values or as a JSON file (default: inferred).
        `out`: a run folder to make; without it everything stays in memory. Returns self. Raises UserError where data and
        settings do not fit. Ctrl-C raises KeyboardInterrupt after the
        step at hand; what was learned until then can be sampled, and is saved where there is an `out`.
        """
        known = {field.name for field in fields(Training)}
        training = plain(Training(**{name: value for name, value in self.settings.items() if name in known}))
        schema = training.schema if schema is None else schema
        source = open_source(
            x,
            y,
            training.held_out,
            training.size,
            training.target,
            schema,
            budget=budget(training),
            need=recipes.needs(self.recipe),
            inputs=training.inputs,
        )
        chosen = choose(source.spec, training.device) if self.recipe == "auto" else Choice(self.recipe)
        wishes = {name: value for name, value in self.settings.items() if name not in known}
        cfg = settings(chosen.recipe, chosen.settings | wishes)
        what = lasting(x) if isinstance(x, str | Path) and y is None else "array"
        self._job = Job.new(what, source, chosen.recipe, cfg, training, None if out is None else Path(out))
        self._sampler = self._job.sampler
        if y is not None and source.spec.classes > 1 and not self._sampler.labelled:
            said = f"recipe {chosen.recipe} ignores the {source.spec.classes} classes of y: leave y out, or take recipe cgan"
            warnings.warn(said, stacklevel=2)
        if not self._job.play(display):
            raise KeyboardInterrupt
        if out is not None and self._job.folder is not None:
            self._job.finish()
            write_report(self._job.folder)
        return self

    @staticmethod
    def load(run: str | Path, recipe: str | None = None) -> GAN:
        """A trained GAN from a run folder; nothing in the folder is executed.

        `recipe`: the recipe's .py file again, where the run's recipe is not one of the house.
        """
        gan = GAN()
        gan._sampler = open_run(run, recipe=recipe)
        return gan

    @property
    def ledger(self) -> Ledger | None:
        """Every read of private rows and what it cost, where `dp_epsilon` was given; else None."""
        found: Ledger | None = self._fitted.run.game.ledger
        return found

    def audit(self) -> Audit:
        """An attack on the private mechanisms, and what it proves epsilon to be at least. It reads no private row.

        Raises UserError where there is no claim to attack, or the GAN was loaded.
        """
        found = None if self._job is None else self._job.audit()
        if found is None:
            raise UserError("there is no claim to audit here: fit with dp_epsilon")
        return found

    @property
    def _fitted(self) -> Sampler:
        if self._sampler is None:
            raise UserError("this GAN is not trained yet: call fit, or GAN.load")
        return self._sampler

    def sample(
        self,
        n: int,
        label: int | str | None = None,
        seed: int = 0,
        truncation: float | None = None,
        where: Mapping[str, Any] | None = None,
    ) -> Any:
        """n new items: uint8 images [n, h, w] or [n, h, w, c], float32 vectors [n, d], or a DataFrame; the same for a seed.

        `label`: a class's number or name, to have all items of that class. `truncation`: from 0 (the mean style) to 1
        (off), for generators that have it. `where`: what rows of a table should be, by column: a value, a list of values,
        or a range (least, most): `where={"income": ">50K", "age": (30, 40)}`; `asked` then says what it took.
        """
        if where:
            self.asked = sample_where(self._fitted, n, where, seed)
            return self.asked.frame
        return self._shown(self._fitted.make(n, seed, label, truncation)["x"])

    def translate(
        self,
        image: Any,
        mask: Any = None,
        direction: str = "a2b",
        tile: str | None = None,
        overlap: int | None = None,
        **named: Any,
    ) -> np.ndarray:
        """What a game that makes images from images makes of one, of any size: uint8 [h, w] or [h, w, c] (alpha last).

        `image`: uint8 [h, w] or [h, w, c], a Pillow image or a path; or a batch [n, h, w, c], which gives one. Of a game of
        several inputs it is the first that is not `named`: `gan.translate(person, garment=garment)`. `mask`: for games that
        fill holes, [h, w], true where pixels are to be made (default: what is transparent). `direction`: "b2a" for the way
        back of games that have one. `tile`, `overlap`: how large images are cut, as `zerosum translate` takes them. Raises
        UserError where the game maps nothing, or images do not fit it.
        """
        translator = Translator(self._fitted, direction, tile, overlap)
        if strangers := sorted(set(named) - set(translator.names)):
            raise UserError(f"no input {strangers[0]}: {suggest(strangers[0], list(translator.names))}")
        left = [name for name in translator.names if name not in named]
        if len(left) != 1:
            raise UserError(f"this game makes an image of {', '.join(translator.names)}: give one, and the others by name")
        given = {name: image if name == left[0] else named[name] for name in translator.names}
        if not isinstance(image, np.ndarray) or image.ndim != 4:
            hole = None if mask is None else as_mask(picture(mask, "mask"))
            return translator({name: picture(one, name) for name, one in given.items()}, hole).array()
        if wrong := [name for name, many in given.items() if len(many) != len(image)]:
            raise UserError(f"{len(given[wrong[0]])} images of {wrong[0]} and {len(image)} of {left[0]}: give as many of each")
        made = []
        for i in range(len(image)):
            hole = None if mask is None else as_mask(picture(mask if np.ndim(mask) == 2 else mask[i], "mask"))
            made.append(translator({name: picture(many[i], name) for name, many in given.items()}, hole).array())
        return np.stack([one if one.ndim == 3 else one[..., None] for one in made])

    def show(self, kind: str, out: str | Path, **wishes: Any) -> Path:
        """Write a grid or a film of what this GAN makes, and return its path: `gan.show("interpolation", "walk.gif")`.

        `kind`: interpolation, truncation, mixing or classes. `wishes`: fields of that show's Config. Raises UserError
        where the generator or the file's kind does not fit.
        """
        return shows.show(self._fitted, kind, out, **wishes)

    def sample_labelled(self, n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
        """n new items and their labels, int64 [n]. Raises UserError where the generator takes no labels."""
        made = self._fitted.make(n, seed)
        if "y" not in made:
            raise UserError("this generator takes no labels: use sample, or train one with recipe cgan")
        return self._shown(made["x"]), made["y"].numpy()

    def score(self, quick: bool = False, features: str | None = None, items: int = 10_000, seed: int = 1) -> list[Score]:
        """Scores against the items held out of training, as `zerosum score` takes them.

        `quick`: only the cheap ones. `features`: judge, pixels, inception, or a network's path (default: the judge, or pixels
        for tiny images). `items`: how many are compared, at most. `seed`: of the generated items. Raises UserError for a GAN
        that was loaded: its data are not kept.
        """
        if self._job is None:
            raise UserError("a loaded GAN has no data to be scored against: use `zerosum score RUN`")
        return self._job.score(quick, seed, items, features)

    def encode(self, x: Any) -> np.ndarray:
        """Codes [n, z_dim] of items. Raises UserError where the recipe has no encoder (aae has one)."""
        run, spec = self._fitted.run, self._fitted.spec
        if run.game.encode is None:
            raise UserError("this recipe cannot encode: take aae")
        with run.shown() as nets:
            items = modality(spec).encode(np.asarray(x), spec).to(run.pace.device)
            return run.game.encode(nets, items)["z"].float().cpu().numpy()

    def decode(self, codes: Any) -> np.ndarray:
        """Items from codes or noise vectors [n, z_dim], for recipes whose generator takes nothing else."""
        run = self._fitted.run
        if self._fitted.labelled:
            raise UserError("this generator takes labels beside its noise: use sample")
        with run.shown() as nets:
            return self._shown(run.game.generate(nets, {"z": torch.as_tensor(codes).float().to(run.pace.device)}))

    def interpolate(self, a: Any, b: Any, n: int = 8) -> np.ndarray:
        """n items on the way from item a to item b, both included: the straight line between their codes."""
        start, end = self.encode(np.stack([a, b]))
        share = np.linspace(0, 1, n, dtype=np.float32)[:, None]
        return self.decode(start + share * (end - start))

    def _shown(self, x: torch.Tensor) -> Any:
        return modality(self._fitted.spec).decode(x, self._fitted.spec)
