"""The nonlinearities of `rnn_sequence` inside kernels; NONLINEARITY is "tanh", "sigmoid" or "relu"."""

from __future__ import annotations

import triton
import triton.language as tl

from rnnlab_kernels.primitives import sigmoid, tanh


@triton.jit
def activate(x, NONLINEARITY: tl.constexpr, APPROX: tl.constexpr):
    """The nonlinearity of a float32 block; APPROX as in `primitives.tanh`."""
    if NONLINEARITY == "tanh":
        y = tanh(x, APPROX)
    elif NONLINEARITY == "sigmoid":
        y = sigmoid(x, APPROX)
    else:
        tl.static_assert(NONLINEARITY == "relu")
        y = tl.where(x < 0.0, 0.0, x)  # A maximum would turn NaN to 0.
    return y


@triton.jit
def preactivation_gradient(d_h, h, NONLINEARITY: tl.constexpr):
    """The gradient of a preactivation, given that of h, the nonlinearity's value there; float32 blocks."""
    if NONLINEARITY == "tanh":
        d_preact = d_h * (1.0 - h * h)
    elif NONLINEARITY == "sigmoid":
        d_preact = d_h * h * (1.0 - h)
    else:
        tl.static_assert(NONLINEARITY == "relu")
        d_preact = tl.where(h > 0.0, d_h, 0.0)
    return d_preact
