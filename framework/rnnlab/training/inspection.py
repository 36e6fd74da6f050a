"""Looking inside the recurrent stack: what its gates do while it reads one validation example."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from rnnlab.data.encoding import EncodedSplit
from rnnlab.training.checkpoint import random_state, restore_random
from rnnlab.training.task import Task

MAX_STEPS, MAX_UNITS = 128, 64
"""Time steps and units of a layer that are shown at most: as many as fit on a screen."""
MIN_UNITS = 16
"""Units that are kept even if fewer time steps have to be shown for them."""
MAX_VALUES = 24_000
"""Numbers in all: with seven bytes each, an event stays below 200 kB."""
MAX_SOURCE = 2_000
"""Characters of the example's text."""
DECIMALS = 3
EVERY_ONE = 128
"""Evaluations of which each is shown; the journal of a longer run would be pictures and little else."""


def due(evaluation: int) -> bool:
    """Whether the evaluation of this number, from 1, is shown.

    Each of the first 128; of the next 128 every second, of the 256 after them every fourth, and so on, so
    that a picture is never older than a fiftieth of the run.
    """
    return evaluation < EVERY_ONE or evaluation % (2 ** (evaluation.bit_length() - 7)) == 0


class Inspection:
    """The gates of the stack that reads the source, for the first example of a split, always the same one."""

    def __init__(self, split: EncodedSplit, device: torch.device, *, bidirectional: bool) -> None:
        self._batch = split.batch(torch.zeros(1, dtype=torch.int64)).to(device)
        self._directions = 2 if bidirectional else 1
        self.source = split.texts(0)[0][:MAX_SOURCE]

    @torch.no_grad()
    def look(self, task: Task) -> list[dict[str, Any]]:
        """Trace `task` in evaluation mode; its mode and the random states are left as they were found.

        Returns:
            The layers as `Gates.layers` holds them.

        Raises:
            NotImplementedError: the task has no `trace`.
        """
        was_training, random = task.training, random_state()
        task.eval()
        try:
            traces = task.trace(self._batch)
        finally:
            task.train(was_training)
            restore_random(random)
        return self._layers(traces)

    def _layers(self, traces: Sequence[Mapping[str, Tensor]]) -> list[dict[str, Any]]:
        directions = self._directions if len(traces) % self._directions == 0 else 1
        steps, units = shown_size(traces)
        layers = []
        for k, values in enumerate(traces):
            layer, direction = divmod(k, directions)
            width = max((value.shape[2] for value in values.values()), default=0)
            chosen = even_choice(width, units)
            gates = {name: _rounded(value[:steps, 0], chosen) for name, value in values.items()}
            layers.append({"layer": layer, "direction": direction, "units": chosen, "gates": gates})
        return layers


def shown_size(traces: Sequence[Mapping[str, Tensor]]) -> tuple[int, int]:
    """Time steps and units of each gate for which there is room, fewer units before fewer steps."""
    shapes = [value.shape for values in traces for value in values.values()]
    if not shapes:
        return 0, 0
    steps = min(max(shape[0] for shape in shapes), MAX_STEPS)
    units = min(max(shape[2] for shape in shapes), MAX_UNITS)
    room = MAX_VALUES // len(shapes)
    if steps * units > room:
        units = min(units, max(room // steps, MIN_UNITS))
        steps = max(1, min(steps, room // units))
    return steps, units


def even_choice(width: int, count: int) -> list[int]:
    """At most `count` of the units 0..width-1, at equal distances."""
    if width <= count:
        return list(range(width))
    return [k * width // count for k in range(count)]


def _rounded(values: Tensor, units: list[int]) -> list[list[float]]:
    """Values [T, H] of the chosen units, as T lists; a state narrower than its gates has fewer of them."""
    within = [unit for unit in units if unit < values.shape[1]]
    # In float64, where a rounded number is written with its three digits; adding 0 makes -0.0 a plain 0.0.
    return (values[:, within].double().round(decimals=DECIMALS) + 0.0).tolist()
