"""Inputs of a case, and its answer in float64 by plain loops: what every contestant is held to."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from cases import Case
from torch import Tensor


@dataclass(frozen=True)
class Layer:
    """Weights of one layer; D directions, G gates.

    Attributes:
        weight_ih: [D, G*H, I], or None where the input is projected already.
        weight_hh: [D, G*H, P], P the head size.
        bias: [D, G*H], or None with weight_ih.
    """

    weight_ih: Tensor | None
    weight_hh: Tensor
    bias: Tensor | None


@dataclass(frozen=True)
class Outputs:
    """What a contestant returns.

    Attributes:
        output: [T, B, D*H], zero at padded steps.
        h_n: [L*D, B, H].
        c_n: [L*D, B, H]; None for a cell that has none, and for a contestant that does not show it.
    """

    output: Tensor
    h_n: Tensor | None
    c_n: Tensor | None


@dataclass(frozen=True)
class Problem:
    """One drawing of a case. Initial states are zero.

    Attributes:
        x: [T, B, I], or [T, B, D*G*H] for the recurrence alone.
        layers: weights.
        lengths: [B] int64, or None.
        d_output: [T, B, D*H], the gradient that comes in.
    """

    case: Case
    x: Tensor
    layers: tuple[Layer, ...]
    lengths: Tensor | None
    d_output: Tensor

    def weights(self) -> dict[str, Tensor]:
        """All weights: weight_ih.K, weight_hh.K, bias.K of layer K, as far as there are any."""
        return {
            f"{name}.{index}": tensor
            for index, layer in enumerate(self.layers)
            for name in ("weight_ih", "weight_hh", "bias")
            if (tensor := getattr(layer, name)) is not None
        }

    def to(self, dtype: torch.dtype) -> Problem:
        """The same numbers, rounded to `dtype`."""

        def cast(tensor: Tensor | None) -> Tensor | None:
            return None if tensor is None else tensor.to(dtype)

        layers = tuple(
            Layer(cast(layer.weight_ih), layer.weight_hh.to(dtype), cast(layer.bias)) for layer in self.layers
        )
        return replace(self, x=self.x.to(dtype), layers=layers, d_output=self.d_output.to(dtype))

    def trainable(self) -> Problem:
        """The same problem with weights of its own, as leaves that gradients can be taken of."""

        def leaf(tensor: Tensor | None) -> Tensor | None:
            return None if tensor is None else tensor.detach().clone().requires_grad_()

        layers = tuple(
            Layer(leaf(layer.weight_ih), layer.weight_hh.detach().clone().requires_grad_(), leaf(layer.bias))
            for layer in self.layers
        )
        return replace(self, layers=layers)

    def first(self, steps: int) -> Problem:
        """The problem cut to its first `steps` steps."""
        lengths = None if self.lengths is None else self.lengths.clamp(max=steps)
        return replace(self, x=self.x[:steps], d_output=self.d_output[:steps], lengths=lengths)


def draw(case: Case, device: torch.device, seed: int = 0) -> Problem:
    """Random inputs of a case in float32; weights as nn.LSTM initialises them."""
    generator = torch.Generator(device).manual_seed(seed)

    def normal(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator, device=device)

    def weight(*shape: int) -> Tensor:
        bound = 1 / math.sqrt(case.hidden_size)
        return torch.rand(shape, generator=generator, device=device) * (2 * bound) - bound

    rows, projected = case.gates * case.hidden_size, case.part == "recurrence"
    layers = tuple(
        Layer(
            None if projected else weight(case.directions, rows, case.input_width(layer)),
            # Heads read few units each: scaled up, so that their recurrence is as strong as a full one's.
            weight(case.directions, rows, case.head_size) * math.sqrt(case.heads),
            None if projected else weight(case.directions, rows),
        )
        for layer in range(case.num_layers)
    )
    lengths = None
    if case.ragged:
        lengths = torch.randint(1, case.seq_len + 1, (case.batch_size,), generator=generator, device=device)
        lengths[0] = case.seq_len
    width = case.directions * rows if projected else case.input_size
    x = normal(case.seq_len, case.batch_size, width)
    d_output = normal(case.seq_len, case.batch_size, case.directions * case.hidden_size)
    return Problem(case, x, layers, lengths, d_output)


Step = Callable[[Tensor, Tensor, Tensor, Tensor], tuple[Tensor, Tensor]]
"""(projection [B, G*H], weight_hh [G*H, P], h [B, H], c [B, H]) -> (h, c)"""


def _recur(weight_hh: Tensor, h: Tensor) -> Tensor:
    (rows, head_size), (batch_size, hidden_size) = weight_hh.shape, h.shape
    if head_size == hidden_size:
        return h @ weight_hh.T
    heads, gates = hidden_size // head_size, rows // hidden_size
    blocks = weight_hh.view(gates, heads, head_size, head_size)
    return torch.einsum("bni,gnoi->bgno", h.view(batch_size, heads, head_size), blocks).reshape(
        batch_size, rows
    )


def lstm_step(projection: Tensor, weight_hh: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
    """One LSTM step, gates i, f, g, o (Hochreiter and Schmidhuber, 1997, with the forget gate of 2000)."""
    i, f, g, o = (projection + _recur(weight_hh, h)).chunk(4, dim=1)
    c = f.sigmoid() * c + i.sigmoid() * g.tanh()
    return o.sigmoid() * c.tanh(), c


def rnn_step(projection: Tensor, weight_hh: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
    """One step of the simple recurrence h = tanh(projection + W h); c passes through unused."""
    return (projection + _recur(weight_hh, h)).tanh(), c


def solve(problem: Problem, step: Step | None = None) -> Outputs:
    """The answer by plain loops over time, in the problem's own dtype; differentiable.

    Args:
        step: what makes one time step; `lstm_step` or `rnn_step` by default.
    """
    case = problem.case
    step = step or (lstm_step if case.cell == "lstm" else rnn_step)
    x, finals = problem.x, []
    for layer in problem.layers:
        outputs = []
        for direction in range(case.directions):
            projections = _projections(layer, x, direction, case.directions)
            h = x.new_zeros(case.batch_size, case.hidden_size)
            output, h, c = _scan(
                step, projections, layer.weight_hh[direction], h, problem.lengths, direction == 1
            )
            outputs.append(output)
            finals.append((h, c))
        x = torch.cat(outputs, dim=2)
    h_n, c_n = (torch.stack(states) for states in zip(*finals, strict=True))
    return Outputs(x, h_n, c_n if case.cell == "lstm" else None)


def _projections(layer: Layer, x: Tensor, direction: int, directions: int) -> Tensor:
    if layer.weight_ih is None:
        return x.chunk(directions, dim=2)[direction]
    bias = None if layer.bias is None else layer.bias[direction]
    return torch.nn.functional.linear(x, layer.weight_ih[direction], bias)


def _scan(
    step: Step, projections: Tensor, weight_hh: Tensor, h: Tensor, lengths: Tensor | None, reverse: bool
) -> tuple[Tensor, Tensor, Tensor]:
    seq_len, c = len(projections), torch.zeros_like(h)
    outputs = [h] * seq_len
    for t in reversed(range(seq_len)) if reverse else range(seq_len):
        h_next, c_next = step(projections[t], weight_hh, h, c)
        if lengths is None:
            h, c = h_next, c_next
            outputs[t] = h
        else:
            live = (t < lengths)[:, None]
            h, c = torch.where(live, h_next, h), torch.where(live, c_next, c)
            outputs[t] = torch.where(live, h_next, 0.0)
    return torch.stack(outputs), h, c


def relative_error(value: Tensor, truth: Tensor) -> float:
    """|value - truth| / |truth| in float64; |value| where the truth is zero. NaN stays NaN."""
    difference = torch.linalg.vector_norm(value.double() - truth.double())
    size = torch.linalg.vector_norm(truth.double())
    return float(difference / size) if size > 0 else float(difference)
