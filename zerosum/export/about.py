"""What an exported file says of itself: what to put in, what comes out, and where it comes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from zerosum import __version__
from zerosum.game import Batch
from zerosum.sampling import Sampler

FORMAT = 1

DRAWS = {
    "truncation": "1 changes nothing, 0 gives the mean style; 0.5 to 0.8 is usual",
    "u": "uniform numbers in [0, 1)",
    "a": "pictures in [-1, 1]: byte / 127.5 - 1; several inputs one after the other along the channels",
    "mask": "1 where pixels are to be made, 0 where they are known; there `a` should be 0",
}

DECODES = {
    "images": "pictures [n, channels, height, width]: byte = round((x + 1) * 127.5), within 0 to 255",
    "vectors": "data = offset + scale * x",
    "tables": "rows in model space: `spec.table.spans` says which numbers belong to which column; "
    "zerosum.data.modality(spec).decode(x, spec) makes a DataFrame",
}


def about(sampler: Sampler, inputs: Batch, config: Mapping[str, Any], any_size: bool = False) -> dict[str, Any]:
    """Plain values for a file's metadata. What only the trainer should know, where the data lie, is not among them."""
    spec, maps, origin = sampler.spec, sampler.maps, sampler.origin()
    told: dict[str, Any] = {
        "format": FORMAT,
        "zerosum": __version__,
        "recipe": origin.recipe,
        "run": origin.run,
        "kind": spec.kind,
        "shape": list(spec.shape),
        "classes": list(spec.names) if "y" in inputs else [],
        "inputs": {
            name: {
                "shape": ["n", *(value.shape[1:] if not any_size else (value.shape[1], "height", "width"))],
                "type": str(value.dtype).removeprefix("torch."),
                "draw": _draw(name, sampler, config),
            }
            for name, value in inputs.items()
        },
        "outputs": {"x": DECODES.get(spec.kind, "model space")},
        "spec": replace(spec, origin="", private={}).to_json(),
    }
    if maps is not None:
        told["maps"] = {
            "names": list(maps.names),
            "channels": list(maps.channels),
            "tile": list(maps.tile),
            "scale": maps.scale,
            "multiple": maps.multiple,
            "made": maps.made,
            "any_size": any_size,
        }
    return told


def _draw(name: str, sampler: Sampler, config: Mapping[str, Any]) -> str:
    if name == "z":
        uniform = config.get("settings", {}).get("noise") == "uniform"
        return "uniform numbers in [-1, 1]" if uniform else "standard normal numbers"
    if name == "y":
        return f"class numbers, 0 to {sampler.spec.classes - 1}, in the order of `classes`"
    if name == "cond":
        one = "one of the choices of `spec.table.spans` with a `condition`, uniformly, and one of its values, by its `counts`"
        law = f"{one}: 1 at condition + value, 0 elsewhere" if config.get("recipe") == "ctgan" else "0 everywhere"
        return f"{law}; to order rows, 1 at `condition` + value of what they should have"
    return DRAWS.get(name, "as the recipe draws it")
