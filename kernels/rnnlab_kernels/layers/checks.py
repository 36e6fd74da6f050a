"""What layers refuse before the ops see it; an error is one line: what was expected, what came, a remedy."""

from __future__ import annotations

import warnings
from numbers import Real

import torch
from torch import Tensor

from rnnlab_kernels.arguments import PRECISIONS
from rnnlab_kernels.autocast import autocast_dtype


def check_options(
    *,
    input_size: int,
    hidden_size: int,
    num_layers: int,
    bias: bool,
    batch_first: bool,
    dropout: float,
    bidirectional: bool,
    precision: str,
    heads: int,
) -> None:
    """Raise ValueError unless a layer can be made of these; warn of idle dropout, as nn.LSTM does."""
    sizes = {"input_size": input_size, "hidden_size": hidden_size, "num_layers": num_layers, "heads": heads}
    for name, size in sizes.items():
        if not isinstance(size, int) or isinstance(size, bool) or size < 1:
            raise ValueError(f"{name} must be a positive integer, got {size!r}; pass {name}=1 or more")
    # A number given by position often lands on these.
    for name, flag in {"bias": bias, "batch_first": batch_first, "bidirectional": bidirectional}.items():
        if not isinstance(flag, bool):
            raise ValueError(
                f"{name} must be True or False, got {flag!r}; pass the options after num_layers by name"
            )
    if not isinstance(dropout, Real) or isinstance(dropout, bool) or not 0 <= dropout <= 1:
        raise ValueError(
            f"dropout must be a number from 0 to 1, got {dropout!r}; it is the chance of zeroing a value"
        )
    if precision not in PRECISIONS:
        raise ValueError(
            f"precision must be one of {', '.join(PRECISIONS)}, got {precision!r}; leave it out for tf32x3"
        )
    if hidden_size % heads:
        divisors = [n for n in range(1, hidden_size + 1) if hidden_size % n == 0]
        nearest = min(divisors, key=lambda n: abs(n - heads))
        raise ValueError(
            f"heads must divide hidden_size={hidden_size}, got {heads}; the nearest is {nearest}"
        )
    if dropout > 0 and num_layers == 1:
        warnings.warn(
            f"dropout acts between layers, so that dropout={dropout} does nothing with num_layers=1",
            UserWarning,
            stacklevel=4,
        )


def check_input(input: Tensor, dims: tuple[int, ...], weight: Tensor, batch_first: bool) -> None:
    """Raise ValueError unless input has one of `dims` dimensions and fits the layer's first weight [rows, I].

    Its device is the layer's, and so is its dtype, unless autocast is on.
    """
    if input.dim() not in dims:
        layout = "[batch, time, features]" if batch_first else "[time, batch, features]"
        raise ValueError(
            f"input must have {' or '.join(map(str, dims))} dimensions, got {list(input.shape)}; "
            f"give it as {layout}, or one sequence as [time, features]"
        )
    if input.shape[-1] != weight.shape[1]:
        raise ValueError(
            f"input must have input_size={weight.shape[1]} features in its last dimension, "
            f"got {list(input.shape)}; make the layer with input_size={input.shape[-1]}"
        )
    if input.device != weight.device:
        raise ValueError(
            f"input must be on {weight.device} as the layer is, got {input.device}; "
            f"use input.to({str(weight.device)!r})"
        )
    if input.dtype != weight.dtype and autocast_dtype(input.device) is None:
        raise ValueError(
            f"input must be {weight.dtype} as the layer is, got {input.dtype}; "
            f"use input.to({weight.dtype}) or layer.to({input.dtype})"
        )


def check_state(name: str, state: Tensor, shape: tuple[int, ...], x: Tensor) -> None:
    """Raise ValueError unless one tensor of the initial state has `shape`, [L*D, B, H] or [L*D, H].

    Its device and dtype are x's. c_0 may be float32 beside a 16-bit x; under autocast the op checks dtypes.
    """
    if tuple(state.shape) != shape:
        axes = "batch, hidden_size" if len(shape) == 3 else "hidden_size"
        raise ValueError(
            f"{name} must be [num_layers * directions, {axes}] = {list(shape)}, got {list(state.shape)}; "
            "leave hx out to start from zeros"
        )
    if state.device != x.device:
        raise ValueError(
            f"{name} must be on {x.device} as input is, got {state.device}; use {name}.to({str(x.device)!r})"
        )
    wide = name == "c_0" and state.dtype == torch.float32 and x.dtype in (torch.float16, torch.bfloat16)
    if state.dtype != x.dtype and not wide and autocast_dtype(x.device) is None:
        raise ValueError(f"{name} must be {x.dtype} as input is, got {state.dtype}; use {name}.to({x.dtype})")
