"""Attention of the decoder over the source."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from rnnlab_plugins.tasks.padding import step_mask


class Memory(NamedTuple):
    """The source as attention sees it.

    Attributes:
        values: the encoder's hidden states [B, T, E].
        keys: what queries are compared with [B, T, H].
        mask: True at valid steps [B, 1, T].
    """

    values: Tensor
    keys: Tensor
    mask: Tensor


class LuongAttention(nn.Module):
    """Global attention with the "general" score (Luong, Pham and Manning 2015, sections 3.1 and 3).

    score(h_t, s) = h_t^T W_a s, a_t = softmax of it over the valid source steps, c_t = sum of a_t(s) s, and
    the output is tanh(W_c [c_t; h_t]). It follows the recurrence and feeds nothing back into it (no input
    feeding), so that with the target known the decoder runs over all its steps at once.
    """

    def __init__(self, query_size: int, memory_size: int) -> None:
        super().__init__()
        self.key = nn.Linear(memory_size, query_size, bias=False)
        self.combine = nn.Linear(memory_size + query_size, query_size, bias=False)

    def remember(self, output: Tensor, lengths: Tensor) -> Memory:
        """Make ready to attend to a source, once for all queries.

        Args:
            output: the encoder's hidden states [T, B, E].
            lengths: valid steps per row [B].
        """
        values = output.transpose(0, 1)
        return Memory(values, self.key(values), step_mask(lengths, output.shape[0]).T[:, None])

    def forward(self, query: Tensor, memory: Memory) -> tuple[Tensor, Tensor]:
        """Attend from each of M decoder steps.

        Args:
            query: the decoder's hidden states [M, B, H].
            memory: the source.

        Returns:
            The attentional hidden states [M, B, H] and the weights [B, M, T]: zero at padding, each row
            summing to 1, or all zero for a source of length 0.
        """
        queries = query.transpose(0, 1)
        scores = queries @ memory.keys.transpose(1, 2)
        # The lowest finite score, not -inf: a source of length 0 must not become NaN.
        scores = scores.masked_fill(~memory.mask, torch.finfo(scores.dtype).min)
        weights = scores.softmax(-1).masked_fill(~memory.mask, 0.0)
        attended = torch.tanh(self.combine(torch.cat([weights @ memory.values, queries], dim=-1)))
        return attended.transpose(0, 1), weights
