"""What every kernel is made of."""

from __future__ import annotations

import triton
import triton.language as tl

SPIN_LIMIT = tl.constexpr(1 << 24)
"""Polls of the grid barrier before it is taken for broken: some seconds, where a step takes microseconds."""


@triton.jit
def _tanh_approx(x):
    # One instruction; its relative error is 2^-11 (PTX ISA, tanh), that of a number rounded to float16.
    return tl.inline_asm_elementwise(
        "tanh.approx.f32 $0, $1;", "=f,f", [x], dtype=tl.float32, is_pure=True, pack=1
    )


@triton.jit
def sigmoid(x, APPROX: tl.constexpr):
    """The logistic function of a float32 block; APPROX as in `tanh`."""
    if APPROX:
        y = 0.5 * _tanh_approx(0.5 * x) + 0.5
    else:
        y = tl.sigmoid(x)
    return y


@triton.jit
def tanh(x, APPROX: tl.constexpr):
    """The hyperbolic tangent of a float32 block; never NaN for a finite x.

    APPROX takes the GPU's own instruction, for results that are rounded to 16 bits anyway; else the error is
    that of `exp`, about 1e-7.
    """
    if APPROX:
        y = _tanh_approx(x)
    else:
        y = 2.0 * tl.sigmoid(2.0 * x) - 1.0
    return y


@triton.jit
def elementwise_layout(x, M: tl.constexpr, N: tl.constexpr):
    """Give back x [M, N], the result of a dot, unchanged, but in a layout that suits loads and stores.

    Otherwise the compiler does all arithmetic in the dot's own layout, and moves each loaded and each stored
    block through shared memory; taking the block apart and putting it together again ends that layout here.
    """
    top, bottom = tl.split(tl.permute(tl.reshape(x, [2, M // 2, N]), (1, 2, 0)))
    return tl.reshape(tl.permute(tl.join(top, bottom), (2, 0, 1)), [M, N])


@triton.jit
def resident(weight, OPAQUE: tl.constexpr):
    """Keep a block in registers for the whole kernel.

    A load that the compiler can see through is moved next to its use, into the time loop; behind an assembler
    `mov` it stays where it is. The kernel must also use the block in two places, for instance by taking its
    first step outside the loop.
    """
    if OPAQUE:
        if weight.dtype.primitive_bitwidth == 16:
            weight = tl.inline_asm_elementwise(
                "mov.b32 $0, $1;", "=r,r", [weight], dtype=weight.dtype, is_pure=True, pack=2
            )
        else:
            weight = tl.inline_asm_elementwise(
                "mov.b32 $0, $1;", "=r,r", [weight], dtype=weight.dtype, is_pure=True, pack=1
            )
    return weight


@triton.jit
def grid_barrier(counter_ptr, target):
    """Wait until `target` arrivals were counted; every program that shares the counter arrives once a call.

    The counter only grows within a launch. What a program stored before its arrival is seen by every program
    after the barrier if that one reads past its L1 cache (`cache_modifier=".cg"`).

    A barrier that is never reached, which a cooperative launch excludes, ends in a device-side assertion
    instead of a hang (kernels are launched with `debug=True, sanitize_overflow=False` for it).
    """
    tl.debug_barrier()  # All threads' stores are issued before one of them announces them.
    tl.atomic_add(counter_ptr, 1, sem="release", scope="gpu")
    polls = 0
    while (tl.atomic_add(counter_ptr, 0, sem="acquire", scope="gpu") < target) & (polls < SPIN_LIMIT):
        polls += 1
    tl.device_assert(polls < SPIN_LIMIT, "grid barrier: the other programs of this launch never arrived")
    tl.debug_barrier()
