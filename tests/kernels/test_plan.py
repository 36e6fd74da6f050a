"""Which kernel is planned for which shape, and that what is planned can run."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from rnnlab_kernels.blocks import GRIDS, Grid, Tile, constants, pieces
from rnnlab_kernels.cases import DEVICES
from rnnlab_kernels.device import Device
from rnnlab_kernels.plan import Shape, choose

H100, A100, MI300 = DEVICES["sm_90"], DEVICES["sm_80"], DEVICES["gfx942"]
LSTM = Shape(4, 16, 1, 512, 512, torch.bfloat16, "tf32x3", backward=False)

EVERY = [
    Shape(gates, batch_size, directions, heads * head_size, head_size, dtype, precision, backward)
    for gates in (1, 4)
    for batch_size in (1, 3, 16, 64, 256, 1000)
    for directions in (1, 2)
    for heads in (1, 3)
    for head_size in (1, 16, 40, 64, 100, 128, 300, 512, 768, 1000, 1024, 1500, 2048)
    for dtype, precision in ((torch.bfloat16, "tf32x3"), (torch.float32, "tf32x3"), (torch.float32, "ieee"))
    for backward in (False, True)
]


@pytest.mark.parametrize(
    ("head_size", "kernel"),
    [(8, "tile"), (64, "tile"), (128, "tile"), (129, "grid"), (768, "grid"), (2048, "step")],
)
def test_the_kernel_follows_from_the_size_of_a_head(head_size: int, kernel: str) -> None:
    plan = choose(replace(LSTM, hidden_size=head_size, head_size=head_size), H100)

    assert plan.kernel == kernel
    assert plan.reasons[-1].startswith(f"{kernel}:")


def test_many_heads_are_as_small_as_one() -> None:
    assert choose(replace(LSTM, hidden_size=768, head_size=64), H100).blocks == Tile(64, 16, 8)


def test_a_plan_says_what_did_not_fit_and_why() -> None:
    step = choose(replace(LSTM, hidden_size=2048, head_size=2048), H100)

    assert step.reasons == (
        "no tile: none holds a head of 2048 units in half",
        "no grid: none holds a head of 2048 units in half",
        "step: takes any shape",
    )


def test_a_device_with_too_few_processors_gets_no_grid() -> None:
    small = Device("cuda", "small", 90, 20, 227 * 1024)

    plan = choose(LSTM, small)

    assert plan.kernel == "step"
    assert "no grid: 1 heads of 512 units need 32 programs at once, the device runs 20" in plan.reasons


def test_a_device_with_little_shared_memory_gets_no_tile() -> None:
    small = Device("cuda", "small", 80, 108, 99 * 1024)

    plan = choose(replace(LSTM, hidden_size=128, head_size=128), small)

    assert plan.kernel == "grid"
    assert "no tile: a head of 128 units takes 128 KiB of shared memory, a program has 99 KiB" in plan.reasons


def test_rows_too_many_for_one_launch_take_several() -> None:
    grid = Grid(1024, 8, 16)
    shape = replace(LSTM, batch_size=70, hidden_size=1024, head_size=1024)

    assert grid.launches(shape, H100) == [(0, 1), (1, 1), (2, 1), (3, 1), (4, 1)]
    smaller = replace(shape, hidden_size=256, head_size=256)
    assert grid.launches(smaller, H100) == [(0, 4), (4, 1)]


def test_exact_products_are_left_to_steps() -> None:
    assert choose(replace(LSTM, dtype=torch.float32, precision="ieee"), H100).kernel == "step"


@pytest.mark.parametrize("device", [H100, A100, MI300], ids=lambda device: device.name)
def test_no_plan_asks_for_what_the_device_has_not(device: Device) -> None:
    grids = 0
    for shape in EVERY:
        blocks = choose(shape, device).blocks
        if isinstance(blocks, Grid):
            grids += 1
            assert blocks.programs(shape, device) <= device.multiprocessors
            assert blocks.shared_memory(shape) <= device.shared_memory
            launches = blocks.launches(shape, device)
            covered = [k for first, number in launches for k in range(first, first + number)]
            assert covered == list(range(-(-shape.batch_size // blocks.block_b)))
        elif isinstance(blocks, Tile):
            assert shape.head_size <= blocks.block_p
            assert blocks.shared_memory(shape.gates, shape.dtype) <= device.shared_memory
    assert grids > 50


@pytest.mark.parametrize("depth", [1, 16, 100, 128, 300, 400, 512, 700, 768, 900, 1024, 3072])
@pytest.mark.parametrize("split", [1, 4, 8])
def test_a_sum_is_covered_by_powers_of_two(depth: int, split: int) -> None:
    first, rest = pieces(depth, split)

    assert split * (first + rest) >= depth
    assert all(part & (part - 1) == 0 for part in (first, rest))
    assert first >= 16 and (rest == 0 or 16 <= rest < first)
    assert split * (first + rest) < 2 * max(depth, 16 * split)


def test_768_units_waste_nothing() -> None:
    assert pieces(768, 8) == (64, 32)


def test_sixteen_bits_take_the_fast_tanh_of_nvidia_and_float32_does_not() -> None:
    def approx(shape: Shape, device: Device) -> bool:
        blocks = choose(shape, device).blocks
        assert blocks is not None
        return constants(blocks, shape, device)["APPROX"]

    small = replace(LSTM, hidden_size=32, head_size=32)
    assert approx(small, H100)
    assert not approx(replace(small, dtype=torch.float32), H100)
    assert not approx(small, MI300)


@pytest.mark.parametrize("device", [H100, MI300], ids=lambda device: device.kind)
def test_every_grid_of_the_tables_is_planned_for_some_shape(device: Device) -> None:
    half = [shape for shape in EVERY if shape.dtype != torch.float32]
    for gates in (1, 4):
        for backward in (False, True):
            shapes = [shape for shape in half if (shape.gates, shape.backward) == (gates, backward)]
            planned = {choose(shape, device).blocks for shape in shapes}
            assert set(GRIDS[device.kind, gates, "half", backward]) <= planned


def test_more_rows_than_a_launch_counts_are_refused() -> None:
    with pytest.raises(ValueError, match="batch_size must be at most 65535 here, got 70000; split the batch"):
        choose(replace(LSTM, batch_size=70_000), H100)
