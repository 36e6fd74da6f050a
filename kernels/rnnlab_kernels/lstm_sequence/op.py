"""`lstm_sequence`: the LSTM as an operator that autograd, torch.compile and torch.export know."""

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
    recurrent_products,
    recurrent_weight_gradient,
)
from rnnlab_kernels.lstm_sequence import reference
from rnnlab_kernels.time_steps import usable, zero_padding


class LSTMSequence(NamedTuple):
    """What `lstm_sequence` returns; shapes are given there."""

    output: Tensor
    h_n: Tensor
    c_n: Tensor
    gates: Tensor | None


def lstm_sequence(
    x: Tensor,
    weight_ih: Tensor | None,
    weight_hh: Tensor,
    bias: Tensor | None = None,
    h_0: Tensor | None = None,
    c_0: Tensor | None = None,
    lengths: Tensor | None = None,
    *,
    reverse: bool = False,
    precision: str = "tf32x3",
    lean: bool = False,
    return_gates: bool = False,
) -> LSTMSequence:
    """Run an LSTM, in one direction or both, over a batch of sequences.

    The equations are nn.LSTM's (see `reference`). T steps, B rows, I inputs, D directions (1 or 2), H units
    in heads of P: with P < H a unit reads the units of its own head alone. Everything is on x's device and in
    x's dtype (float16, bfloat16, float32, float64), or is cast where torch.autocast is on. Where no kernel
    runs (a CPU, float64), `reference` does. Gradients can be differentiated again (create_graph=True) outside
    torch.compile.

    Args:
        x: [T, B, I]; or, without weight_ih, the projected input [T, B, D*4H].
        weight_ih: [D, 4H, I], rows in blocks i, f, g, o; or None.
        weight_hh: [D, 4H, P], rows as in weight_ih.
        bias: [D, 4H], nn.LSTM's bias_ih + bias_hh; None is zero. For D = 1 the weights may be
            [4H, I], [4H, P], [4H].
        h_0: [D, B, H], initial hidden state; None is zero.
        c_0: [D, B, H], initial memory cell; None is zero. May be float32 with a 16-bit x.
        lengths: [B] integers in 0..T, or None for T. What x holds from there on is never used. On a GPU the
            range is not checked: the host does not wait for the device; beyond T counts as T.
        reverse: read each row from its last valid step to its first. With D = 2 the second direction does so
            anyway.
        precision: how float32 is multiplied by the recurrent weights in the kernels: "ieee" (exact),
            "tf32x3" (three tensor-core products, near exact), "tf32" (one, 10 bits of mantissa).
        lean: keep less for the backward pass, which then recomputes the gates: about a third more
            arithmetic. Needs weight_ih.
        return_gates: return the gates too, to look at; no gradient goes through them.

    Returns:
        output [T, B, D*H] (zero from each row's length on), h_n [D, B, H] and c_n [D, B, H] (in c_0's dtype)
        after each row's last step, the initial state for a row of length 0; gates [T, B, D*4H] (i, f, g, o
        of each direction after their nonlinearity, zero at padded steps) or None.

    Raises:
        ValueError: a shape, dtype, device or option does not fit.
    """
    if lean and weight_ih is None:
        raise ValueError(
            "lean must be False without weight_ih, got True; give x and weight_ih, or leave lean out"
        )
    if weight_hh.dim() == 2:
        weight_ih = None if weight_ih is None else weight_ih.unsqueeze(0)
        weight_hh = weight_hh.unsqueeze(0)
        bias = None if bias is None else bias.unsqueeze(0)
    wanted = autocast_dtype(x.device)
    x, weight_ih, weight_hh = cast(x, wanted), cast(weight_ih, wanted), cast(weight_hh, wanted)
    bias, h_0 = cast(bias, wanted), cast(h_0, wanted)
    check_input(x, precision)
    hidden_size = check_weights(x, weight_ih, weight_hh, bias, 4, reverse)
    if h_0 is None:
        h_0 = x.new_zeros(weight_hh.shape[0], x.shape[1], hidden_size)
    if c_0 is None:
        c_0 = x.new_zeros(weight_hh.shape[0], x.shape[1], hidden_size)
    check_state("h_0", h_0, x, weight_hh, hidden_size)
    check_state("c_0", c_0, x, weight_hh, hidden_size)
    if lengths is not None:
        check_lengths(lengths, x)
    inputs = (x, weight_ih, weight_hh, bias, h_0, c_0)
    learns = torch.is_grad_enabled() and any(each is not None and each.requires_grad for each in inputs)
    keeps = learns and not lean
    output, h_n, c_n, _, gates = _forward(
        x, weight_ih, weight_hh, bias, h_0, c_0, lengths, reverse, precision, keeps or return_gates, keeps
    )
    return LSTMSequence(output, h_n, c_n, gates if return_gates else None)


@torch.library.custom_op("rnnlab_kernels::lstm_sequence", mutates_args=())
def _forward(
    x: Tensor,
    weight_ih: Tensor | None,
    weight_hh: Tensor,
    bias: Tensor | None,
    h_0: Tensor,
    c_0: Tensor,
    lengths: Tensor | None,
    reverse: bool,
    precision: str,
    save_gates: bool,
    save_cells: bool,
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    check_range_of_lengths(lengths, x.shape[0])
    lengths = usable(lengths, x.shape[0])
    with without_autocast(x.device), made_current(x.device):
        x_proj = project(x, weight_ih, bias)
        run = _launcher(x).forward
        return run(x_proj, weight_hh, h_0, c_0, lengths, reverse, precision, save_gates, save_cells)


@torch.library.custom_op("rnnlab_kernels::lstm_sequence_backward", mutates_args=())
def _backward(
    d_output: Tensor,
    d_h_n: Tensor,
    d_c_n: Tensor,
    weight_hh: Tensor,
    c_0: Tensor,
    lengths: Tensor | None,
    cells: Tensor,
    gates: Tensor,
    reverse: bool,
    precision: str,
) -> tuple[Tensor, Tensor, Tensor]:
    lengths = usable(lengths, gates.shape[0])
    with without_autocast(gates.device), made_current(gates.device):
        run = _launcher(gates).backward
        return run(d_output, d_h_n, d_c_n, weight_hh, c_0, lengths, cells, gates, reverse, precision)


@torch.library.custom_op("rnnlab_kernels::lstm_sequence_replay", mutates_args=())
def _replay(preact: Tensor, c_0: Tensor, lengths: Tensor | None, reverse: bool) -> tuple[Tensor, Tensor]:
    lengths = usable(lengths, preact.shape[0])
    with without_autocast(preact.device), made_current(preact.device):
        return _launcher(preact).replay(preact, c_0, lengths, reverse)


@_forward.register_fake
def _(x, weight_ih, weight_hh, bias, h_0, c_0, lengths, reverse, precision, save_gates, save_cells):
    directions, rows, _ = weight_hh.shape
    shape = (x.shape[0], x.shape[1], directions * rows // 4)
    gates = x.new_empty((*shape[:2], directions * rows) if save_gates else 0)
    cells = x.new_empty(shape if save_cells else 0, dtype=_state_dtype(x))
    return x.new_empty(shape), h_0.new_empty(h_0.shape), c_0.new_empty(c_0.shape), cells, gates


@_backward.register_fake
def _(d_output, d_h_n, d_c_n, weight_hh, c_0, lengths, cells, gates, reverse, precision):
    d_state = c_0.new_empty(c_0.shape, dtype=_state_dtype(gates))
    return gates.new_empty(gates.shape), d_state, torch.empty_like(d_state)


@_replay.register_fake
def _(preact, c_0, lengths, reverse):
    cells = preact.new_empty(*preact.shape[:2], preact.shape[2] // 4, dtype=_state_dtype(preact))
    return cells, preact.new_empty(preact.shape)


def _remember(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:
    *tensors, ctx.reverse, ctx.precision, save_gates, save_cells = inputs
    hidden, _, _, cells, gates = output
    ctx.mark_non_differentiable(cells, gates)
    ctx.kept = save_gates and save_cells
    ctx.save_for_backward(*tensors, hidden, *((cells, gates) if ctx.kept else ()))


def _gradients(
    ctx: Any, d_output: Tensor, d_h_n: Tensor, d_c_n: Tensor, *_: Any
) -> tuple[Tensor | None, ...]:
    x, weight_ih, weight_hh, bias, h_0, c_0, lengths, output, *kept = ctx.saved_tensors
    options = (None,) * 5  # lengths, reverse, precision, save_gates, save_cells
    with without_autocast(x.device):
        if torch.is_grad_enabled() and not torch.compiler.is_compiling():

            def rerun(x, weight_ih, weight_hh, bias, h_0, c_0):
                x_proj = project(zero_padding(x, lengths), weight_ih, bias)
                run = reference.forward
                return run(x_proj, weight_hh, h_0, c_0, lengths, ctx.reverse, ctx.precision, False, False)[:3]

            inputs = (x, weight_ih, weight_hh, bias, h_0, c_0)
            return *differentiable_gradients(rerun, inputs, (d_output, d_h_n, d_c_n)), *options

        h_prev = previous_hidden(output, h_0, lengths, ctx.reverse)
        if kept:
            cells, gates = kept
        else:
            preact = project(x, weight_ih, bias) + recurrent_products(h_prev, weight_hh)
            cells, gates = _replay(preact, c_0, lengths, ctx.reverse)
        d_preact, d_h_0, d_c_0 = _backward(
            d_output, d_h_n, d_c_n, weight_hh, c_0, lengths, cells, gates, ctx.reverse, ctx.precision
        )
        needs = ctx.needs_input_grad
        d_weight_hh = recurrent_weight_gradient(d_preact, h_prev, weight_hh) if needs[2] else None
        d_x, d_weight_ih, d_bias = projection_gradients(
            d_preact, x, weight_ih, bias, lengths, (needs[0], needs[1], needs[3])
        )
        return d_x, d_weight_ih, d_weight_hh, d_bias, d_h_0.to(h_0.dtype), d_c_0.to(c_0.dtype), *options


_forward.register_autograd(_gradients, setup_context=_remember)


def _launcher(tensor: Tensor) -> Any:
    """The kernels where they run, else the reference."""
    if refusal(tensor.device, tensor.dtype) is not None:
        return reference
    from rnnlab_kernels.lstm_sequence import launch

    return launch


def _state_dtype(tensor: Tensor) -> torch.dtype:
    return torch.promote_types(tensor.dtype, torch.float32)
