"""The LSTM kernels, each in its turn whatever `choose` would say, against the loop over time in float64."""

import dataclasses

import pytest
import torch

from rnnlab_kernels import interpreter
from rnnlab_kernels.blocks import constants, pieces
from rnnlab_kernels.device import device_of
from rnnlab_kernels.lstm_sequence import launch, reference

KERNELS = ("tile", "grid", "step")

# name -> T, B, D, H, P, lengths, reverse
PROBLEMS = {
    "odd": (5, 3, 1, 20, 20, None, False),
    "one step, one row": (1, 1, 1, 16, 16, None, False),
    "reverse": (4, 3, 1, 20, 20, None, True),
    "lengths": (5, 5, 1, 20, 20, (5, 0, 3, 1, 4), False),
    "lengths, reverse": (5, 5, 1, 20, 20, (5, 0, 3, 1, 4), True),
    "both directions, heads, lengths": (5, 4, 2, 40, 20, (2, 5, 0, 4), False),
    "several blocks of rows": (3, 19, 1, 20, 20, None, False),
    "32 + 16": (3, 2, 1, 48, 48, None, False),
    "padded": (3, 2, 1, 100, 100, (3, 1), False),
    "only padding": (2, 2, 2, 16, 16, (0, 0), False),
}


class Problem:
    """Arguments of `launch.forward` and gradients of its results; NaN where a step is padding."""

    def __init__(self, name, device, dtype=torch.float32, scale=1.0, cell_dtype=torch.float32):
        steps, rows, directions, hidden, head, lengths, self.reverse = PROBLEMS[name]
        generator = torch.Generator().manual_seed(3)

        def randn(*shape, dtype=dtype, scale=1.0):
            return (scale * torch.randn(shape, generator=generator)).to(device, dtype)

        self.x_proj = randn(steps, rows, directions * 4 * hidden, scale=scale)
        self.weight_hh = randn(directions, 4 * hidden, head, scale=head**-0.5)
        self.h_0 = randn(directions, rows, hidden)
        self.c_0 = randn(directions, rows, hidden, dtype=cell_dtype)
        self.d_output = randn(steps, rows, directions * hidden)
        self.d_h_n = randn(directions, rows, hidden)
        self.d_c_n = randn(directions, rows, hidden, dtype=cell_dtype)
        self.lengths = None
        if lengths is not None:
            self.lengths = torch.tensor(lengths, device=device)
            padding = torch.arange(steps, device=device)[:, None] >= self.lengths
            self.x_proj[padding] = float("nan")
            self.d_output[padding] = float("nan")

    def forward(self, run, convert=lambda tensor: tensor, precision="tf32x3", save=(True, True)):
        tensors = (self.x_proj, self.weight_hh, self.h_0, self.c_0, self.lengths)
        return run(*map(convert, tensors), self.reverse, precision, *save)

    def backward(self, run, cells, gates, convert=lambda tensor: tensor, precision="tf32x3"):
        tensors = (
            self.d_output,
            self.d_h_n,
            self.d_c_n,
            self.weight_hh,
            self.c_0,
            self.lengths,
            cells,
            gates,
        )
        return run(*map(convert, tensors), self.reverse, precision)


def exact(tensor):
    """In float64 on the CPU; lengths and None stay what they are."""
    if tensor is None:
        return None
    return tensor.cpu().double() if tensor.is_floating_point() else tensor.cpu()


def saved(problem):
    """Cells and gates as a forward pass in the problem's dtype saves them, rounded from float64."""
    *_, cells, gates = problem.forward(reference.forward, exact)
    x_proj = problem.x_proj
    return cells.to(x_proj.device, torch.float32), gates.to(x_proj.device, x_proj.dtype)


def check_forward(problem, assert_close, closeness, **options):
    actual = problem.forward(launch.forward, **options)
    expected = problem.forward(reference.forward, exact)
    for name, value, wanted in zip(("output", "h_n", "c_n", "cells", "gates"), actual, expected, strict=True):
        assert_close(value, wanted, closeness, name)
    output, h_n, c_n, cells, gates = actual
    assert {tensor.dtype for tensor in (output, h_n, gates)} == {problem.x_proj.dtype}
    assert (c_n.dtype, cells.dtype) == (problem.c_0.dtype, torch.float32)


def check_backward(problem, assert_close, closeness, **options):
    cells, gates = saved(problem)
    actual = problem.backward(launch.backward, cells, gates, **options)
    expected = problem.backward(reference.backward, cells, gates, exact)
    for name, value, wanted in zip(("d_preact", "d_h_0", "d_c_0"), actual, expected, strict=True):
        assert_close(value, wanted, closeness, name)
    assert [tensor.dtype for tensor in actual] == [gates.dtype, torch.float32, torch.float32]


def results(problem):
    """All that both passes give."""
    return *problem.forward(launch.forward), *problem.backward(launch.backward, *saved(problem))


def equal(some, others):
    return all(torch.equal(one, other) for one, other in zip(some, others, strict=True))


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("name", [name for name in PROBLEMS if name != "padded"])
def test_kernels_equal_the_reference(name, kernel, force, poisoned, device, assert_close):
    force(launch, kernel)
    problem = Problem(name, device)
    check_forward(problem, assert_close, torch.float32)
    check_backward(problem, assert_close, torch.float32)


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize(
    ("name", "dtype", "cell_dtype"),
    [
        ("padded", torch.bfloat16, torch.float32),
        ("both directions, heads, lengths", torch.bfloat16, torch.bfloat16),
        ("lengths, reverse", torch.float16, torch.float32),
    ],
)
def test_kernels_in_16_bits(name, dtype, cell_dtype, kernel, force, poisoned, device, assert_close):
    force(launch, kernel)
    problem = Problem(name, device, dtype, cell_dtype=cell_dtype)
    check_forward(problem, assert_close, dtype)
    check_backward(problem, assert_close, dtype)


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize(("precision", "closeness"), [("ieee", torch.float32), ("tf32", "tf32")])
def test_other_precisions_of_float32(precision, closeness, kernel, force, device, assert_close):
    force(launch, kernel)
    problem = Problem("lengths", device)
    check_forward(problem, assert_close, closeness, precision=precision)
    check_backward(problem, assert_close, closeness, precision=precision)


@pytest.mark.filterwarnings("ignore:overflow encountered in exp")
@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_saturated_gates(dtype, kernel, force, device, assert_close):
    force(launch, kernel)
    problem = Problem("odd", device, dtype, scale=100.0)
    problem.x_proj[1:] = 1e4 * problem.x_proj[1:].sign()
    check_forward(problem, assert_close, dtype)
    check_backward(problem, assert_close, dtype)


@pytest.mark.parametrize("kernel", KERNELS)
def test_two_runs_give_the_same_bits(kernel, force, device):
    force(launch, kernel)
    problem = Problem("lengths", device)
    assert equal(results(problem), results(problem))


@pytest.mark.parametrize("kernel", KERNELS)
def test_what_is_not_saved_is_empty(kernel, force, poisoned, device):
    force(launch, kernel)
    problem = Problem("lengths", device)
    everything = problem.forward(launch.forward)
    *states, cells, gates = problem.forward(launch.forward, save=(False, False))
    assert equal(states, everything[:3])
    assert cells.shape == gates.shape == (0,)


@pytest.mark.parametrize("kernel", KERNELS)
def test_arguments_need_not_be_contiguous(kernel, force, device):
    force(launch, kernel)
    problem = Problem("odd", device)
    expected = results(problem)
    for name in ("x_proj", "weight_hh", "h_0", "c_0", "d_output", "d_h_n", "d_c_n"):
        strided = getattr(problem, name).transpose(0, 1).contiguous().transpose(0, 1)
        setattr(problem, name, strided)
    assert not problem.x_proj.is_contiguous()
    assert equal(results(problem), expected)


def test_sums_in_two_powers_of_two(force, poisoned, device, assert_close):
    force(launch, "grid", split=1)
    problem = Problem("32 + 16", device)
    assert pieces(48, 1) == (32, 16)
    check_forward(problem, assert_close, torch.float32)
    check_backward(problem, assert_close, torch.float32)


def test_rows_that_do_not_fit_at_once_take_several_launches(
    force, monkeypatch, poisoned, device, assert_close
):
    force(launch, "grid")
    small = dataclasses.replace(device_of(device), multiprocessors=3)
    monkeypatch.setattr(launch, "device_of", lambda _: small)
    problem = Problem("several blocks of rows", device)
    check_forward(problem, assert_close, torch.float32)
    check_backward(problem, assert_close, torch.float32)


@pytest.mark.parametrize("seed", range(3))
def test_the_order_of_programs_does_not_matter(seed, force, poisoned, interpreted, device):
    force(launch, "grid")
    problem = Problem("both directions, heads, lengths", device)
    expected = results(problem)
    with interpreter.shuffled(seed):
        assert equal(results(problem), expected)


@pytest.mark.parametrize("results_of", ["forward", "backward"])
def test_the_order_would_matter_without_the_barrier(
    results_of, force, monkeypatch, poisoned, interpreted, device
):
    force(launch, "grid")
    problem = Problem("odd", device)
    cells, gates = saved(problem)

    def run():
        if results_of == "forward":
            return problem.forward(launch.forward)
        return problem.backward(launch.backward, cells, gates)

    expected = run()
    monkeypatch.setattr(launch, "constants", lambda *given: {**constants(*given), "BARRIER": False})
    same = []
    for seed in range(4):
        with interpreter.shuffled(seed):
            same.append(equal(run(), expected))
    assert not all(same)


@pytest.mark.parametrize("name", ["lengths, reverse", "both directions, heads, lengths"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_replay_gives_what_forward_saves(name, dtype, poisoned, device, assert_close):
    problem = Problem(name, device, dtype)
    arguments = (problem.x_proj, problem.c_0, problem.lengths)
    actual = launch.replay(*arguments, problem.reverse)
    expected = reference.replay(*map(exact, arguments), problem.reverse)
    for what, value, wanted in zip(("cells", "gates"), actual, expected, strict=True):
        assert_close(value, wanted, dtype, what)
