"""Use of the machine: processor and memory by psutil, a GPU by NVIDIA's management library if it is there."""

from __future__ import annotations

import ctypes
import time

import psutil

from rnnlab.dashboard.feed.snapshot import Gpu, System

LIBRARY = "libnvidia-ml.so.1"


class _Utilization(ctypes.Structure):
    _fields_ = (("gpu", ctypes.c_uint), ("memory", ctypes.c_uint))


class _Memory(ctypes.Structure):
    _fields_ = (("total", ctypes.c_ulonglong), ("free", ctypes.c_ulonglong), ("used", ctypes.c_ulonglong))


class GpuMeter:
    """The first GPU; asks nothing of torch and starts no process."""

    def __init__(self) -> None:
        self._device = ctypes.c_void_p()
        try:
            self._nvml = ctypes.CDLL(LIBRARY)
            found = self._nvml.nvmlInit_v2() == 0 and not self._nvml.nvmlDeviceGetHandleByIndex_v2(
                0, ctypes.byref(self._device)
            )
        except (OSError, AttributeError):
            found = False
        self._found = found

    def read(self) -> Gpu | None:
        """Its use now, None if there is none or it does not answer."""
        if not self._found:
            return None
        use, memory = _Utilization(), _Memory()
        # A GPU cut into parts tells its memory but not its use.
        use_known = self._nvml.nvmlDeviceGetUtilizationRates(self._device, ctypes.byref(use)) == 0
        if self._nvml.nvmlDeviceGetMemoryInfo(self._device, ctypes.byref(memory)) != 0:
            return None
        return Gpu(float(use.gpu) if use_known else 0.0, memory.used, memory.total)


class SystemMeter:
    """Measures at most once every `seconds`; between two measurements it gives the last."""

    def __init__(self, seconds: float = 2.0) -> None:
        self._seconds, self._due = seconds, 0.0
        self._gpu = GpuMeter()
        self._latest = System()
        psutil.cpu_percent()

    def read(self) -> System:
        """The latest measurement, the same object until there is a new one."""
        now = time.monotonic()
        if now >= self._due:
            self._due = now + self._seconds
            memory = psutil.virtual_memory()
            used = memory.total - memory.available
            self._latest = System(psutil.cpu_percent(), used, memory.total, self._gpu.read())
        return self._latest
