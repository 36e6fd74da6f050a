"""The launches of `rnn_sequence` for a shape, as `rnnlab_kernels.cases` compiles them ahead of time.

With one nonlinearity: the others take no more.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rnnlab_kernels.blocks import Grid, Tile
from rnnlab_kernels.device import Device
from rnnlab_kernels.plan import Shape
from rnnlab_kernels.rnn_sequence.backward_grid import _rnn_backward_grid_kernel
from rnnlab_kernels.rnn_sequence.backward_step import _rnn_backward_step_kernel
from rnnlab_kernels.rnn_sequence.backward_tile import _rnn_backward_tile_kernel
from rnnlab_kernels.rnn_sequence.forward_grid import _rnn_forward_grid_kernel
from rnnlab_kernels.rnn_sequence.forward_step import BLOCK, _rnn_forward_step_kernel
from rnnlab_kernels.rnn_sequence.forward_tile import _rnn_forward_tile_kernel
from rnnlab_kernels.rnn_sequence.launch import GATES

KERNELS = {
    (Tile, False): _rnn_forward_tile_kernel,
    (Tile, True): _rnn_backward_tile_kernel,
    (Grid, False): _rnn_forward_grid_kernel,
    (Grid, True): _rnn_backward_grid_kernel,
}
ALWAYS_FLOAT32 = {"d_h_0_ptr"}
NONLINEARITY = "tanh"

__all__ = ["GATES", "launches"]


def launches(
    blocks: Tile | Grid | None, shape: Shape, device: Device
) -> Iterator[tuple[Any, dict[str, Any], set[str]]]:
    """Yield (kernel, constants and options beside those of the blocks, pointers that are float32)."""
    for varlen in (False, True):
        switches = {"VARLEN": varlen, "NONLINEARITY": NONLINEARITY}
        if blocks is not None:
            yield KERNELS[type(blocks), shape.backward], switches, ALWAYS_FLOAT32
            continue
        step = {
            "DIRECTIONS": shape.directions,
            "HIDDEN": shape.hidden_size,
            "HEAD": shape.head_size,
            "BLOCK": BLOCK,
            "num_warps": 4,
            **switches,
        }
        if shape.backward:
            yield _rnn_backward_step_kernel, step, {"d_h_ptr", "d_h_n_ptr"}
        else:
            approx = shape.arithmetic == "half" and device.kind == "cuda"
            yield _rnn_forward_step_kernel, {**step, "APPROX": approx}, {"preact_ptr"}
