"""`rnn_sequence`: the Elman RNN as an operator that autograd, torch.compile and torch.export know."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor

from rnnlab_kernels.arguments import (
    check_input,
    check_lengths,
    check_range_of_lengths,
    check_state,
    check_weights,
)
from rnnlab_kernels.autocast import autocast_dtype, cast, without_autocast
from rnnlab_kernels.device import made_current, refusal
from rnnlab_kernels.gradients import (
    differentiable_gradients,
    previous_hidden,
    project,
    projection_gradients,
    recurrent_weight_gradient,
)
from rnnlab_kernels.rnn_sequence import reference
from rnnlab_kernels.time_steps import usable, zero_padding


class RNNSequence(NamedTuple):
    """What `rnn_sequence` returns; shapes are given there."""

    output: Tensor
    h_n: Tensor


def rnn_sequence(
    x: Tensor,
    weight_ih: Tensor | None,
    weight_hh: Tensor,
    bias: Tensor | None = None,
    h_0: Tensor | None = None,
    lengths: Tensor | None = None,
    *,
    nonlinearity: str = "tanh",
    reverse: bool = False,
    precision: str = "tf32x3",
) -> RNNSequence:
    """Run an RNN, in one direction or both, over a batch of sequences.

    The equation is nn.RNN's (see `reference`), with the sigmoid besides. T steps, B rows, I inputs, D
    directions (1 or 2), H units in heads of P: with P < H a unit reads the units of its own head alone.
    Everything is on x's device and in x's dtype (float16, bfloat16, float32, float64), or is cast where
    torch.autocast is on. Where no kernel runs (a CPU, float64), `reference` does. Gradients can be
    differentiated again (create_graph=True) outside torch.compile.

    Args:
        x: [T, B, I]; or, without weight_ih, the projected input [T, B, D*H].
        weight_ih: [D, H, I], or None.
        weight_hh: [D, H, P].
        bias: [D, H], nn.RNN's bias_ih + bias_hh; None is zero. For D = 1 the weights may be
            [H, I], [H, P], [H].
        h_0: [D, B, H], initial hidden state; None is zero.
        lengths: [B] integers in 0..T, or None for T. What x holds from there on is never used. On a GPU the
            range is not checked: the host does not wait for the device; beyond T counts as T.
        nonlinearity: "tanh", "sigmoid" or "relu".
        reverse: read each row from its last valid step to its first. With D = 2 the second direction does so
            anyway.
        precision: how float32 is multiplied by the recurrent weights in the kernels: "ieee" (exact),
            "tf32x3" (three tensor-core products, near exact), "tf32" (one, 10 bits of mantissa).

    Returns:
        output [T, B, D*H] (zero from each row's length on), h_n [D, B, H] after each row's last step, the
        initial state for a row of length 0.

    Raises:
        ValueError: a shape, dtype, device or option does not fit.
    """
    if nonlinearity not in reference.NONLINEARITIES:
        known = ", ".join(reference.NONLINEARITIES)
        raise ValueError(f"nonlinearity must be one of {known}, got {nonlinearity!r}; choose one of them")
    if weight_hh.dim() == 2:
        weight_ih = None if weight_ih is None else weight_ih.unsqueeze(0)
        weight_hh = weight_hh.unsqueeze(0)
        bias = None if bias is None else bias.unsqueeze(0)
    wanted = autocast_dtype(x.device)
    x, weight_ih, weight_hh = cast(x, wanted), cast(weight_ih, wanted), cast(weight_hh, wanted)
    bias, h_0 = cast(bias, wanted), cast(h_0, wanted)
    check_input(x, precision)
    hidden_size = check_weights(x, weight_ih, weight_hh, bias, 1, reverse)
    if h_0 is None:
        h_0 = x.new_zeros(weight_hh.shape[0], x.shape[1], hidden_size)
    check_state("h_0", h_0, x, weight_hh, hidden_size)
    if lengths is not None:
        check_lengths(lengths, x)
    return RNNSequence(
        *_forward(x, weight_ih, weight_hh, bias, h_0, lengths, nonlinearity, reverse, precision)
    )


@torch.library.custom_op("rnnlab_kernels::rnn_sequence", mutates_args=())
def _forward(
    x: Tensor,
    weight_ih: Tensor | None,
    weight_hh: Tensor,
    bias: Tensor | None,
    h_0: Tensor,
    lengths: Tensor | None,
    nonlinearity: str,
    reverse: bool,
    precision: str,
) -> tuple[Tensor, Tensor]:
    check_range_of_lengths(lengths, x.shape[0])
    lengths = usable(lengths, x.shape[0])
    with without_autocast(x.device), made_current(x.device):
        x_proj = project(x, weight_ih, bias)
        return _launcher(x).forward(x_proj, weight_hh, h_0, lengths, nonlinearity, reverse, precision)


@torch.library.custom_op("rnnlab_kernels::rnn_sequence_backward", mutates_args=())
def _backward(
    d_output: Tensor,
    d_h_n: Tensor,
    weight_hh: Tensor,
    lengths: Tensor | None,
    output: Tensor,
    nonlinearity: str,
    reverse: bool,
    precision: str,
) -> tuple[Tensor, Tensor]:
    lengths = usable(lengths, output.shape[0])
    with without_autocast(output.device), made_current(output.device):
        run = _launcher(output).backward
        return run(d_output, d_h_n, weight_hh, lengths, output, nonlinearity, reverse, precision)


@_forward.register_fake
def _(x, weight_ih, weight_hh, bias, h_0, lengths, nonlinearity, reverse, precision):
    directions, hidden_size, _ = weight_hh.shape
    return x.new_empty(x.shape[0], x.shape[1], directions * hidden_size), h_0.new_empty(h_0.shape)


@_backward.register_fake
def _(d_output, d_h_n, weight_hh, lengths, output, nonlinearity, reverse, precision):
    dtype = torch.promote_types(output.dtype, torch.float32)
    return output.new_empty(output.shape), d_h_n.new_empty(d_h_n.shape, dtype=dtype)


def _remember(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor]) -> None:
    *tensors, ctx.nonlinearity, ctx.reverse, ctx.precision = inputs
    ctx.save_for_backward(*tensors, output[0])


def _gradients(ctx: Any, d_output: Tensor, d_h_n: Tensor) -> tuple[Tensor | None, ...]:
    x, weight_ih, weight_hh, bias, h_0, lengths, output = ctx.saved_tensors
    settings = (ctx.nonlinearity, ctx.reverse, ctx.precision)
    options = (None,) * 4  # lengths and the settings
    with without_autocast(x.device):
        if torch.is_grad_enabled() and not torch.compiler.is_compiling():

            def rerun(x, weight_ih, weight_hh, bias, h_0):
                x_proj = project(zero_padding(x, lengths), weight_ih, bias)
                return reference.forward(x_proj, weight_hh, h_0, lengths, *settings)

            inputs = (x, weight_ih, weight_hh, bias, h_0)
            return *differentiable_gradients(rerun, inputs, (d_output, d_h_n)), *options

        d_preact, d_h_0 = _backward(d_output, d_h_n, weight_hh, lengths, output, *settings)
        needs = ctx.needs_input_grad
        d_weight_hh = None
        if needs[2]:
            h_prev = previous_hidden(output, h_0, lengths, ctx.reverse)
            d_weight_hh = recurrent_weight_gradient(d_preact, h_prev, weight_hh)
        d_x, d_weight_ih, d_bias = projection_gradients(
            d_preact, x, weight_ih, bias, lengths, (needs[0], needs[1], needs[3])
        )
        return d_x, d_weight_ih, d_weight_hh, d_bias, d_h_0.to(h_0.dtype), *options


_forward.register_autograd(_gradients, setup_context=_remember)


def _launcher(tensor: Tensor) -> Any:
    """The kernels where they run, else the reference."""
    if refusal(tensor.device, tensor.dtype) is not None:
        return reference
    from rnnlab_kernels.rnn_sequence import launch

    return launch
