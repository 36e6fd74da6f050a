"""What the machine itself can do: the ceilings that the cases are seen against.

Each ceiling is measured by a few lines of its own, on random data.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import torch
import triton
import triton.language as tl
from timing import Stopwatch, plan_samples, summary

BARRIERS = 1000
"""Grid barriers in one launch."""
POLLS = 1 << 22
"""Polls after which a barrier gives up: seconds, where a barrier takes microseconds."""


@triton.jit
def _barrier_kernel(counter_ptr, gave_up_ptr, programs, barriers, polls_allowed):
    # All programs add to one counter, and wait for it to reach what everyone's arrival makes it.
    gave_up = 0
    for barrier in range(barriers):
        tl.debug_barrier()
        tl.atomic_add(counter_ptr, 1, sem="release", scope="gpu")
        polls = 0
        target = (barrier + 1) * programs
        # One program giving up lets the others give up at once, instead of each at every barrier.
        while (gave_up == 0) & (tl.atomic_add(counter_ptr, 0, sem="acquire", scope="gpu") < target):
            polls += 1
            gave_up = (polls >= polls_allowed).to(tl.int32)
        tl.debug_barrier()
    tl.atomic_max(gave_up_ptr, gave_up)


@triton.jit
def _empty_kernel(flag_ptr):
    tl.store(flag_ptr, 1)


def barrier_microseconds(programs: int) -> float:
    """Microseconds of one grid barrier among `programs` programs of 8 warps.

    Raises:
        RuntimeError: the programs did not run at the same time.
    """
    counter = torch.zeros(1, dtype=torch.int32, device="cuda")
    gave_up = torch.zeros(1, dtype=torch.int32, device="cuda")
    options: dict[str, Any] = {"num_warps": 8, "launch_cooperative_grid": True}

    def launch(index: int) -> None:
        counter.zero_()
        _barrier_kernel[(programs,)](counter, gave_up, programs, BARRIERS, POLLS, **options)

    launch(0)
    torch.cuda.synchronize()
    if gave_up.item():
        raise RuntimeError(f"{programs} programs of a cooperative launch did not meet at a barrier")
    watch = Stopwatch(torch.device("cuda"))
    times = [watch.seconds(launch, 1) for _ in range(5)]
    return summary(times, 1).median * 1e6 / BARRIERS


def launch_microseconds() -> dict[str, float]:
    """What a kernel that does nothing costs: the host's time to launch it, and the time between two."""
    flag = torch.zeros(1, dtype=torch.int32, device="cuda")
    launches = 500

    def launch(index: int) -> None:
        _empty_kernel[(1,)](flag)

    watch = Stopwatch(torch.device("cuda"))
    watch.seconds(launch, 10)
    start = time.perf_counter()
    for index in range(launches):
        launch(index)
    host = (time.perf_counter() - start) / launches
    return {"host": host * 1e6, "one_after_another": watch.seconds(launch, launches) * 1e6}


def copy_bytes_per_second(device: torch.device) -> float:
    """Bytes read and written a second by a copy that no cache holds."""
    numbers = 2**28 if device.type == "cuda" else 2**16
    source = [torch.randn(numbers, device=device) for _ in range(2)]
    target = torch.empty_like(source[0])
    seconds = _median(device, lambda index: target.copy_(source[index % 2]))
    return 2 * target.nbytes / seconds


def matmul_flops(device: torch.device, dtype: torch.dtype, tf32: bool = False) -> float:
    """Operations a second of a large square matrix product on random data."""
    size = 8192 if device.type == "cuda" else 64
    torch.backends.cuda.matmul.allow_tf32 = tf32
    a, b = (torch.randn(size, size, device=device).to(dtype) for _ in range(2))
    return 2 * size**3 / _median(device, lambda index: a @ b)


def _median(device: torch.device, call: Callable[[int], object]) -> float:
    watch = Stopwatch(device)
    watch.seconds(call, 2)
    samples, calls = plan_samples(watch.seconds(call, 1), 0.1)
    return summary([watch.seconds(call, calls) for _ in range(samples)], calls).median


def measure_ceilings(device: torch.device, announce: Callable[[str], object]) -> dict[str, Any]:
    """All of them by name, a failed one as "Error: ..."; what only a GPU has is left out on a CPU.

    Keys: copy_bytes_per_second, matmul_bfloat16_flops, matmul_float32_flops, matmul_tf32_flops,
    launch_us {host, one_after_another}, barrier_us {programs: microseconds}.
    """
    jobs: dict[str, Callable[[], Any]] = {
        "copy_bytes_per_second": lambda: copy_bytes_per_second(device),
        "matmul_bfloat16_flops": lambda: matmul_flops(device, torch.bfloat16),
        "matmul_float32_flops": lambda: matmul_flops(device, torch.float32),
    }
    if device.type == "cuda":
        everyone = torch.cuda.get_device_properties(device).multi_processor_count
        jobs["matmul_tf32_flops"] = lambda: matmul_flops(device, torch.float32, tf32=True)
        jobs["launch_us"] = launch_microseconds
        for programs in sorted({8, 16, 32, 64, everyone}):
            jobs[f"barrier_us {programs}"] = lambda programs=programs: barrier_microseconds(programs)
    found: dict[str, Any] = {}
    for name, job in jobs.items():
        announce(name)
        try:
            value = job()
        except Exception as error:
            value = f"{type(error).__name__}: {error}"
        group, _, key = name.partition(" ")
        if key:
            found.setdefault(group, {})[key] = value
        else:
            found[group] = value
    return found
