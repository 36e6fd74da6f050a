"""Cooperative kernels and bfloat16 in Triton's interpreter; what also holds on a GPU is tested there too."""

import threading
import time

import pytest
import torch
import triton
import triton.language as tl

from rnnlab_kernels import interpreter

PROGRAMS, STEPS = 5, 7


@triton.jit
def _meet(arrivals_ptr, target):
    tl.debug_barrier()
    tl.atomic_add(arrivals_ptr, 1)
    while tl.atomic_add(arrivals_ptr, 0) < target:
        pass
    tl.debug_barrier()


@triton.jit
def _ring_kernel(values_ptr, arrivals_ptr, steps, absent, BARRIER: tl.constexpr):
    """In each step, program p adds p to what its left neighbour wrote in the step before."""
    program = tl.program_id(0)
    programs = tl.num_programs(0)
    left = (program + programs - 1) % programs
    for step in range(steps):
        value = tl.load(values_ptr + step * programs + left, cache_modifier=".cg")
        tl.store(values_ptr + (step + 1) * programs + program, value + program)
        if BARRIER:
            _meet(arrivals_ptr, (step + 1) * programs + absent)


@triton.jit
def _chain_kernel(values_ptr):
    """Sound only if programs run in their order: each reads what the one before it wrote."""
    program = tl.program_id(0)
    tl.store(values_ptr + program + 1, tl.load(values_ptr + program) + 1)


@triton.jit
def _failing_kernel(arrivals_ptr):
    tl.static_assert(tl.program_id(0) != 2, "program 2 gives up")
    _meet(arrivals_ptr, tl.num_programs(0))


@triton.jit
def _volatile_kernel(flag_ptr):
    """Program 0 waits for what program 1 stores, without an atomic."""
    if tl.program_id(0) == 0:
        while tl.load(flag_ptr, volatile=True) == 0:
            pass
        tl.store(flag_ptr + 1, 7)
    else:
        tl.store(flag_ptr, 1)


@triton.jit
def _sum_kernel(values_ptr, total_ptr, n, BLOCK: tl.constexpr):
    place = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.atomic_add(total_ptr, tl.sum(tl.load(values_ptr + place, mask=place < n, other=0)))


@triton.jit
def _round_kernel(source_ptr, target_ptr, BLOCK: tl.constexpr):
    place = tl.arange(0, BLOCK)
    tl.store(target_ptr + place, tl.load(source_ptr + place).to(target_ptr.dtype.element_ty))


@triton.jit
def _bfloat16_kernel(a_ptr, b_ptr, product_ptr, sum_ptr, less_ptr, N: tl.constexpr):
    place = tl.arange(0, N)[:, None] * N + tl.arange(0, N)[None, :]
    a = tl.load(a_ptr + place)
    b = tl.load(b_ptr + place)
    tl.store(product_ptr + place, tl.dot(a, b))
    tl.store(sum_ptr + place, a + b)
    tl.store(less_ptr + place, (a < b).to(tl.int32))


def ring_expected():
    """The ring's values [STEPS + 1, PROGRAMS], from plain Python."""
    rows = [[10.0 * program for program in range(PROGRAMS)]]
    for _ in range(STEPS):
        rows.append([rows[-1][program - 1] + program for program in range(PROGRAMS)])
    return torch.tensor(rows)


def ring(device, *, barrier=True, absent=0):
    """Run the ring on buffers that are NaN wherever nothing was written."""
    values = torch.full((STEPS + 1, PROGRAMS), float("nan"), device=device)
    values[0] = ring_expected()[0]
    arrivals = torch.zeros(1, dtype=torch.int32, device=device)
    _ring_kernel[(PROGRAMS,)](values, arrivals, STEPS, absent, BARRIER=barrier, launch_cooperative_grid=True)
    return values.cpu()


def test_programs_that_wait_for_one_another_run_to_the_end(device):
    torch.testing.assert_close(ring(device), ring_expected(), rtol=0, atol=0)


@pytest.mark.parametrize("seed", range(5))
def test_any_order_of_the_programs_gives_the_same(interpreted, seed):
    with interpreter.shuffled(seed):
        values = ring("cpu")
    torch.testing.assert_close(values, ring_expected(), rtol=0, atol=0)


def test_without_the_barrier_the_values_are_wrong(interpreted):
    values = ring("cpu", barrier=False)
    assert values[0].isfinite().all()
    assert values[1:].isnan().any()


def test_a_kernel_that_is_right_by_luck_is_caught_in_another_order(interpreted):
    def chain():
        values = torch.full((PROGRAMS + 1,), float("nan"))
        values[0] = 0
        _chain_kernel[(PROGRAMS,)](values, launch_cooperative_grid=True)
        return values

    assert chain().tolist() == [0, 1, 2, 3, 4, 5]
    with interpreter.shuffled(0):
        assert chain().isnan().any()


def test_a_deadlock_is_an_error(interpreted):
    begin, threads = time.monotonic(), threading.active_count()
    with pytest.raises(RuntimeError, match="_ring_kernel: 5 of 5 programs wait for one another"):
        ring("cpu", absent=1)
    assert time.monotonic() - begin < 30
    assert threading.active_count() == threads
    torch.testing.assert_close(ring("cpu"), ring_expected(), rtol=0, atol=0)


def test_an_error_in_one_program_stops_all_and_is_raised(interpreted):
    threads = threading.active_count()
    arrivals = torch.zeros(1, dtype=torch.int32)
    with pytest.raises(triton.runtime.errors.InterpreterError, match="program 2 gives up"):
        _failing_kernel[(4,)](arrivals, launch_cooperative_grid=True)
    assert threading.active_count() == threads
    assert arrivals.item() < 4


def test_a_spin_on_a_volatile_load_hands_over(device):
    flag = torch.zeros(2, dtype=torch.int32, device=device)
    _volatile_kernel[(2,)](flag, launch_cooperative_grid=True)
    assert flag.tolist() == [1, 7]


def test_programs_of_a_grid_in_three_dimensions_know_their_places(device):
    values = torch.arange(1, 25, dtype=torch.int32, device=device)
    total = torch.zeros(1, dtype=torch.int32, device=device)
    _sum_kernel[(3, 2, 2)](values, total, 24, BLOCK=8, launch_cooperative_grid=True)
    assert total.item() == 4 * 300


def test_an_ordinary_kernel_starts_no_thread(interpreted, monkeypatch):
    monkeypatch.setattr(threading, "Thread", None)
    total = torch.zeros(1, dtype=torch.int32)
    _sum_kernel[(4,)](torch.arange(30, dtype=torch.int32), total, 30, BLOCK=8)
    assert total.item() == 435
    with pytest.raises(triton.runtime.errors.InterpreterError, match="not callable"):
        _sum_kernel[(4,)](torch.arange(30), total, 30, BLOCK=8, launch_cooperative_grid=True)


def test_install_twice_changes_nothing(interpreted):
    executor = triton.runtime.interpreter.GridExecutor
    before = executor.__call__
    interpreter.install()
    assert executor.__call__ is before


@pytest.mark.parametrize("direction", ["narrow", "widen"])
def test_bfloat16_is_rounded_to_nearest_even(device, direction):
    torch.manual_seed(0)
    special = [0.0, -0.0, 1 + 2**-8, 1 + 3 * 2**-8, 3.4e38, 1e-40, float("inf"), -float("inf"), float("nan")]
    wide = torch.cat([torch.tensor(special), torch.randn(503) * 10.0 ** torch.randint(-30, 30, (503,))])
    narrow = wide.bfloat16()
    source, expected = (wide, narrow) if direction == "narrow" else (narrow, narrow.float())
    target = torch.empty_like(expected, device=device)
    _round_kernel[(1,)](source.to(device), target, BLOCK=512)
    torch.testing.assert_close(target.cpu(), expected, rtol=0, atol=0, equal_nan=True)


def test_bfloat16_arithmetic(device):
    torch.manual_seed(1)
    n = 16
    a, b = (torch.randn(n, n).bfloat16() for _ in range(2))
    b[0] = a[0]
    product = torch.empty(n, n, device=device)
    total = torch.empty(n, n, dtype=torch.bfloat16, device=device)
    less = torch.empty(n, n, dtype=torch.int32, device=device)
    _bfloat16_kernel[(1,)](a.to(device), b.to(device), product, total, less, N=n)
    torch.testing.assert_close(product.cpu().double(), a.double() @ b.double(), rtol=0, atol=1e-5)
    torch.testing.assert_close(total.cpu(), a + b, rtol=0, atol=0)
    assert torch.equal(less.cpu().bool(), a < b)
