"""A PackedSequence as the padded sequence that the ops take, and back."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence


class Padded(NamedTuple):
    """The rows of a PackedSequence in its own order, the longest first.

    Attributes:
        x: [T, B, I], zero at padded steps.
        lengths: [B] int64 on x's device, or None if every row has T steps.
        places: [N] int64 on x's device, where each of the N packed steps stands in x.flatten(0, 1); None if
            every row has T steps, for then they stand in x's own order.
    """

    x: Tensor
    lengths: Tensor | None
    places: Tensor | None


def unpack(packed: PackedSequence) -> Padded:
    """Spread the packed steps [N, I] over [T, B, I].

    `batch_sizes` is on the CPU by PyTorch's rule, so the places are worked out there: one copy to the device,
    and nothing waits for it.
    """
    data, batch_sizes = packed.data, packed.batch_sizes
    T, B = len(batch_sizes), int(batch_sizes[0])
    if len(data) == T * B:
        return Padded(data.unflatten(0, (T, B)), None, None)
    valid = torch.arange(B) < batch_sizes[:, None]
    places = valid.flatten().nonzero().squeeze(1).to(data.device, non_blocking=True)
    lengths = valid.sum(0).to(data.device, non_blocking=True)
    x = data.new_zeros(T * B, *data.shape[1:]).index_copy(0, places, data)
    return Padded(x.unflatten(0, (T, B)), lengths, places)


def pack(output: Tensor, places: Tensor | None, like: PackedSequence) -> PackedSequence:
    """Gather [T, B, F] into a PackedSequence of the same rows and the same order as `like`."""
    data = output.flatten(0, 1)
    if places is not None:
        data = data.index_select(0, places)
    return PackedSequence(data, like.batch_sizes, like.sorted_indices, like.unsorted_indices)


def reorder(state: tuple[Tensor, ...], order: Tensor | None) -> tuple[Tensor, ...]:
    """Rows of each [L*D, B, H] in another order [B]; None leaves them as they are."""
    if order is None:
        return state
    return tuple(tensor.index_select(1, order) for tensor in state)
