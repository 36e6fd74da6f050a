"""The products around the loop over time: the input's projection before it, the weights' gradients after it.

None of them depends on the step before, so each is one product over all steps, and sums in a fixed order:
two runs give the same bits. G is 4 for an LSTM, 1 for an RNN.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from rnnlab_kernels.heads import recurrent_gradient, recurrent_product, weight_gradient
from rnnlab_kernels.time_steps import zero_padding

Tensors = tuple[Tensor | None, ...]


def project(x: Tensor, weight_ih: Tensor | None, bias: Tensor | None) -> Tensor:
    """Return [T, B, D*GH]: x [T, B, I] (times weight_ih [D, GH, I], if given) plus bias [D, GH]."""
    if weight_ih is None:
        return x if bias is None else x + bias.flatten()
    rows, weight = x.flatten(0, 1), weight_ih.flatten(0, 1).t()
    projected = rows @ weight if bias is None else torch.addmm(bias.flatten(), rows, weight)
    return projected.unflatten(0, x.shape[:2])


def previous_hidden(output: Tensor, h_0: Tensor, lengths: Tensor | None, reverse: bool) -> Tensor:
    """Return [T, B, D*H], the hidden state that each step read; something finite at padded steps.

    It is `output` [T, B, D*H], moved by one step in the direction of reading, and h_0 [D, B, H] at each
    row's first step, which is length - 1 in a direction that reads backwards.
    """
    directions = zip(output.chunk(len(h_0), dim=-1), h_0, strict=True)
    shifted = [
        _shift_back(out, first, lengths) if reverse or d == 1 else _shift(out, first, lengths)
        for d, (out, first) in enumerate(directions)
    ]
    return torch.cat(shifted, dim=-1)


def recurrent_products(h_prev: Tensor, weight_hh: Tensor) -> Tensor:
    """Return [T, B, D*GH]: each direction's weight_hh times h_prev [T, B, D*H], for all steps at once."""
    pairs = zip(h_prev.chunk(len(weight_hh), dim=-1), weight_hh, strict=True)
    return torch.cat([recurrent_product(h, weight) for h, weight in pairs], dim=-1)


def initial_hidden_gradient(
    d_preact: Tensor, d_h_n: Tensor, weight_hh: Tensor, lengths: Tensor | None, reverse: bool
) -> Tensor:
    """Return [D, B, H] in float32, the gradient of h_0: what each row's first step passes back.

    For d_preact [T, B, D*GH], zero at padded steps, and d_h_n [D, B, H], which a row of length 0 hands on.
    """
    directions, _, hidden_size = d_h_n.shape
    gradients = []
    for d, d_steps in enumerate(d_preact.chunk(directions, dim=-1)):
        first = d_steps[-1 if reverse or d == 1 else 0]
        if lengths is not None and (reverse or d == 1):
            last = (lengths.clamp(max=len(d_steps)) - 1).clamp(min=0)
            first = d_steps.gather(0, last[None, :, None].expand(1, -1, d_steps.shape[-1]).long())[0]
        gradient = recurrent_gradient(first.float(), weight_hh[d].float(), hidden_size)
        if lengths is not None:
            gradient = torch.where((lengths > 0)[:, None], gradient, d_h_n[d].float())
        gradients.append(gradient)
    return torch.stack(gradients)


def recurrent_weight_gradient(d_preact: Tensor, h_prev: Tensor, weight_hh: Tensor) -> Tensor:
    """Return [D, GH, P] for d_preact [T, B, D*GH] and h_prev [T, B, D*H]."""
    d_preacts, h_prevs = d_preact.chunk(len(weight_hh), dim=-1), h_prev.chunk(len(weight_hh), dim=-1)
    return torch.stack(
        [weight_gradient(d, h, weight) for d, h, weight in zip(d_preacts, h_prevs, weight_hh, strict=True)]
    )


def projection_gradients(
    d_preact: Tensor,
    x: Tensor,
    weight_ih: Tensor | None,
    bias: Tensor | None,
    lengths: Tensor | None,
    needed: Sequence[bool],
) -> Tensors:
    """Return the gradients of x, weight_ih and bias in `project`, each where `needed`, else None.

    d_preact [T, B, D*GH] must be zero at padded steps; x may hold anything there. The bias is summed in
    float32.
    """
    d_x, d_weight, d_bias = None, None, None
    rows = d_preact.flatten(0, 1)
    if needed[0]:
        d_x = d_preact if weight_ih is None else (rows @ weight_ih.flatten(0, 1)).unflatten(0, x.shape[:2])
    if needed[1] and weight_ih is not None:
        d_weight = (rows.t() @ zero_padding(x, lengths).flatten(0, 1)).reshape(weight_ih.shape)
    if needed[2] and bias is not None:
        dtype = torch.promote_types(rows.dtype, torch.float32)
        d_bias = rows.sum(0, dtype=dtype).to(bias.dtype).reshape(bias.shape)
    return d_x, d_weight, d_bias


def differentiable_gradients(
    run: Callable[..., tuple[Tensor, ...]], inputs: Tensors, d_results: tuple[Tensor, ...]
) -> Tensors:
    """Return the gradients of `run(*inputs)`, to be differentiated again if wanted; None for what needs none.

    `run` must be made of torch's own operations. It is given aliases of the inputs: where one input was
    computed from another (h_0 from x, say), gradients must stop at the inputs, for the caller carries them
    on from there.
    """
    aliases = [None if tensor is None else tensor.view_as(tensor) for tensor in inputs]
    results = run(*aliases)
    wanted = [alias for alias in aliases if alias is not None and alias.requires_grad]
    gradients = iter(torch.autograd.grad(results, wanted, d_results, create_graph=True))
    return tuple(next(gradients) if alias is not None and alias.requires_grad else None for alias in aliases)


def _shift(output: Tensor, h_0: Tensor, lengths: Tensor | None) -> Tensor:
    """h_{t-1} of output [T, B, H], read forwards."""
    first = h_0 if lengths is None else torch.where((lengths > 0)[:, None], h_0, 0.0)
    return torch.cat([first[None], output[:-1]])


def _shift_back(output: Tensor, h_0: Tensor, lengths: Tensor | None) -> Tensor:
    """h_{t+1} of output [T, B, H], read backwards."""
    if lengths is None:
        return torch.cat([output[1:], h_0[None]])
    seq_len = output.shape[0]
    shifted = torch.cat([output[1:], torch.zeros_like(output[:1])])
    # Lengths on a GPU are not checked, as that would wait for it: there, a length beyond T counts as T.
    first = torch.arange(seq_len, device=lengths.device)[:, None] == lengths.clamp(max=seq_len) - 1
    return torch.where(first.unsqueeze(-1), h_0, shifted)
