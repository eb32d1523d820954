"""Judge by eye: which of two is real? Answers are kept, and how often people were fooled is told with its interval."""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from typing import Annotated, Any, Literal

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import BaseModel, Field

from zerosum.errors import UserError
from zerosum.explore.eye import answers
from zerosum.explore.eye.trials import Session, Side, pair, plan
from zerosum.explore.library import Library
from zerosum.explore.offer import Offer
from zerosum.explore.only import only
from zerosum.game import Batch
from zerosum.job import open_data
from zerosum.web import uploads
from zerosum.web.trouble import Unknown

TITLE, PLACE = "Judge by eye", 60
MOST_TRIALS = 200
MOST_HELD, MOST_NUMBERS = 1000, 2**26
"""Held-out items in memory, and their numbers together (256 MiB)."""
MOST_SESSIONS, MOST_OPEN = 32, 2
"""Sittings that are remembered, and runs whose held-out items are."""


class Wish(BaseModel):
    """What is asked of a sitting."""

    trials: Annotated[int, Field(ge=1, le=MOST_TRIALS)] = 20
    limit_ms: Annotated[int, Field(ge=100, le=10_000)] | None = None  # how long a pair is seen


class Choice(BaseModel):
    """One answer: which of the two is real."""

    trial: Annotated[int, Field(ge=0, lt=MOST_TRIALS)]
    real: Literal["left", "right"]


class Sittings:
    """Sittings by numbers that nobody can guess, and the real items that they are about."""

    def __init__(self) -> None:
        self._sessions: OrderedDict[str, Session] = OrderedDict()
        self._held: OrderedDict[str, Batch] = OrderedDict()
        self._lock = threading.Lock()
        self._reading = threading.Lock()

    def held(self, library: Library, run: str) -> Batch:
        """The held-out items of a run's data. Raises UserError where the data are gone, have changed, or none is held out."""
        path = library.path(run)
        with self._reading:
            if run not in self._held:
                try:
                    source = open_data(path)
                except UserError as error:
                    raise UserError(f"the real items of {run} cannot be shown: {error}") from error
                spec = source.spec
                each = sum(_numbers(shape) for shape in (spec.shape, *spec.given.values()))
                batch = source.held_out(max(1, min(MOST_HELD, MOST_NUMBERS // each)))
                if not len(batch["x"]):
                    raise UserError(f"no item of {run} was held out of training, so none can be shown as real")
                self._held[run] = batch
                while len(self._held) > MOST_OPEN:
                    self._held.popitem(last=False)
            return self._held[run]

    def begin(self, session: Session) -> str:
        """Remember a sitting; its number."""
        number = secrets.token_urlsafe(12)
        with self._lock:
            self._sessions[number] = session
            while len(self._sessions) > MOST_SESSIONS:
                self._sessions.popitem(last=False)
        return number

    def find(self, run: str, number: str) -> Session:
        """A sitting of a run. Raises Unknown where there is none."""
        with self._lock:
            found = self._sessions.get(number)
        if found is None or found.run != run:
            raise Unknown("this sitting is no longer remembered: begin another")
        return found


def _numbers(shape: Any) -> int:
    count = 1
    for side in shape:
        count *= int(side)
    return max(1, count)


def offers(offer: Offer) -> bool:
    """Runs that make images, of noise or of images."""
    return offer.trained and offer.spec.kind == "images" and (offer.samples or offer.maps)


def router(library: Library) -> APIRouter:
    """Paths."""
    routes, sittings = APIRouter(prefix="/api/run/{name}/eye", dependencies=[only(library, TITLE, offers)]), Sittings()

    @routes.get("")
    def about(name: str) -> dict[str, Any]:
        folder = library.folder(name)
        data = folder.config.get("data")
        return {
            "data": str(data.get("what", "")) if isinstance(data, dict) else "",
            "most": MOST_TRIALS,
            "results": _results(library, name, folder.shown()),
        }

    @routes.post("/sessions")
    def begin(name: str, wish: Wish) -> dict[str, Any]:
        held = sittings.held(library, name)
        session = Session(name, library.folder(name).shown(), held, plan(wish.trials, len(held["x"])), wish.limit_ms)
        return {"id": sittings.begin(session), "trials": len(session.trials)}

    @routes.get("/sessions/{number}/trials/{trial}")
    def look(name: str, number: str, trial: int) -> Response:
        session = sittings.find(name, number)
        with session.lock:
            due = session.trial(trial)
        with library.sampler(name) as sampler:
            return uploads.answer(pair(sampler, session.held, due))

    @routes.post("/sessions/{number}/answers")
    def answer(name: str, number: str, choice: Choice) -> dict[str, Any]:
        session, path = sittings.find(name, number), library.path(name)
        side: Side = choice.real
        with session.lock:
            fooled, seconds = session.judged(choice.trial, side)
            real, of = session.trials[choice.trial].real, len(session.trials)
            rounded = round(seconds, 2)
            one = answers.Answer(session.word, choice.trial, of, session.step, fooled, real, session.limit_ms, rounded)
            answers.keep(path, one)
            session.go_on(side)
            done, over = len(session.chosen), session.over
        if not over:
            return {"answered": done, "of": len(session.trials)}
        truth = [{"real": one.real, "chosen": side} for one, side in zip(session.trials, session.chosen, strict=True)]
        mine = answers.summary(one for one in answers.read(path) if one.session == session.word)
        return {
            "answered": done,
            "of": len(session.trials),
            "truth": truth,
            "mine": mine | {"words": answers.words(mine)},
            "results": _results(library, name, session.step),
        }

    return routes


def _results(library: Library, run: str, step: int) -> dict[str, Any]:
    """All answers about the generator as it is shown, and how many there are about earlier ones."""
    found = answers.read(library.path(run))
    now = answers.summary(one for one in found if one.step == step)
    return now | {"step": step, "words": answers.words(now), "earlier": sum(one.step != step for one in found)}
