"""From the encoder's final state to the decoder's initial state."""

from __future__ import annotations

from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn

from rnnlab.api import InputError, Stack, State


class StateShape(NamedTuple):
    """Shape of a stack's state.

    Attributes:
        layers: L.
        directions: D, 1 or 2.
        sizes: S of each state tensor [L*D, B, S].
    """

    layers: int
    directions: int
    sizes: tuple[int, ...]

    @classmethod
    def of(cls, stack: Stack) -> StateShape:
        """The shape of `stack`'s state."""
        return cls(stack.num_layers, stack.num_directions, stack.state_sizes)


class CopyBridge(nn.Module):
    """The final state itself; the two directions of a layer are concatenated."""

    def __init__(self, encoder: StateShape) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, state: State) -> State:
        """Encoder states [L*D, B, S] to decoder states [L, B, D*S]."""
        return tuple(self._join(tensor) for tensor in state)

    def _join(self, tensor: Tensor) -> Tensor:
        by_layer = tensor.unflatten(0, (self.encoder.layers, self.encoder.directions))
        return by_layer.transpose(1, 2).flatten(2)


class LinearBridge(nn.Module):
    """tanh(W s + b), where s is the encoder's whole final state, all layers, directions and tensors of it.

    So it fits between cells of any kind, size and depth: every decoder state reads all that the encoder ended
    with, as the initial state of Bahdanau et al. (2015) does with one layer.
    """

    def __init__(self, encoder: StateShape, decoder: StateShape) -> None:
        super().__init__()
        self.decoder = decoder
        read = encoder.layers * encoder.directions * sum(encoder.sizes)
        self.linear = nn.Linear(read, decoder.layers * sum(decoder.sizes))

    def forward(self, state: State) -> State:
        """Encoder states [L*D, B, S] to decoder states [L', B, S']."""
        read = torch.cat([tensor.transpose(0, 1).flatten(1) for tensor in state], dim=-1)
        made = torch.tanh(self.linear(read)).unflatten(-1, (self.decoder.layers, -1)).transpose(0, 1)
        return tuple(tensor.contiguous() for tensor in made.split(self.decoder.sizes, dim=-1))


def make_bridge(
    kind: Literal["auto", "copy", "linear"], encoder: StateShape, decoder: StateShape
) -> nn.Module:
    """A bridge; `auto` copies where the states fit and else takes the linear one.

    Raises:
        InputError: `copy` is asked for and the states do not fit.
    """
    joined = tuple(encoder.directions * size for size in encoder.sizes)
    fits = encoder.layers == decoder.layers and joined == decoder.sizes
    if kind == "copy" and not fits:
        raise InputError(
            f"task.bridge 'copy' needs equal states, got {encoder.layers} layer(s) of {joined} in the "
            f"encoder and {decoder.layers} of {decoder.sizes} in the decoder; use task.bridge=linear"
        )
    return CopyBridge(encoder) if fits and kind != "linear" else LinearBridge(encoder, decoder)
