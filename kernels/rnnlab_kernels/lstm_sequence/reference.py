"""What `lstm_sequence` means, as plain loops over time: any floating dtype, any device.

    i_t = sigmoid(x_proj_i + W_hi h_{t-1})      input gate
    f_t = sigmoid(x_proj_f + W_hf h_{t-1})      forget gate
    g_t = tanh   (x_proj_g + W_hg h_{t-1})      cell candidate
    o_t = sigmoid(x_proj_o + W_ho h_{t-1})      output gate
    c_t = f_t * c_{t-1} + i_t * g_t             memory cell
    h_t = o_t * tanh(c_t)

Hochreiter and Schmidhuber (1997), with the forget gate of Gers et al. (2000); x_proj is W_i x_t + b. At a
padded step (t >= length) a row holds h and c. 16-bit inputs are computed on in float32. The kernels are
checked against these functions, take the same arguments, and are stood in for by them where they cannot run.

Sizes: T steps, B rows, D directions, H units, N = H / P heads of P units.
"""

from __future__ import annotations

import torch
from torch import Tensor

from rnnlab_kernels.heads import recurrent_gradient, recurrent_product
from rnnlab_kernels.time_steps import hold, in_time, reading_order, valid_steps, zero_padding


def forward(
    x_proj: Tensor,
    weight_hh: Tensor,
    h_0: Tensor,
    c_0: Tensor,
    lengths: Tensor | None,
    reverse: bool,
    precision: str,
    save_gates: bool,
    save_cells: bool,
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Run an LSTM over projected inputs; autograd goes through.

    Args:
        x_proj: [T, B, D*4H], the input's share of the gates before their nonlinearity, i, f, g, o.
        weight_hh: [D, 4H, P].
        h_0, c_0: [D, B, H]; c_0 may be float32 with 16-bit x_proj.
        lengths: [B] integers in 0..T, or None.
        reverse: read each row from its last valid step to its first. The second direction always does.
        precision: taken for the kernels' sake; the products here are torch's.
        save_gates, save_cells: whether to return them.

    Returns:
        output [T, B, D*H], h_n [D, B, H] and c_n [D, B, H] (c_0's dtype), cells [T, B, D*H] (at least
        float32, the held cell at padded steps), gates [T, B, D*4H] (i, f, g, o after their nonlinearity).
        output and gates are zero at padded steps. cells and gates are of shape [0] when they are not saved.
    """
    dtype = _state_dtype(x_proj)
    x_proj = zero_padding(x_proj, lengths)
    valid = valid_steps(x_proj.shape[0], lengths)
    outputs, last_h, last_c, cells, gates = [], [], [], [], []
    for d, projected in enumerate(x_proj.chunk(len(weight_hh), dim=-1)):
        weight, h, c = weight_hh[d].to(dtype), h_0[d].to(dtype), c_0[d].to(dtype)
        h_steps, c_steps, gate_steps = {}, {}, {}
        for t in reading_order(len(projected), reverse or d == 1):
            gates_t = _activate(projected[t] + recurrent_product(h, weight))
            i, f, g, o = gates_t.chunk(4, dim=-1)
            c_t = f * c + i * g
            h_t = o * c_t.tanh()
            h, c = hold(valid, t, h_t, h), hold(valid, t, c_t, c)
            h_steps[t] = h
            if save_cells:
                c_steps[t] = c
            if save_gates:
                gate_steps[t] = gates_t
        outputs.append(in_time(h_steps))
        last_h.append(h)
        last_c.append(c)
        if save_cells:
            cells.append(in_time(c_steps))
        if save_gates:
            gates.append(in_time(gate_steps))
    return (
        zero_padding(torch.cat(outputs, dim=-1), lengths).to(x_proj.dtype),
        torch.stack(last_h).to(h_0.dtype),
        torch.stack(last_c).to(c_0.dtype),
        torch.cat(cells, dim=-1) if save_cells else x_proj.new_empty(0, dtype=dtype),
        zero_padding(torch.cat(gates, dim=-1), lengths).to(x_proj.dtype)
        if save_gates
        else x_proj.new_empty(0),
    )


def backward(
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
    """Backpropagation through time (Werbos 1990), down to the gates before their nonlinearity.

        d_h   += d_output_t                         d_c   += d_h * o * (1 - tanh(c_t)^2)
        d_i    = d_c * g * i * (1 - i)              d_f    = d_c * c_{t-1} * f * (1 - f)
        d_g    = d_c * i * (1 - g^2)                d_o    = d_h * tanh(c_t) * o * (1 - o)
        d_h    = W_hh^T d_preact_t                  d_c    = d_c * f

    The gradients of weights and inputs are products of d_preact, to be taken once, after the loop.

    Args:
        d_output, d_h_n, d_c_n: gradients of the results of `forward`, in their shapes.
        weight_hh, c_0, lengths, reverse, precision: as in `forward`.
        cells, gates: what `forward` saved.

    Returns:
        d_preact [T, B, D*4H] in the dtype of gates, zero at padded steps; d_h_0 and d_c_0 [D, B, H], at
        least float32.
    """
    dtype = _state_dtype(gates)
    directions, rows, _ = weight_hh.shape
    d_output = zero_padding(d_output, lengths)
    seq_len = len(d_output)
    valid = valid_steps(seq_len, lengths)
    d_preacts, d_h_0, d_c_0 = [], [], []
    for d in range(directions):
        backwards = reverse or d == 1
        weight, first_c = weight_hh[d].to(dtype), c_0[d].to(dtype)
        d_out, c, gate = (each.chunk(directions, dim=-1)[d].to(dtype) for each in (d_output, cells, gates))
        d_h, d_c = d_h_n[d].to(dtype), d_c_n[d].to(dtype)
        d_steps = {}
        for t in reversed(reading_order(seq_len, backwards)):
            i, f, g, o = gate[t].chunk(4, dim=-1)
            before = t + 1 if backwards else t - 1
            c_prev = c[before] if 0 <= before < seq_len else first_c
            tanh_c = c[t].tanh()
            d_h_t = d_h + d_out[t]
            d_c_t = d_c + d_h_t * o * (1 - tanh_c**2)
            d_i = d_c_t * g * i * (1 - i)
            d_f = d_c_t * c_prev * f * (1 - f)
            d_g = d_c_t * i * (1 - g**2)
            d_o = d_h_t * tanh_c * o * (1 - o)
            d_steps[t] = torch.cat([d_i, d_f, d_g, d_o], dim=-1)
            d_h = hold(valid, t, recurrent_gradient(d_steps[t], weight, rows // 4), d_h)
            d_c = hold(valid, t, d_c_t * f, d_c)
        d_preacts.append(in_time(d_steps))
        d_h_0.append(d_h)
        d_c_0.append(d_c)
    d_preact = zero_padding(torch.cat(d_preacts, dim=-1), lengths).to(gates.dtype)
    return d_preact, torch.stack(d_h_0), torch.stack(d_c_0)


def replay(preact: Tensor, c_0: Tensor, lengths: Tensor | None, reverse: bool) -> tuple[Tensor, Tensor]:
    """Recompute what `forward` did not save, with no product: elementwise along time.

    Args:
        preact: [T, B, D*4H], the gates before their nonlinearity.
        c_0, lengths, reverse: as in `forward`.

    Returns:
        cells [T, B, D*H] and gates [T, B, D*4H], as from `forward`.
    """
    dtype = _state_dtype(preact)
    valid = valid_steps(len(preact), lengths)
    gates = [_activate(each.to(dtype)) for each in zero_padding(preact, lengths).chunk(len(c_0), dim=-1)]
    cells = []
    for d, gate in enumerate(gates):
        c, c_steps = c_0[d].to(dtype), {}
        for t in reading_order(len(gate), reverse or d == 1):
            i, f, g, _ = gate[t].chunk(4, dim=-1)
            c = hold(valid, t, f * c + i * g, c)
            c_steps[t] = c
        cells.append(in_time(c_steps))
    return torch.cat(cells, dim=-1), zero_padding(torch.cat(gates, dim=-1), lengths).to(preact.dtype)


def _activate(preact: Tensor) -> Tensor:
    i, f, g, o = preact.chunk(4, dim=-1)
    return torch.cat([i.sigmoid(), f.sigmoid(), g.tanh(), o.sigmoid()], dim=-1)


def _state_dtype(tensor: Tensor) -> torch.dtype:
    return torch.promote_types(tensor.dtype, torch.float32)
