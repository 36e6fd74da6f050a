"""How tiles and grids are cut up, and which cuts are known to compile without spills.

The tables are what ahead-of-time compilation for compute capability 8.0 and 9.0 and for gfx942 allows:
`kernels/benchmarks/resources.py` compiles every entry, and its test fails if one spills or does not fit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

if TYPE_CHECKING:
    from rnnlab_kernels.device import Device
    from rnnlab_kernels.plan import Shape


@dataclass(frozen=True)
class Tile:
    """One program a head of up to `block_p` units and `block_b` rows."""

    block_p: int
    block_b: int
    num_warps: int

    def grid(self, shape: Shape) -> tuple[int, int]:
        """Programs of a launch."""
        return (ceil_div(shape.batch_size, self.block_b), shape.groups)

    def shared_memory(self, gates: int, dtype: torch.dtype) -> int:
        """Bytes of shared memory at most: the weight passes through it once."""
        return gates * self.block_p**2 * dtype.itemsize

    def constants(self) -> dict[str, Any]:
        """The kernel's compile-time constants and launch options that tell tiles apart."""
        return {"BLOCK_P": self.block_p, "BLOCK_B": self.block_b, "num_warps": self.num_warps}


@dataclass(frozen=True)
class Grid:
    """Programs of `block_u` units and `block_b` rows that all run at once; `split` warps share a sum.

    Attributes:
        largest_head: units of a head for which the weight of a program stays in registers.
    """

    largest_head: int
    block_u: int
    block_b: int
    split: int = 8
    num_warps: int = 8

    def launches(self, shape: Shape, device: Device) -> Sequence[tuple[int, int]]:
        """The launches that it takes, one after the other: (first batch block, number of batch blocks)."""
        blocks = ceil_div(shape.batch_size, self.block_b)
        at_once = max(1, device.multiprocessors // self.smallest_launch(shape))
        return [(first, min(at_once, blocks - first)) for first in range(0, blocks, at_once)]

    def smallest_launch(self, shape: Shape) -> int:
        """Programs for one block of rows; all of them must run at the same time."""
        return ceil_div(shape.head_size, self.block_u) * shape.groups

    def programs(self, shape: Shape, device: Device) -> int:
        """Programs of the largest launch."""
        return self.smallest_launch(shape) * max(blocks for _, blocks in self.launches(shape, device))

    def grid(self, shape: Shape, batch_blocks: int) -> tuple[int, int, int]:
        """Programs of a launch."""
        return (ceil_div(shape.head_size, self.block_u), batch_blocks, shape.groups)

    def counters(self, shape: Shape, batch_blocks: int, like: Tensor) -> Tensor:
        """Zeros on like's device for the barriers, one for each set of programs that wait for each other."""
        return torch.zeros(batch_blocks * shape.groups, dtype=torch.int32, device=like.device)

    def shared_memory(self, shape: Shape) -> int:
        """Bytes of shared memory at most: the weight, what the programs exchange, the parts of a sum."""
        weight = self.block_u * (1 if shape.backward else shape.gates) * self.split
        exchanged = self.block_b * self.split
        depths, size = self.depths(shape), shape.dtype.itemsize
        parts = weight * self.block_b * 4
        thrice = 2 if shape.arithmetic == "tf32x3" else 1  # Large and small parts of what is multiplied.
        if shape.backward:
            return max((thrice * weight + exchanged) * sum(depths) * size, parts)
        return max(weight * sum(depths) * size, thrice * exchanged * max(depths) * size, parts)

    def depths(self, shape: Shape) -> tuple[int, int]:
        """How many terms of a recurrent sum a warp takes, in two powers of two."""
        return pieces(shape.head_size * (shape.gates if shape.backward else 1), self.split)

    def constants(self, shape: Shape) -> dict[str, Any]:
        """The kernel's compile-time constants and launch options that tell grids apart."""
        depth, depth_rest = self.depths(shape)
        return {
            "BLOCK_U": self.block_u,
            "BLOCK_B": self.block_b,
            "SPLIT": self.split,
            "DEPTH": depth,
            "DEPTH_REST": depth_rest,
            "num_warps": self.num_warps,
            "launch_cooperative_grid": True,
            # For the assertion in `grid_barrier`.
            "debug": True,
            "sanitize_overflow": False,
        }


def constants(blocks: Tile | Grid, shape: Shape, device: Device) -> dict[str, Any]:
    """The compile-time constants and launch options that follow from shape and device."""
    half = shape.arithmetic == "half"
    return {
        "DIRECTIONS": shape.directions,
        "HIDDEN": shape.hidden_size,
        "HEAD": shape.head_size,
        "APPROX": half and device.kind == "cuda",
        "OPAQUE": device.kind == "cuda",
        "PRECISION": "ieee" if half else device.dot_precision(shape.precision),
        "num_stages": 1,
        **(blocks.constants() if isinstance(blocks, Tile) else blocks.constants(shape)),
    }


def arithmetic(dtype: torch.dtype, precision: str) -> str:
    """How products are formed: "half" (16 bits), or the precision of float32."""
    return precision if dtype == torch.float32 else "half"


def pieces(depth: int, split: int) -> tuple[int, int]:
    """Cover `depth` terms by `split` warps with one or two powers of two of 16 or more: 768, 8 -> 64, 32."""
    smallest = 16 * split
    first = 1 << (depth.bit_length() - 1)
    if first < smallest:
        return 16, 0
    rest = depth - first
    if rest == 0:
        return first // split, 0
    rest = max(power_of_two(rest), smallest)
    return (first // split, rest // split) if rest < first else (2 * first // split, 0)


def power_of_two(n: int) -> int:
    """The smallest power of two that is at least n >= 1."""
    return 1 << (n - 1).bit_length()


def ceil_div(a: int, b: int) -> int:
    """a / b, rounded up."""
    return -(-a // b)


def _grids(*entries: tuple[int, tuple[tuple[int, int], ...]], **options: int) -> tuple[Grid, ...]:
    """Grids from (largest head, ((block_u, block_b), ...)) entries."""
    return tuple(Grid(head, u, b, **options) for head, cuts in entries for u, b in cuts)


SMALL_TILES = (Tile(16, 16, 4), Tile(32, 16, 4))

# (kind of device, gates, arithmetic, backward) -> tiles, the smallest first.
TILES: dict[tuple[str, int, str, bool], tuple[Tile, ...]] = {
    ("cuda", 4, "half", False): (*SMALL_TILES, Tile(64, 16, 8), Tile(128, 8, 8)),
    ("cuda", 4, "half", True): (*SMALL_TILES, Tile(64, 16, 8), Tile(128, 8, 8)),
    ("cuda", 4, "tf32", False): (*SMALL_TILES, Tile(64, 16, 8)),
    ("cuda", 4, "tf32", True): (*SMALL_TILES, Tile(64, 16, 8)),
    ("cuda", 4, "tf32x3", False): (*SMALL_TILES, Tile(64, 16, 8)),
    ("cuda", 4, "tf32x3", True): SMALL_TILES,
    ("cuda", 1, "half", False): (*SMALL_TILES, Tile(64, 16, 8), Tile(128, 16, 8), Tile(256, 8, 8)),
    ("cuda", 1, "half", True): (*SMALL_TILES, Tile(64, 16, 8), Tile(128, 16, 8), Tile(256, 8, 8)),
    ("cuda", 1, "tf32", False): (*SMALL_TILES, Tile(64, 16, 8), Tile(128, 16, 8)),
    ("cuda", 1, "tf32", True): (*SMALL_TILES, Tile(64, 16, 8), Tile(128, 16, 8)),
    ("cuda", 1, "tf32x3", False): (*SMALL_TILES, Tile(64, 16, 8), Tile(128, 8, 8)),
    ("cuda", 1, "tf32x3", True): (*SMALL_TILES, Tile(64, 16, 8), Tile(128, 8, 8)),
    ("hip", 4, "half", False): (*SMALL_TILES, Tile(64, 16, 8)),
    ("hip", 4, "half", True): (*SMALL_TILES, Tile(64, 16, 8)),
    ("hip", 4, "ieee", False): SMALL_TILES,
    ("hip", 4, "ieee", True): SMALL_TILES,
    ("hip", 1, "half", False): (*SMALL_TILES, Tile(64, 16, 8)),
    ("hip", 1, "half", True): (*SMALL_TILES, Tile(64, 16, 8)),
    ("hip", 1, "ieee", False): (*SMALL_TILES, Tile(64, 16, 8)),
    ("hip", 1, "ieee", True): (*SMALL_TILES, Tile(64, 16, 8)),
}

# (kind of device, gates, arithmetic, backward) -> grids.
GRIDS: dict[tuple[str, int, str, bool], tuple[Grid, ...]] = {
    ("cuda", 4, "half", False): _grids((768, ((16, 16),)), (1024, ((8, 32), (8, 16)))),
    ("cuda", 4, "half", True): _grids((512, ((16, 32),)), (768, ((16, 16),)), (1024, ((16, 8),))),
    ("cuda", 4, "tf32", False): _grids((256, ((16, 16),)), (768, ((8, 16),)), (1024, ((8, 8),))),
    ("cuda", 4, "tf32", True): _grids((256, ((16, 16),)), (512, ((16, 8),))),
    ("cuda", 4, "tf32x3", False): _grids(
        (128, ((16, 16), (16, 8))), (256, ((8, 16), (8, 8))), (512, ((8, 8),))
    ),
    ("cuda", 4, "tf32x3", True): _grids((128, ((16, 16),)), (256, ((16, 8), (8, 16), (8, 8)))),
    ("cuda", 1, "half", False): _grids((512, ((32, 32),)), (1024, ((64, 8),)), (2048, ((32, 8),))),
    ("cuda", 1, "half", True): _grids((512, ((32, 32),)), (1024, ((64, 8),)), (2048, ((32, 8),))),
    ("cuda", 1, "tf32", False): _grids((1024, ((16, 16), (32, 8))), (2048, ((16, 8),))),
    ("cuda", 1, "tf32", True): _grids((1024, ((16, 16), (32, 8))), (2048, ((16, 8),))),
    ("cuda", 1, "tf32x3", False): _grids((768, ((16, 16),)), (1024, ((16, 8),))),
    ("cuda", 1, "tf32x3", True): _grids((768, ((16, 16),)), (1024, ((16, 8),))),
    ("hip", 4, "half", False): _grids((512, ((16, 16),)), (1024, ((8, 16),))),
    ("hip", 4, "half", True): _grids((128, ((16, 8),)), (256, ((16, 16),))),
    ("hip", 4, "ieee", False): _grids((128, ((16, 8),)), (256, ((8, 16), (8, 8)))),
    ("hip", 4, "ieee", True): _grids((128, ((8, 16), (8, 8)))),
    ("hip", 1, "half", False): _grids((512, ((16, 16),))),
    ("hip", 1, "half", True): _grids((512, ((16, 16),))),
    ("hip", 1, "ieee", False): _grids((256, ((16, 8),))),
    ("hip", 1, "ieee", True): _grids((256, ((16, 8),))),
}
