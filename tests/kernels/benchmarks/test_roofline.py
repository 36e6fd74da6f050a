from dataclasses import replace

import pytest
from cases import Case
from roofline import RATES, floor_seconds, step_bytes, step_seconds

H100 = RATES["nvidia-h100"]
SMALL = Case("sizes", "bfloat16", seq_len=512, batch_size=16, input_size=64, hidden_size=64)


def test_unknown_devices_have_no_floor() -> None:
    assert floor_seconds(SMALL, "cpu", "forward") is None
    assert floor_seconds(SMALL, "nvidia-t4", "forward+backward") is None


def test_bytes_of_a_step_by_hand() -> None:
    assert step_bytes(SMALL, backward=False) == 64 * (4 + 1) * 2
    # d_output 2 bytes, gates 8, float32 cell 4, d_preact 8
    assert step_bytes(SMALL, backward=True) == 64 * (2 + 8 + 4 + 8)
    rnn = replace(SMALL, cell="rnn", dtype="float32")
    assert step_bytes(rnn, backward=False) == 64 * 2 * 4
    assert step_bytes(rnn, backward=True) == 64 * (4 + 4 + 4)


def test_a_head_that_fits_one_multiprocessor_waits_for_nobody() -> None:
    # One row a tile: 2 * 4 * 64 * 64 operations on one of 132 multiprocessors; memory takes less.
    products = 2 * 4 * 64 * 64 / (989e12 / 132)
    memory = 16 * 64 * 5 * 2 / 3.35e12
    assert memory < products
    assert step_seconds(SMALL, H100, backward=False) == pytest.approx(products)


def test_a_split_head_pays_the_barrier() -> None:
    wide = replace(SMALL, hidden_size=1024, input_size=1024)
    one, two = (step_seconds(wide, H100, False, barrier) for barrier in (1e-6, 2e-6))
    assert two - one == pytest.approx(1e-6)
    assert one > 1e-6


def test_weights_beyond_the_chip_are_streamed_from_l2() -> None:
    huge = replace(SMALL, hidden_size=4096, input_size=4096)
    streamed = 4 * 4096 * 4096 * 2 / (5120 * 1.83e9)
    assert step_seconds(huge, H100, False, 1e-6) == pytest.approx(streamed + 1e-6)


def test_floor_adds_steps_and_products() -> None:
    step = step_seconds(SMALL, H100, False)
    # tokens * (64 read + 256 written) * 2 bytes + weights, against 2 * tokens * 256 * 64 operations
    memory = (512 * 16 * (64 + 256) + 256 * 64) * 2 / 3.35e12
    assert floor_seconds(SMALL, "nvidia-h100", "forward") == pytest.approx(512 * step + memory)
    alone = replace(SMALL, part="recurrence")
    assert floor_seconds(alone, "nvidia-h100", "forward") == pytest.approx(512 * step)
    back = step_seconds(SMALL, H100, True)
    gradient = 2 * 512 * 16 * 256 * 64 / 989e12
    found = floor_seconds(alone, "nvidia-h100", "forward+backward")
    assert found == pytest.approx(512 * (step + back) + gradient)


def test_layers_follow_one_another() -> None:
    one = floor_seconds(SMALL, "nvidia-a100", "forward")
    two = floor_seconds(replace(SMALL, num_layers=2), "nvidia-a100", "forward")
    assert one is not None
    assert two == pytest.approx(2 * one)
