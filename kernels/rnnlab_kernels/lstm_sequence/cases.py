"""The launches of `lstm_sequence` for a shape, as `rnnlab_kernels.cases` compiles them ahead of time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rnnlab_kernels.blocks import Grid, Tile
from rnnlab_kernels.device import Device
from rnnlab_kernels.lstm_sequence.backward_grid import _lstm_backward_grid_kernel
from rnnlab_kernels.lstm_sequence.backward_step import _lstm_backward_step_kernel
from rnnlab_kernels.lstm_sequence.backward_tile import _lstm_backward_tile_kernel
from rnnlab_kernels.lstm_sequence.forward_grid import _lstm_forward_grid_kernel
from rnnlab_kernels.lstm_sequence.forward_step import BLOCK, _lstm_forward_step_kernel
from rnnlab_kernels.lstm_sequence.forward_tile import _lstm_forward_tile_kernel
from rnnlab_kernels.lstm_sequence.launch import GATES
from rnnlab_kernels.lstm_sequence.replay import _lstm_replay_kernel
from rnnlab_kernels.plan import Shape

KERNELS = {
    (Tile, False): _lstm_forward_tile_kernel,
    (Tile, True): _lstm_backward_tile_kernel,
    (Grid, False): _lstm_forward_grid_kernel,
    (Grid, True): _lstm_backward_grid_kernel,
}
ALWAYS_FLOAT32 = {"cells_ptr", "d_h_0_ptr", "d_c_0_ptr"}

__all__ = ["GATES", "launches"]


def launches(
    blocks: Tile | Grid | None, shape: Shape, device: Device
) -> Iterator[tuple[Any, dict[str, Any], set[str]]]:
    """Yield (kernel, constants and options beside those of the blocks, pointers that are float32)."""
    saved = {} if shape.backward else {"SAVE_GATES": True, "SAVE_CELLS": True}
    for varlen in (False, True):
        switches = {"VARLEN": varlen, **saved}
        if blocks is not None:
            yield KERNELS[type(blocks), shape.backward], switches, ALWAYS_FLOAT32
            continue
        sizes = {
            "DIRECTIONS": shape.directions,
            "HIDDEN": shape.hidden_size,
            "BLOCK": BLOCK,
            "APPROX": shape.arithmetic == "half" and device.kind == "cuda",
            "num_warps": 4,
        }
        step = {**sizes, **switches, "HEAD": shape.head_size}
        if shape.backward:
            state = {"d_h_ptr", "d_h_n_ptr", "d_c_ptr"}
            yield _lstm_backward_step_kernel, step, ALWAYS_FLOAT32 | state
            yield _lstm_replay_kernel, {**sizes, "VARLEN": varlen}, ALWAYS_FLOAT32
        else:
            yield _lstm_forward_step_kernel, step, ALWAYS_FLOAT32 | {"preact_ptr", "c_ptr"}
