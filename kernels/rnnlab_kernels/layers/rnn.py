"""A drop-in for nn.RNN."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence

from rnnlab_kernels.layers.recurrent import Recurrent, Weights
from rnnlab_kernels.rnn_sequence.op import rnn_sequence

NONLINEARITIES = ("tanh", "sigmoid", "relu")


class RNN(Recurrent):
    """nn.RNN on fused kernels: the same constructor, call, parameters and state_dict.

    At each step h_t = f(W x_t + U h_{t-1} + b), with f the nonlinearity (Elman 1990). Where kernels do not
    run, as on a CPU, a plain loop over time does, and a UserWarning says so once.

    Args:
        input_size: features of the input, I.
        hidden_size: features of the hidden state, H.
        num_layers: layers, each reading the output of the one before, L.
        nonlinearity: "tanh", "relu", or, which nn.RNN has not, "sigmoid".
        bias: whether there are `bias_ih` and `bias_hh`.
        batch_first: input and output are [B, T, ·] instead of [T, B, ·]; states are not changed.
        dropout: chance of zeroing each output between two layers, in training.
        bidirectional: also read each sequence from its end, D = 2; both directions run in one call of the op.
        device, dtype: of the parameters.
        precision: of float32 matrix products: "ieee" exact, "tf32x3" close to it on tensor cores, "tf32"
            faster with a mantissa of 10 bits.
        heads: split the hidden state into this many parts that do not read one another (a block-diagonal
            recurrence); weight_hh is then [H, H / heads]. 1 is nn.RNN.

    Raises:
        ValueError: an option out of range.
    """

    blocks = 1
    state_names = ("h_0",)

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: str = "tanh",
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
        *,
        precision: str = "tf32x3",
        heads: int = 1,
    ) -> None:
        if nonlinearity not in NONLINEARITIES:
            raise ValueError(
                f"nonlinearity must be one of {', '.join(NONLINEARITIES)}, got {nonlinearity!r}; "
                "leave it out for tanh"
            )
        super().__init__(
            input_size,
            hidden_size,
            num_layers,
            bias,
            batch_first,
            dropout,
            bidirectional,
            device,
            dtype,
            precision,
            heads,
        )
        self.nonlinearity = nonlinearity

    def forward(
        self,
        input: Tensor | PackedSequence,
        hx: Tensor | None = None,
        *,
        lengths: Tensor | None = None,
    ) -> tuple[Tensor | PackedSequence, Tensor]:
        """Run over whole sequences.

        Args:
            input: [T, B, I], [B, T, I] with batch_first, [T, I] for one sequence, or a PackedSequence.
            hx: initial h_0 [L*D, B, H], or [L*D, H] for one sequence; None is zeros.
            lengths: valid steps of each row [B], integer, on the input's device, 0..T; None means T. What
                stands at and after a row's length is never read.

        Returns:
            output: [T, B, D*H], laid out as the input; zero at and after a row's length.
            h_n: [L*D, B, H], after each row's last valid step.

        Raises:
            ValueError: shapes, dtypes or devices that do not fit the layer.
        """
        if hx is not None and not isinstance(hx, Tensor):
            raise ValueError(
                f"hx must be the tensor h_0, got {type(hx).__name__}; leave hx out to start from zeros"
            )
        output, (h_n,) = self._run(input, None if hx is None else (hx,), lengths)
        return output, h_n

    def extra_repr(self) -> str:
        named = "" if self.nonlinearity == "tanh" else f", nonlinearity={self.nonlinearity}"
        return super().extra_repr() + named

    def _layer(
        self, weights: Weights, x: Tensor, state: tuple[Tensor, ...], lengths: Tensor | None
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        (h_0,) = state
        output, h_n = rnn_sequence(
            x, *weights, h_0, lengths, nonlinearity=self.nonlinearity, precision=self.precision
        )
        return output, (h_n,)
