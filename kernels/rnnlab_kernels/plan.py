"""Which kernel runs a shape on a device: a plain function, with its reasons.

Three kernels compete. A tile keeps a whole head in one program and waits for nobody. A grid shares a head
among programs that all run at once and meet at a barrier in every step. Steps are launches one after the
other, a matrix product and an elementwise kernel each; they need nothing to fit anywhere.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from rnnlab_kernels.blocks import GRIDS, TILES, Grid, Tile, arithmetic
from rnnlab_kernels.device import Device

__all__ = ["Grid", "Plan", "Shape", "Tile", "choose"]

MOST_ROWS = 65535  # The second dimension of a launch counts no further.

# Estimates for an H100, in microseconds and units per microsecond; only their ratios decide. A multiprocessor
# reads 64 bytes a cycle from L2 at 1.7 GHz; L2 as a whole gives 5.5 TB/s.
BARRIER = 1.0
ELEMENTWISE = 0.2
TWO_LAUNCHES = 3.0
L2_BYTES = 5.5e6
L2_BYTES_PER_PROCESSOR = 1.1e5
OPERATIONS_PER_PROCESSOR = {"half": 4.3e6, "tf32": 2.1e6, "tf32x3": 0.7e6, "ieee": 0.25e6}


@dataclass(frozen=True)
class Shape:
    """What a recurrence looks like to its kernels.

    Attributes:
        gates: blocks of rows in the weight: 4 for an LSTM, 1 for a simple recurrence.
        batch_size: rows B.
        directions: D, 1 or 2.
        hidden_size: H.
        head_size: P, the units that a unit reads; H unless the weight is block-diagonal.
        dtype: of inputs, weights and hidden state.
        precision: of float32 products: "ieee", "tf32x3" or "tf32".
        backward: whether it is the pass back.
    """

    gates: int
    batch_size: int
    directions: int
    hidden_size: int
    head_size: int
    dtype: torch.dtype
    precision: str
    backward: bool

    @classmethod
    def of(cls, gates: int, weight_hh: Tensor, batch_size: int, precision: str, backward: bool) -> Shape:
        """The shape of a recurrence with the weight [D, gates*H, P]."""
        directions, rows, head_size = weight_hh.shape
        return cls(
            gates, batch_size, directions, rows // gates, head_size, weight_hh.dtype, precision, backward
        )

    @property
    def groups(self) -> int:
        """Recurrences that know nothing of each other: heads of both directions."""
        return self.directions * self.hidden_size // self.head_size

    @property
    def arithmetic(self) -> str:
        """How products are formed: "half" (16 bits), or the precision of float32."""
        return arithmetic(self.dtype, self.precision)

    @property
    def multiplications(self) -> int:
        """Multiplications with the recurrent weight in a step of one group."""
        return self.batch_size * self.gates * self.head_size**2


@dataclass(frozen=True)
class Plan:
    """The choice.

    Attributes:
        kernel: "tile", "grid" or "step".
        blocks: how a tile or a grid is cut up; None for steps.
        reasons: why, and why not what comes before it, one line each.
    """

    kernel: str
    blocks: Tile | Grid | None
    reasons: tuple[str, ...]


def choose(shape: Shape, device: Device) -> Plan:
    """Choose the kernel for a shape: a tile if a head fits one, else what should be faster of grid and steps.

    The choice depends on nothing but its arguments; whoever measures otherwise on a device changes it here.

    Raises:
        ValueError: more rows than a launch or a 32-bit offset within a step can count.
    """
    most = min(MOST_ROWS, (2**31 - 1) // (shape.directions * shape.gates * shape.hidden_size))
    if shape.batch_size > most:
        raise ValueError(f"batch_size must be at most {most} here, got {shape.batch_size}; split the batch")
    tile, no_tile = _tile(shape, device)
    if tile is not None:
        return Plan("tile", tile, (f"tile: a head of {shape.head_size} units fits one program",))
    grid, no_grid = _grid(shape, device)
    steps = _time_of_steps(shape, device)
    if grid is None:
        return Plan("step", None, (no_tile, no_grid, "step: takes any shape"))
    launches, time = len(grid.launches(shape, device)), _time_of_grid(grid, shape, device)
    compared = (
        f"{launches} x {grid.programs(shape, device)} programs of a grid: about {time:.1f} us a step; "
        f"steps: about {steps:.1f} us (estimates)"
    )
    if time <= steps:
        return Plan("grid", grid, (no_tile, f"grid: {compared}"))
    return Plan("step", None, (no_tile, f"step: {compared}"))


def _tile(shape: Shape, device: Device) -> tuple[Tile | None, str]:
    """The tile for a shape, or why there is none."""
    for tile in TILES.get(_key(shape, device), ()):
        if shape.head_size <= tile.block_p:
            needed = tile.shared_memory(shape.gates, shape.dtype)
            if needed <= device.shared_memory:
                return tile, ""
            return None, (
                f"no tile: a head of {shape.head_size} units takes {needed >> 10} KiB of shared memory, "
                f"a program has {device.shared_memory >> 10} KiB"
            )
    return None, f"no tile: none holds a head of {shape.head_size} units in {shape.arithmetic}"


def _grid(shape: Shape, device: Device) -> tuple[Grid | None, str]:
    """The grid for a shape that should be fastest, or why there is none."""
    holding = [grid for grid in GRIDS.get(_key(shape, device), ()) if shape.head_size <= grid.largest_head]
    if not holding:
        return None, f"no grid: none holds a head of {shape.head_size} units in {shape.arithmetic}"
    fitting = [grid for grid in holding if grid.shared_memory(shape) <= device.shared_memory]
    if not fitting:
        needed = min(grid.shared_memory(shape) for grid in holding)
        return None, (
            f"no grid: a head of {shape.head_size} units takes {needed >> 10} KiB of shared memory, "
            f"a program has {device.shared_memory >> 10} KiB"
        )
    # A launch whose programs cannot all run at once would wait for ever.
    resident = [grid for grid in fitting if grid.smallest_launch(shape) <= device.multiprocessors]
    if not resident:
        needed = min(grid.smallest_launch(shape) for grid in fitting)
        return None, (
            f"no grid: {shape.groups} heads of {shape.head_size} units need {needed} programs at once, "
            f"the device runs {device.multiprocessors}"
        )
    return min(resident, key=lambda grid: _time_of_grid(grid, shape, device)), ""


def _key(shape: Shape, device: Device) -> tuple[str, int, str, bool]:
    """Where the tables have what runs a shape; the interpreter does what NVIDIA's GPUs do."""
    if device.kind == "hip":
        return (
            "hip",
            shape.gates,
            arithmetic(shape.dtype, device.dot_precision(shape.precision)),
            shape.backward,
        )
    return ("cuda", shape.gates, shape.arithmetic, shape.backward)


def _time_of_grid(grid: Grid, shape: Shape, device: Device) -> float:
    """Estimated microseconds a time step."""
    read = grid.block_b * shape.head_size * (shape.gates if shape.backward else 1) * shape.dtype.itemsize
    multiplied = 2 * grid.block_b * grid.block_u * shape.gates * shape.head_size
    step = (
        BARRIER
        + ELEMENTWISE
        + read / L2_BYTES_PER_PROCESSOR
        + multiplied / OPERATIONS_PER_PROCESSOR[shape.arithmetic]
    )
    return len(grid.launches(shape, device)) * step


def _time_of_steps(shape: Shape, device: Device) -> float:
    """Estimated microseconds a time step."""
    weight = shape.groups * shape.gates * shape.head_size**2 * shape.dtype.itemsize
    rate = device.multiprocessors * OPERATIONS_PER_PROCESSOR[shape.arithmetic]
    return TWO_LAUNCHES + weight / L2_BYTES + 2 * shape.groups * shape.multiplications / rate
