"""Items as the body of an answer: pictures, arrays, tables; and what made them, in the body where its kind has room."""

from __future__ import annotations

import json
from collections.abc import Callable
from io import BytesIO
from typing import Any

import numpy as np
from torch import Tensor

from zerosum.data import modality
from zerosum.data.source import Items, Spec
from zerosum.provenance import Origin, mark

KINDS = {"png": "image/png", "npz": "application/x-npz", "json": "application/json", "csv": "text/csv; charset=utf-8"}
"""Media types of the formats."""


def of(spec: Spec) -> tuple[str, ...]:
    """The formats that items of this kind have, the usual one first."""
    return {"images": ("png", "npz"), "tables": ("json", "csv")}.get(spec.kind, ("json", "csv", "npz"))


def encode(items: Items, y: Tensor | None, spec: Spec, kind: str, origin: Origin) -> bytes:
    """The body of items as people know them (what a modality's `decode` gives)."""
    return ENCODERS[kind](items, None if y is None else y.numpy(), spec, origin)


def _png(items: Any, y: np.ndarray | None, spec: Spec, origin: Origin) -> bytes:
    square = next(c for c in range(1, len(items) + 1) if c * c >= len(items))
    buffer = BytesIO()
    modality(spec).picture(items, spec, square).save(buffer, "PNG")
    return mark(buffer.getvalue(), origin)


def _npz(items: Any, y: np.ndarray | None, spec: Spec, origin: Origin) -> bytes:
    buffer = BytesIO()
    np.savez_compressed(buffer, **({"x": items} | ({} if y is None else {"y": y})))
    return mark(buffer.getvalue(), origin)


def _json(items: Any, y: np.ndarray | None, spec: Spec, origin: Origin) -> bytes:
    rows = json.loads(items.to_json(orient="records", date_format="iso")) if spec.kind == "tables" else items.tolist()
    told = {"items": rows} | ({} if y is None else {"labels": y.tolist()}) | {"provenance": origin.to_plain()}
    return json.dumps(told).encode()


def _csv(items: Any, y: np.ndarray | None, spec: Spec, origin: Origin) -> bytes:
    if spec.kind == "tables":
        text: str = items.to_csv(index=False)
        return text.encode()
    buffer = BytesIO()
    np.savetxt(buffer, items, delimiter=",", fmt="%.7g")
    return buffer.getvalue()


ENCODERS: dict[str, Callable[[Any, np.ndarray | None, Spec, Origin], bytes]] = {
    "png": _png,
    "npz": _npz,
    "json": _json,
    "csv": _csv,
}
