"""A drop-in for nn.LSTM."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence

from rnnlab_kernels.layers.recurrent import Recurrent, Weights
from rnnlab_kernels.lstm_sequence.op import lstm_sequence


class LSTM(Recurrent):
    """nn.LSTM on fused kernels: the same constructor, call, parameters and state_dict.

    At each step, with the sigmoid σ and the elementwise product ⊙:

        i, f, o = σ(W_i* x_t + U_i* h_{t-1} + b_i*)      g = tanh(W_g x_t + U_g h_{t-1} + b_g)
        c_t = f ⊙ c_{t-1} + i ⊙ g                        h_t = o ⊙ tanh(c_t)

    (Hochreiter & Schmidhuber 1997, with the forget gate of Gers et al. 2000.) Where kernels do not run, as on
    a CPU, a plain loop over time does, and a UserWarning says so once.

    Args:
        input_size: features of the input, I.
        hidden_size: features of the hidden state, H.
        num_layers: layers, each reading the output of the one before, L.
        bias: whether there are `bias_ih` and `bias_hh`.
        batch_first: input and output are [B, T, ·] instead of [T, B, ·]; states are not changed.
        dropout: chance of zeroing each output between two layers, in training.
        bidirectional: also read each sequence from its end, D = 2; both directions run in one call of the op.
        proj_size: must be 0.
        device, dtype: of the parameters.
        precision: of float32 matrix products: "ieee" exact, "tf32x3" close to it on tensor cores, "tf32"
            faster with a mantissa of 10 bits.
        lean: keep only the output for the backward pass and recompute the gates: less memory, more work.
        heads: split the hidden state into this many parts that do not read one another (a block-diagonal
            recurrence); weight_hh is then [4H, H / heads]. 1 is nn.LSTM.

    Raises:
        ValueError: an option out of range.
    """

    blocks = 4
    state_names = ("h_0", "c_0")

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
        *,
        precision: str = "tf32x3",
        lean: bool = False,
        heads: int = 1,
    ) -> None:
        if proj_size != 0:
            raise ValueError(f"proj_size must be 0, got {proj_size!r}; use nn.LSTM for a projected state")
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
        self.proj_size, self.lean = proj_size, lean

    def forward(
        self,
        input: Tensor | PackedSequence,
        hx: tuple[Tensor, Tensor] | None = None,
        *,
        lengths: Tensor | None = None,
    ) -> tuple[Tensor | PackedSequence, tuple[Tensor, Tensor]]:
        """Run over whole sequences.

        Args:
            input: [T, B, I], [B, T, I] with batch_first, [T, I] for one sequence, or a PackedSequence.
            hx: initial (h_0, c_0), each [L*D, B, H], or [L*D, H] for one sequence; None is zeros. With a
                16-bit input c_0 may be float32.
            lengths: valid steps of each row [B], integer, on the input's device, 0..T; None means T. What
                stands at and after a row's length is never read.

        Returns:
            output: [T, B, D*H], laid out as the input; zero at and after a row's length.
            (h_n, c_n): each [L*D, B, H], after each row's last valid step; c_n has c_0's dtype.

        Raises:
            ValueError: shapes, dtypes or devices that do not fit the layer.
        """
        if hx is not None and (not isinstance(hx, (tuple, list)) or len(hx) != 2):
            got = f"{len(hx)} tensors" if isinstance(hx, (tuple, list)) else type(hx).__name__
            raise ValueError(f"hx must be a pair (h_0, c_0), got {got}; leave hx out to start from zeros")
        output, (h_n, c_n) = self._run(input, None if hx is None else tuple(hx), lengths)
        return output, (h_n, c_n)

    def extra_repr(self) -> str:
        return super().extra_repr() + (", lean=True" if self.lean else "")

    def _layer(
        self, weights: Weights, x: Tensor, state: tuple[Tensor, ...], lengths: Tensor | None
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        h_0, c_0 = state
        output, h_n, c_n, _ = lstm_sequence(
            x, *weights, h_0, c_0, lengths, precision=self.precision, lean=self.lean
        )
        return output, (h_n, c_n)
