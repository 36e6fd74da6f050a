"""How long a call takes, with its rivals measured in between."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch

Call = Callable[[int], object]
"""Runs the work once, on the input set of this number."""

SAMPLE_SECONDS = 0.002
"""Calls are timed in runs of about this long, so that launches overlap with work as they do in training."""
LEAST, MOST = 5, 60
"""Samples of one call."""


@dataclass(frozen=True)
class Timing:
    """Seconds of one call over several samples.

    Attributes:
        median, low, high: low and high are the 10th and 90th percentile.
        samples: how many.
        calls: calls in one sample.
    """

    median: float
    low: float
    high: float
    samples: int
    calls: int


class Stopwatch:
    """Times runs of calls on one device: with events on a GPU, with the host's clock on a CPU."""

    def __init__(self, device: torch.device) -> None:
        self.gpu = device.type == "cuda"

    def seconds(self, call: Call, calls: int, first: int = 0) -> float:
        """Seconds of one call, over `calls` calls in a row on the inputs `first`, `first` + 1, ..."""
        if not self.gpu:
            start = time.perf_counter()
            for index in range(first, first + calls):
                call(index)
            return (time.perf_counter() - start) / calls
        begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        torch.cuda.synchronize()
        begin.record()
        for index in range(first, first + calls):
            call(index)
        end.record()
        torch.cuda.synchronize()
        return begin.elapsed_time(end) / 1e3 / calls


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` (0..1) of the values lie, between neighbours by their distance."""
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    low, high = math.floor(place), math.ceil(place)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def plan_samples(estimate: float, seconds: float) -> tuple[int, int]:
    """(samples, calls in each) for a call of `estimate` seconds that may be sampled for `seconds`."""
    calls = min(20, max(1, math.ceil(SAMPLE_SECONDS / max(estimate, 1e-9))))
    samples = int(seconds / max(estimate * calls, 1e-9))
    return min(MOST, max(LEAST, samples)), calls


def sample(
    calls: Mapping[str, Call],
    stopwatch: Stopwatch,
    seconds: float,
    announce: Callable[[str], object],
    failed: Callable[[str, Exception], object],
) -> dict[str, Timing]:
    """Time each call, in turns, so that a drift of the machine's clocks meets all of them.

    Args:
        calls: by contestant.
        seconds: sampling time for each; at least `LEAST` samples are taken whatever they cost.
        announce: told the contestant's name before its call runs.
        failed: told what a contestant's call raised; the others go on, unless it raises in turn.

    Returns:
        Times by contestant, of those whose every call returned.
    """
    plans: dict[str, tuple[int, int]] = {}
    times: dict[str, list[float]] = {}
    for name, call in calls.items():
        announce(name)
        try:
            stopwatch.seconds(call, 2)
            plans[name] = plan_samples(stopwatch.seconds(call, 1), seconds)
            times[name] = []
        except Exception as error:
            failed(name, error)
    for turn in range(max((samples for samples, _ in plans.values()), default=0)):
        for name, (samples, count) in plans.items():
            if name not in times or turn >= samples:
                continue
            announce(name)
            try:
                times[name].append(stopwatch.seconds(calls[name], count, turn * count))
            except Exception as error:
                del times[name]
                failed(name, error)
    return {name: summary(values, plans[name][1]) for name, values in times.items()}


def summary(values: Sequence[float], calls: int) -> Timing:
    """What is kept of samples in seconds."""
    low, high = percentile(values, 0.1), percentile(values, 0.9)
    return Timing(statistics.median(values), low, high, len(values), calls)
