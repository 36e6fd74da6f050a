"""FlashRNN (arXiv 2412.07752, PyPI `flashrnn` 1.0.8) as a contestant: the recurrence alone, one direction."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Mapping
from types import ModuleType

from problem import Outputs, Problem
from rivals import Runner
from torch import Tensor

BACKENDS = ("triton_fused", "cuda_fused", "cuda", "vanilla")


def installed() -> bool:
    """Whether `import flashrnn` would find it."""
    return importlib.util.find_spec("flashrnn") is not None


def _flashrnn() -> ModuleType:
    # Its speed suite imports haste, which nobody has, and nothing here uses.
    if "haste_pytorch" not in sys.modules:
        stub = ModuleType("haste_pytorch")
        stub.__dict__["LSTM"] = None
        sys.modules["haste_pytorch"] = stub
    return importlib.import_module("flashrnn.flashrnn")


class FlashRNNRunner(Runner):
    """flashrnn(Wx [B, T, G, N, P], R [G, N, P_out, P_in], b [G, N, P]) -> (states [S, B, T, N, P], last)."""

    def __init__(self, problem: Problem, backend: str) -> None:
        case = problem.case
        if (case.cell, case.part, case.directions, case.num_layers, case.ragged) != (
            "lstm",
            "recurrence",
            1,
            1,
            False,
        ):
            raise ValueError(f"FlashRNN runs one LSTM recurrence in one direction, got {case.name}")
        self.function = _flashrnn().flashrnn
        self.case, self.backend = case, backend
        self.dtype = str(problem.x.dtype).removeprefix("torch.")
        weight = problem.layers[0].weight_hh[0]
        blocks = weight.view(4, case.heads, case.head_size, case.head_size)
        self.recurrent = blocks.detach().clone().requires_grad_()
        self.bias = weight.new_zeros(4, case.heads, case.head_size)
        self.leaves = {"R": self.recurrent}

    def adapt(self, x: Tensor) -> Tensor:
        case = self.case
        seq_len, batch_size, _ = x.shape
        return x.view(seq_len, batch_size, 4, case.heads, case.head_size).transpose(0, 1).contiguous()

    def run(self, x: Tensor, lengths: Tensor | None) -> Outputs:
        states, last = self.function(
            Wx=x, R=self.recurrent, b=self.bias, function="lstm", backend=self.backend, dtype=self.dtype
        )
        output = states[0].flatten(2).transpose(0, 1)
        h_n, c_n = (last[index].flatten(2).transpose(0, 1) for index in (0, 1))
        return Outputs(output, h_n, c_n)

    def canonical(self, grads: Mapping[str, Tensor]) -> dict[str, Tensor]:
        rows = 4 * self.case.hidden_size
        return {
            "x": grads["x"].flatten(2).transpose(0, 1),
            "weight_hh.0": grads["R"].reshape(1, rows, self.case.head_size),
        }
