"""What this machine is, what it can compute in, and about what it draws from the wall."""

from __future__ import annotations

import os
import platform
from functools import cache
from pathlib import Path

import torch

from zerosum.errors import UserError

WATTS_PER_CORE = 8.0
"""Assumed draw of a busy server core with its share of memory and losses: the same for every machine, to compare runs."""


WATTS_PER_GPU = 300.0
"""Assumed draw of a graphics processor under load."""


@cache
def cpu_flags() -> frozenset[str]:
    """The processor's features by Linux's names; empty elsewhere."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return frozenset()
    return frozenset(next((line.split(":", 1)[1].split() for line in lines if line.startswith("flags")), []))


def describe(device: str) -> dict[str, str | int]:
    """Name, cores, torch and Python, as they go into config.json and reports."""
    gpu = torch.cuda.get_device_name(device) if device.startswith("cuda") else ""
    extras = [name for name in ("amx_bf16", "avx512_bf16", "avx512f", "avx2") if name in cpu_flags()][:2]
    return {
        "device": gpu or device.split(":")[0].upper(),
        "processor": f"{_cpu_name()} ({', '.join(extras)})" if extras else _cpu_name(),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "python": platform.python_version(),
        "system": platform.system(),
    }


def _cpu_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def pick_device(asked: str = "auto") -> str:
    """The device to train on: the one asked for, else CUDA, Apple's GPU, or the CPU.

    Raises UserError where the one asked for is not there.
    """
    if asked == "auto":
        if torch.cuda.is_available():
            return f"cuda:{os.environ.get('LOCAL_RANK', '0')}"
        return "mps" if torch.backends.mps.is_available() else "cpu"
    try:
        torch.zeros(1, device=asked)
    except (RuntimeError, AssertionError) as error:
        raise UserError(f"device {asked} is not to be had ({str(error).splitlines()[0]}): take --device auto") from error
    return asked


def fast_bf16(device: str) -> bool:
    """Whether convolutions are faster in bfloat16 here."""
    if device.startswith("cuda"):
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return device == "cpu" and bool(cpu_flags() & {"amx_bf16", "avx512_bf16"})


def watts(gpu: bool, threads: int, ranks: int) -> tuple[float, str]:
    """(assumed draw in watts of all ranks together, what was assumed)."""
    if gpu:
        return ranks * WATTS_PER_GPU, f"assumed: {WATTS_PER_GPU:g} W for each of {ranks} GPUs under load"
    return ranks * threads * WATTS_PER_CORE, f"assumed: {WATTS_PER_CORE:g} W for each of {ranks * threads} busy cores"
