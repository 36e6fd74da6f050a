"""What backends cost on this machine: a training step of the cells, timed in turns and kept for later."""

from __future__ import annotations

import copy
import hashlib
import json
import logging
import math
import os
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from rnnlab.errors import in_words
from rnnlab.lab.cache import cache_folder
from rnnlab.lab.run import read_json, write_json
from rnnlab.recurrent.backend import Backend
from rnnlab.recurrent.cell import Cell
from rnnlab.recurrent.identity import cell_digest, folder_digest

LOG = logging.getLogger(__name__)

ROUNDS = (3, 15)
"""Measurements of each backend, at least and at most. The least counts: all else that runs only adds."""

BUDGET = 1.5
"""Seconds after which no further round begins."""

SECONDS = 0.004
"""That a measurement takes at least, by repeating quick steps within it."""

LONGEST = 64
"""Time steps measured at most; backends keep their order beyond, and a measurement stays short."""


@dataclass(frozen=True)
class Workload:
    """What a run will ask of its cells.

    Attributes:
        batch_size: rows B.
        seq_len: typical time steps T of a batch.
        steps: optimizer steps to come.
        unequal: whether rows of a batch have unequal lengths.
        layers: how many of the stack's cells are as each of the probes; one each if left out.
    """

    batch_size: int
    seq_len: int
    steps: int
    unequal: bool = True
    layers: tuple[int, ...] = ()

    def bucket(self) -> tuple[int, int]:
        """B and T as they are measured: the nearest powers of two, T no longer than LONGEST."""
        return _nearest(self.batch_size), min(_nearest(self.seq_len), LONGEST)


Costs = Mapping[str, "float | str"]
"""Backend -> seconds of a forward and backward pass through all cells, or why it failed."""


class NotMeasured(Exception):
    """Something would have to be measured first; the message says what a run would do."""


class Meter:
    """Measures backends, and keeps what it found by machine, versions, cells, shapes and backends.

    Attributes:
        folder: where it keeps its measurements.
        measures: whether it measures what is not kept; without, nothing is timed and nothing written.
    """

    def __init__(self, folder: Path | None = None, measures: bool = True) -> None:
        """Keep measurements in `folder`, by default rnnlab's part of the user's cache."""
        self.folder, self.measures = folder or cache_folder() / "auto", measures

    def costs(
        self,
        backends: Mapping[str, Backend],
        probes: Sequence[Cell],
        workload: Workload,
        device: torch.device,
        dtype: torch.dtype,
    ) -> Costs:
        """The cost of each of these backends, all measured together: now, or before in the same setting.

        A folder that cannot be read or written costs another measurement, no run.

        Raises:
            NotMeasured: they are not kept, and this measures nothing.
        """
        facts = _facts(backends, probes, workload, device, dtype)
        digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
        path = self.folder / f"{digest[:32]}.json"
        kept = _kept(path)
        if kept.keys() == backends.keys():
            return kept
        if not self.measures:
            raise NotMeasured("a run measures first and may take another")
        found = measure(backends, probes, workload, device, dtype)
        if all(isinstance(cost, float) for cost in found.values()):
            try:
                self.folder.mkdir(parents=True, exist_ok=True)
                write_json(path, {"costs": found, "of": facts})
            except OSError as error:
                LOG.warning("what backends cost is not kept: %s", error)
        return found


def _kept(path: Path) -> Costs:
    """The costs that a measurement left there; none if there is no such file, or none that makes sense."""
    try:
        kept = read_json(path).get("costs")
    except OSError:
        return {}
    if not isinstance(kept, dict):
        return {}
    return kept if all(isinstance(cost, float) and cost > 0 for cost in kept.values()) else {}


def measure(
    backends: Mapping[str, Backend],
    probes: Sequence[Cell],
    workload: Workload,
    device: torch.device,
    dtype: torch.dtype,
) -> dict[str, float | str]:
    """Time a forward and a backward pass of every probe through `Backend.run`, the backends in turns.

    What a backend takes once, before its second pass, is not counted; no random number of the run is drawn.
    """
    found: dict[str, float | str] = {}
    passes: dict[str, Callable[[], None]] = {}
    seconds: dict[str, float] = {}
    gpus = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=gpus), torch.enable_grad():
        torch.manual_seed(0)
        for name, backend in backends.items():
            once = _training_pass(backend, probes, workload, device, dtype)
            try:
                once()
                seconds[name] = _seconds(once, 1, device)
            except Exception as error:
                found[name] = in_words(error).splitlines()[0]
            else:
                passes[name] = once
        repeats = {name: max(1, round(SECONDS / max(taken, 1e-9))) for name, taken in seconds.items()}
        least = dict.fromkeys(passes, float("inf"))
        began = time.perf_counter()
        for number in range(ROUNDS[1]):
            if number >= ROUNDS[0] and time.perf_counter() - began > BUDGET:
                break
            for name, once in passes.items():
                least[name] = min(least[name], _seconds(once, repeats[name], device))
    return found | least


def _training_pass(
    backend: Backend, probes: Sequence[Cell], workload: Workload, device: torch.device, dtype: torch.dtype
) -> Callable[[], None]:
    """A call that runs every probe forwards and backwards, as often as the stack has such cells."""
    rows, seq_len = workload.bucket()
    spread = torch.linspace(seq_len, (seq_len + 1) // 2, rows).round().long().to(device)
    lengths = spread if workload.unequal else None
    settings: list[tuple[Cell, Tensor, tuple[Tensor, ...], Tensor]] = []
    for cell, count in zip(probes, workload.layers or (1,) * len(probes), strict=True):
        here = copy.deepcopy(cell).to(device=device, dtype=dtype)
        sizes = here.state_sizes()
        x = torch.randn(seq_len, rows, here.input_size, device=device, dtype=dtype, requires_grad=True)
        state = tuple(torch.zeros(rows, size, device=device, dtype=dtype) for size in sizes)
        upstream = torch.randn(seq_len, rows, sizes[0], device=device, dtype=dtype)
        settings += [(here, x, state, upstream)] * count

    def once() -> None:
        for cell, x, state, upstream in settings:
            output, _ = backend.run(cell, x, state, lengths)
            trained = [each for each in cell.parameters() if each.requires_grad]
            torch.autograd.grad(output, [x, *trained], upstream, allow_unused=True)

    return once


def _seconds(call: Callable[[], None], number: int, device: torch.device) -> float:
    """Seconds of one call, from `number` of them."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    began = time.perf_counter()
    for _ in range(number):
        call()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return (time.perf_counter() - began) / number


def _facts(
    backends: Mapping[str, Backend],
    probes: Sequence[Cell],
    workload: Workload,
    device: torch.device,
    dtype: torch.dtype,
) -> dict[str, object]:
    """All that a measurement depends on, as plain data."""
    gpu = torch.cuda.get_device_name(device) if device.type == "cuda" else ""
    return {
        "machine": [platform.node(), platform.machine(), _processor(), os.cpu_count(), gpu],
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
        "backends": {name: folder_digest(type(backend)) for name, backend in backends.items()},
        "cells": [cell_digest(cell) for cell in probes],
        "layers": workload.layers,
        "shape": [*workload.bucket(), workload.unequal],
        "device": device.type,
        "dtype": str(dtype),
        "deterministic": torch.are_deterministic_algorithms_enabled(),
    }


def _processor() -> str:
    """The model of the processor, as far as the system tells."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), "")


def _nearest(size: int) -> int:
    """The power of two that is nearest by ratio."""
    return 1 << max(0, round(math.log2(size)))
