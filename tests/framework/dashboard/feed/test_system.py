"""The machine's numbers; the GPU's by a library that stands in for NVIDIA's, whose calls are its own."""

import ctypes

import psutil
import pytest

from rnnlab.dashboard.feed import system
from rnnlab.dashboard.feed.snapshot import Gpu


class Library:
    """Answers as libnvidia-ml does: a status code, and the numbers through a pointer."""

    def __init__(self, **failing):
        self.failing = failing

    def nvmlInit_v2(self):
        return self.failing.get("init", 0)

    def nvmlDeviceGetHandleByIndex_v2(self, index, device):
        assert index == 0
        device._obj.value = 42
        return self.failing.get("handle", 0)

    def nvmlDeviceGetUtilizationRates(self, device, use):
        assert device.value == 42
        use._obj.gpu = 71
        return self.failing.get("use", 0)

    def nvmlDeviceGetMemoryInfo(self, device, memory):
        memory._obj.total, memory._obj.free, memory._obj.used = 80 << 30, 70 << 30, 10 << 30
        return self.failing.get("memory", 0)


@pytest.mark.parametrize(
    ("failing", "expected"),
    [
        ({}, Gpu(71.0, 10 << 30, 80 << 30)),
        ({"init": 9}, None),
        ({"handle": 6}, None),
        ({"memory": 3}, None),
        ({"use": 3}, Gpu(0.0, 10 << 30, 80 << 30)),
    ],
)
def test_the_gpu_is_read_or_is_none(monkeypatch, failing, expected):
    def load(name):
        assert name == "libnvidia-ml.so.1"
        return Library(**failing)

    monkeypatch.setattr(ctypes, "CDLL", load)
    assert system.GpuMeter().read() == expected


def test_without_the_library_there_is_no_gpu(monkeypatch):
    monkeypatch.setattr(system, "LIBRARY", "libthere-is-none.so")
    assert system.GpuMeter().read() is None


def test_a_measurement_is_kept_until_the_next_is_due():
    meter = system.SystemMeter(seconds=3600)
    first = meter.read()
    assert meter.read() is first
    assert first.memory_total_bytes == psutil.virtual_memory().total
    assert 0 < first.memory_bytes < first.memory_total_bytes
    eager = system.SystemMeter(seconds=0)
    assert eager.read() is not eager.read()
