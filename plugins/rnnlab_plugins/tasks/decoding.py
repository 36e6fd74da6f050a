"""Greedy decoding."""

from __future__ import annotations

from collections.abc import Callable
from itertools import takewhile

import torch
from torch import Tensor

from rnnlab.api import State

DecoderStep = Callable[[Tensor, State], tuple[Tensor, State]]
"""(last tokens [B], state) -> (logits [B, V], next state)."""


def greedy_decode(
    step: DecoderStep, state: State, limits: Tensor, bos_id: int, eos_id: int
) -> list[list[int]]:
    """Feed each row its own likeliest token, from bos until eos or its limit; ends when every row has.

    What a row answers does not depend on the rows beside it.

    Args:
        step: one step of the decoder.
        state: its initial state, each [L, B, S].
        limits: most tokens per row [B] int64, 1 or more.
        bos_id: fed first.
        eos_id: ends a row.

    Returns:
        Token ids of each row, without bos and eos.
    """
    tokens = torch.full_like(limits, bos_id)
    ended = torch.zeros_like(limits, dtype=torch.bool)
    steps: list[Tensor] = []
    while not ended.all():
        logits, state = step(tokens, state)
        tokens = logits.argmax(-1).masked_fill(ended, eos_id)
        steps.append(tokens)
        ended = (tokens == eos_id) | (limits <= len(steps))
    return [list(takewhile(lambda token: token != eos_id, row)) for row in torch.stack(steps, 1).tolist()]
