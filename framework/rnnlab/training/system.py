"""Processor, memory and GPU use of the training process, for the journal's `system/*` metrics."""

from __future__ import annotations

import time

import psutil
import torch

MIB = 1 << 20


class SystemSampler:
    """Samples at most once every `seconds`; cheap enough to be asked at each logging interval."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._process = psutil.Process()
        self._process.cpu_percent()
        self._last = time.monotonic()

    def sample(self) -> dict[str, float]:
        """`system/*` values, or {} when it is too early: use in percent (100 = one core), memory in MiB."""
        now = time.monotonic()
        if now - self._last < self.seconds:
            return {}
        self._last = now
        values = {
            "system/cpu_percent": self._process.cpu_percent(),
            "system/memory_mib": self._process.memory_info().rss / MIB,
            "system/machine_cpu_percent": psutil.cpu_percent(),
            "system/machine_memory_percent": psutil.virtual_memory().percent,
        }
        if torch.cuda.is_available():
            values["system/gpu_memory_mib"] = torch.cuda.memory_allocated() / MIB
            values["system/gpu_memory_peak_mib"] = torch.cuda.max_memory_allocated() / MIB
        return values
