"""How long calls take, measured in turns so that a slow minute of the machine meets them all.

torch.utils.benchmark times on the host and one call after the other; here a GPU times itself by events.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median

import torch

Call = Callable[[], object]

Clock = Callable[[Call, int], float]
"""Makes a call so many times, back to back, and gives the seconds that one took."""


@dataclass(frozen=True)
class Effort:
    """How long to measure.

    Attributes:
        repeats: measurements of each call; the median of them counts.
        seconds: that a measurement should take at least, by repeating a quick call within it.
    """

    repeats: int
    seconds: float


THOROUGH = Effort(repeats=9, seconds=0.05)
QUICK = Effort(repeats=3, seconds=0.01)


def clock(device: torch.device) -> Clock:
    """The clock of a device: events on a GPU, the process's own time elsewhere."""
    return _gpu_seconds if device.type == "cuda" else _seconds


def medians(calls: Mapping[str, Call], effort: Effort, clock: Clock) -> dict[str, float]:
    """Seconds of each call, the median over measurements taken in turns, after two calls to warm up."""
    numbers: dict[str, int] = {}
    for name, call in calls.items():
        clock(call, 1)
        numbers[name] = max(1, math.ceil(effort.seconds / max(clock(call, 1), 1e-9)))
    taken: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(effort.repeats):
        for name, call in calls.items():
            taken[name].append(clock(call, numbers[name]))
    return {name: median(seconds) for name, seconds in taken.items()}


def _seconds(call: Call, number: int) -> float:
    began = time.perf_counter()
    for _ in range(number):
        call()
    return (time.perf_counter() - began) / number


def _gpu_seconds(call: Call, number: int) -> float:
    before, after = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    torch.cuda.synchronize()
    before.record()
    for _ in range(number):
        call()
    after.record()
    after.synchronize()
    return before.elapsed_time(after) / 1000 / number
