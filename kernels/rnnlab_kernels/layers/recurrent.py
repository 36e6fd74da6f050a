"""What LSTM and RNN share: parameters, checks, and the walk through the layers."""

from __future__ import annotations

import math
import warnings
from typing import ClassVar, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from rnnlab_kernels.autocast import autocast_dtype
from rnnlab_kernels.device import refusal
from rnnlab_kernels.layers.checks import check_input, check_options, check_state
from rnnlab_kernels.layers.packed import pack, reorder, unpack

_told: set[str] = set()
"""Kinds of device for which the user has been told that kernels do not run there."""


class Weights(NamedTuple):
    """One layer's weights as the ops take them, K blocks of rows (4 for an LSTM, 1 for an RNN).

    With two directions each has a leading dimension of 2; the bias is the sum of the layer's two.
    """

    weight_ih: Tensor
    weight_hh: Tensor
    bias: Tensor | None


class Recurrent(nn.Module):
    """A stack of recurrent layers with nn.LSTM's parameters: names, shapes, order and initial values.

    Class attributes:
        blocks: blocks of hidden_size rows in each weight, one a gate.
        state_names: the state's tensors, in the order in which `forward` takes and gives them.
    """

    blocks: ClassVar[int]
    state_names: ClassVar[tuple[str, ...]]
    weight_ih_l0: nn.Parameter

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int,
        bias: bool,
        batch_first: bool,
        dropout: float,
        bidirectional: bool,
        device: torch.device | str | int | None,
        dtype: torch.dtype | None,
        precision: str,
        heads: int,
    ) -> None:
        super().__init__()
        check_options(
            input_size=input_size,
            hidden_size=hidden_size,
            num_layers=num_layers,
            bias=bias,
            batch_first=batch_first,
            dropout=dropout,
            bidirectional=bidirectional,
            precision=precision,
            heads=heads,
        )
        self.input_size, self.hidden_size, self.num_layers = input_size, hidden_size, num_layers
        self.bias, self.batch_first, self.dropout = bias, batch_first, float(dropout)
        self.bidirectional, self.precision, self.heads = bidirectional, precision, heads
        rows = self.blocks * hidden_size
        for layer in range(num_layers):
            width = input_size if layer == 0 else len(self._suffixes) * hidden_size
            for suffix in self._suffixes:
                shapes: dict[str, tuple[int, ...]] = {
                    "weight_ih": (rows, width),
                    "weight_hh": (rows, hidden_size // heads),
                }
                if bias:
                    shapes |= {"bias_ih": (rows,), "bias_hh": (rows,)}
                for name, shape in shapes.items():
                    parameter = nn.Parameter(torch.empty(shape, device=device, dtype=dtype))
                    self.register_parameter(f"{name}_l{layer}{suffix}", parameter)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw every parameter from U(-1/sqrt(H), 1/sqrt(H)), as nn.LSTM and nn.RNN do, in their order."""
        bound = 1.0 / math.sqrt(self.hidden_size)
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -bound, bound)

    def flatten_parameters(self) -> None:
        """Do nothing: there is no flat buffer to rebuild. Here for code that calls nn.LSTM's."""

    @property
    def all_weights(self) -> list[list[Tensor]]:
        """The parameters of each layer and direction, in nn.LSTM's order."""
        names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")[: 4 if self.bias else 2]
        return [
            [getattr(self, f"{name}_l{layer}{suffix}") for name in names]
            for layer in range(self.num_layers)
            for suffix in self._suffixes
        ]

    def extra_repr(self) -> str:
        usual: dict[str, object] = {
            "num_layers": 1,
            "bias": True,
            "batch_first": False,
            "dropout": 0.0,
            "bidirectional": False,
            "heads": 1,
            "precision": "tf32x3",
        }
        changed = [
            f"{key}={getattr(self, key)}" for key, value in usual.items() if getattr(self, key) != value
        ]
        return ", ".join([str(self.input_size), str(self.hidden_size), *changed])

    @property
    def _suffixes(self) -> tuple[str, ...]:
        return ("", "_reverse") if self.bidirectional else ("",)

    def _layer(
        self, weights: Weights, x: Tensor, state: tuple[Tensor, ...], lengths: Tensor | None
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Run one layer, all its directions, over x [T, B, ·] from state [D, B, H]: (output, final state)."""
        raise NotImplementedError

    def _run(
        self, input: Tensor | PackedSequence, state: tuple[Tensor, ...] | None, lengths: Tensor | None
    ) -> tuple[Tensor | PackedSequence, tuple[Tensor, ...]]:
        """What `forward` does, with the state as a tuple in the order of `state_names`."""
        if isinstance(input, PackedSequence):
            if lengths is not None:
                raise ValueError(
                    "lengths must be None with a PackedSequence, which brings its own, got a tensor; "
                    "pass one or the other"
                )
            check_input(input.data, (2,), self.weight_ih_l0, self.batch_first)
            padded = unpack(input)
            state = reorder(self._initial(padded.x, state, batched=True), input.sorted_indices)
            output, final = self._layers(padded.x, state, padded.lengths)
            return pack(output, padded.places, input), reorder(final, input.unsorted_indices)
        check_input(input, (2, 3), self.weight_ih_l0, self.batch_first)
        if input.dim() == 2:
            if lengths is not None:
                raise ValueError(
                    f"lengths must be None with input {list(input.shape)}, one sequence, got a tensor; "
                    "cut the sequence, or give it a batch of 1"
                )
            x = input.unsqueeze(1)
            output, final = self._layers(x, self._initial(x, state, batched=False), None)
            return output.squeeze(1), tuple(tensor.squeeze(1) for tensor in final)
        x = input.transpose(0, 1) if self.batch_first else input
        output, final = self._layers(x, self._initial(x, state, batched=True), lengths)
        return output.transpose(0, 1) if self.batch_first else output, final

    def _layers(
        self, x: Tensor, state: tuple[Tensor, ...], lengths: Tensor | None
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """All layers over x [T, B, I] from state [L*D, B, H]; dropout between layers, as nn.LSTM's."""
        if not torch.compiler.is_compiling():
            self._tell(x)
        finals = []
        D = len(self._suffixes)
        for layer in range(self.num_layers):
            if layer > 0 and self.dropout > 0:
                x = F.dropout(x, self.dropout, self.training)
            start = tuple(tensor[layer * D : (layer + 1) * D] for tensor in state)
            x, final = self._layer(self._weights(layer), x, start, lengths)
            finals.append(final)
        if self.num_layers == 1:
            return x, finals[0]
        return x, tuple(torch.cat(tensors) for tensors in zip(*finals, strict=True))

    def _weights(self, layer: int) -> Weights:
        def gather(name: str) -> Tensor:
            tensors = [getattr(self, f"{name}_l{layer}{suffix}") for suffix in self._suffixes]
            return torch.stack(tensors) if self.bidirectional else tensors[0]

        bias = gather("bias_ih") + gather("bias_hh") if self.bias else None
        return Weights(gather("weight_ih"), gather("weight_hh"), bias)

    def _initial(self, x: Tensor, state: tuple[Tensor, ...] | None, batched: bool) -> tuple[Tensor, ...]:
        """The initial state [L*D, B, H] for x [T, B, I]: zeros, or the caller's after a check."""
        shape = (self.num_layers * len(self._suffixes), x.shape[1], self.hidden_size)
        if state is None:
            zeros = torch.zeros(shape, dtype=x.dtype, device=x.device)
            return (zeros,) * len(self.state_names)
        for name, tensor in zip(self.state_names, state, strict=True):
            check_state(name, tensor, shape if batched else (shape[0], shape[2]), x)
        return state if batched else tuple(tensor.unsqueeze(1) for tensor in state)

    def _tell(self, x: Tensor) -> None:
        """Warn, once for a kind of device, that the ground truth runs instead of kernels."""
        if x.is_meta or x.device.type in _told:
            return
        reason = refusal(x.device, autocast_dtype(x.device) or x.dtype)
        if reason is not None:
            _told.add(x.device.type)
            name = type(self).__name__
            warnings.warn(
                f"rnnlab_kernels.{name} runs its ground truth, a slow loop over time: {reason}; "
                f"use a GPU and float32, float16 or bfloat16, or load the state_dict into nn.{name}",
                UserWarning,
                stacklevel=7,
            )
