"""What the service takes at most, and how long it waits."""

from __future__ import annotations

from dataclasses import dataclass

from zerosum.errors import UserError


@dataclass(frozen=True)
class Limits:
    """Bounds on what a request may ask for, and on what waits."""

    most_items: int = 256  # items of one request
    most_pixels: int = 4_000_000  # of a picture that is sent, and of one that is made of it
    most_mib: int = 16  # of a request's body
    most_waiting: int = 512  # requests that wait for their turn; beyond, the answer is 503
    most_pictures: int = 8  # requests with pictures at one time; beyond, the answer is 503
    batch: int = 256  # items computed in one pass, about
    wait_ms: float = 2.0  # how long a pass that is not full waits for more requests
    patience: float = 30.0  # seconds until a request is given up: sent, waited for, answered or read too slowly

    def check(self) -> None:
        """Raise UserError where a bound is none."""
        for name in ("most_items", "most_pixels", "most_mib", "most_waiting", "most_pictures", "batch"):
            if getattr(self, name) < 1:
                raise UserError(f"{name} {getattr(self, name)}: must be at least 1")
        if not 0 <= self.wait_ms <= 1000:
            raise UserError(f"wait_ms {self.wait_ms:g}: must be between 0 and 1000")
        if not 0.1 <= self.patience <= 3600:
            raise UserError(f"patience {self.patience:g}: must be between 0.1 and 3600 seconds")
