"""Products with a recurrent weight that may be block-diagonal: each head of P units reads only itself.

A weight of one direction is [G*H, P]: G blocks of rows (4 gates for an LSTM, 1 for an RNN), in each the H
units head by head, N = H / P heads. With P = H it is the usual dense weight.
"""

from __future__ import annotations

import torch
from torch import Tensor


def recurrent_product(h: Tensor, weight: Tensor) -> Tensor:
    """Return [..., G*H], the weight [G*H, P] times the hidden state h [..., H]."""
    blocks = _blocks(weight, h.shape[-1])
    return torch.einsum("...nk,gnuk->...gnu", _by_head(h, weight), blocks).flatten(-3)


def recurrent_gradient(d_preact: Tensor, weight: Tensor, hidden_size: int) -> Tensor:
    """Return [..., H], the transposed weight times d_preact [..., G*H]: the gradient of h above."""
    blocks = _blocks(weight, hidden_size)
    return torch.einsum("...gnu,gnuk->...nk", d_preact.unflatten(-1, blocks.shape[:3]), blocks).flatten(-2)


def weight_gradient(d_preact: Tensor, h: Tensor, weight: Tensor) -> Tensor:
    """Return [G*H, P], the gradient of the weight, for d_preact [T, B, G*H] and h [T, B, H]."""
    blocks = _blocks(weight, h.shape[-1])
    by_unit = d_preact.unflatten(-1, blocks.shape[:3])
    return torch.einsum("tbgnu,tbnk->gnuk", by_unit, _by_head(h, weight)).reshape(weight.shape)


def _blocks(weight: Tensor, hidden_size: int) -> Tensor:
    """View [G*H, P] as [G, N, P, P]: block, head, unit, the unit it reads."""
    rows, head_size = weight.shape
    return weight.reshape(rows // hidden_size, hidden_size // head_size, head_size, head_size)


def _by_head(h: Tensor, weight: Tensor) -> Tensor:
    head_size = weight.shape[-1]
    return h.unflatten(-1, (h.shape[-1] // head_size, head_size))
