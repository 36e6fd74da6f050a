"""Who is measured: one small adapter for each way to run a case."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from cases import Case
from problem import Outputs, Problem, lstm_step, rnn_step, solve
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

TORCH_DTYPES = {
    "bfloat16": torch.bfloat16,
    "float16": torch.float16,
    "float32": torch.float32,
    "tf32": torch.float32,
}
SLOW_STEPS = 32
"""Steps that loops in Python are run for: their time per step does not depend on how many there are."""


class Runner:
    """A contestant that is ready to run one problem.

    Attributes:
        leaves: what gradients are taken of besides x, by a name of the contestant's own.
    """

    leaves: dict[str, Tensor]

    def adapt(self, x: Tensor) -> Tensor:
        """x [T, B, ·] in the layout that the contestant likes best; not timed."""
        return x

    def run(self, x: Tensor, lengths: Tensor | None) -> Outputs:
        """Compute the case; `output` is what gradients come in at."""
        raise NotImplementedError

    def train(self, mode: bool) -> None:
        """Prepare for a backward pass, or for none."""

    def canonical(self, grads: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Gradients by the names x, weight_ih.K, weight_hh.K, bias.K of layer K, shaped as in `Layer`."""
        return dict(grads)


@dataclass(frozen=True)
class Contestant:
    """One row of a case's results.

    Attributes:
        name: as the table prints it.
        family: "rnnlab", "torch" (nn.LSTM, nn.RNN), "flashrnn" or "loop".
        dtype: arithmetic, one of `cases.DTYPES`.
        make: builds the runner of a problem that has the contestant's dtype.
        max_steps: the steps it is run for, where the case has more.
        note: what a reader of its time must know.
    """

    name: str
    family: str
    dtype: str
    make: Callable[[Problem], Runner]
    max_steps: int | None = None
    note: str = ""


def contestants(
    case: Case, *, compiled: bool = False, flashrnn: tuple[str, ...] = (), loops: bool = True
) -> list[Contestant]:
    """Who runs a case: ours first.

    Args:
        compiled: torch.compile of one step of the loop, too.
        flashrnn: FlashRNN's backends, where it takes part.
        loops: the ground truth, too.
    """
    precision = "tf32" if case.dtype == "tf32" else "tf32x3"
    found = [Contestant("rnnlab", "rnnlab", case.dtype, lambda p: OpRunner(p, precision))]
    if case.dtype == "float32" and case.group == "sizes" and case.hidden_size <= 256 and case.cell == "lstm":
        found.append(Contestant("rnnlab ieee", "rnnlab", case.dtype, lambda p: OpRunner(p, "ieee")))
    if case.group == "lean":
        found.append(Contestant("rnnlab lean", "rnnlab", case.dtype, lambda p: OpRunner(p, precision, True)))
    if case.part == "layer" and case.heads == 1:
        if case.group in ("depth", "flashrnn"):
            name = "rnnlab." + case.cell.upper()
            found.append(Contestant(name, "rnnlab", case.dtype, lambda p: ModuleRunner(p, precision)))
        found += _torch_contestants(case)
    if (
        case.part == "recurrence"
        and case.cell == "lstm"
        and case.dtype != "tf32"
        and case.group == "flashrnn"
    ):
        found += [
            Contestant(f"FlashRNN {backend}", "flashrnn", case.dtype, _flashrnn_maker(backend))
            for backend in flashrnn
        ]
    note = "a Python loop over time"
    # Its time per step hardly depends on the size: the quick set's cases show it.
    if loops and (case.quick or case.group != "sizes"):
        found.append(Contestant("ground truth", "loop", case.dtype, ReferenceRunner, SLOW_STEPS, note))
    if compiled:
        note += ", the step compiled"
        found.append(Contestant("torch.compile", "loop", case.dtype, CompiledRunner, SLOW_STEPS, note))
    return found


def _torch_contestants(case: Case) -> list[Contestant]:
    name = "nn." + case.cell.upper()
    if case.ragged:
        note = "packing and unpacking included"
        return [Contestant(f"packed {name}", "torch", case.dtype, PackedRunner, note=note)]
    found = [Contestant(name, "torch", case.dtype, TorchRunner)]
    if case.group == "flashrnn" and case.dtype == "bfloat16":
        note = "for comparison; the ratio is taken against the same dtype"
        found.append(Contestant(f"{name} float16", "torch", "float16", TorchRunner, note=note))
    return found


def arithmetic(dtype: str) -> None:
    """Set how PyTorch multiplies float32 matrices, as `dtype` of a case demands."""
    torch.backends.cuda.matmul.allow_tf32 = dtype == "tf32"
    torch.backends.cudnn.allow_tf32 = dtype == "tf32"


class OpRunner(Runner):
    """lstm_sequence or rnn_sequence, a layer at a time."""

    def __init__(self, problem: Problem, precision: str, lean: bool = False) -> None:
        self.op: Callable[..., Any] = getattr(
            importlib.import_module("rnnlab_kernels"), f"{problem.case.cell}_sequence"
        )
        self.options: dict[str, Any] = {"precision": precision} | ({"lean": True} if lean else {})
        problem = problem.trainable()
        self.layers, self.leaves = problem.layers, problem.weights()

    def run(self, x: Tensor, lengths: Tensor | None) -> Outputs:
        finals = []
        for layer in self.layers:
            result = self.op(x, layer.weight_ih, layer.weight_hh, layer.bias, lengths=lengths, **self.options)
            x = result.output
            finals.append((result.h_n, getattr(result, "c_n", None)))
        if len(finals) == 1:
            return Outputs(x, *finals[0])
        h_n, c_n = zip(*finals, strict=True)
        return Outputs(x, torch.cat(h_n), None if c_n[0] is None else torch.cat(c_n))


class ReferenceRunner(Runner):
    """The package's own ground truth: eager PyTorch, one step after another."""

    def __init__(self, problem: Problem) -> None:
        case = problem.case
        self.case = case
        self.reference = importlib.import_module(f"rnnlab_kernels.{case.cell}_sequence.reference")
        problem = problem.trainable()
        self.layers, self.leaves = problem.layers, problem.weights()

    def run(self, x: Tensor, lengths: Tensor | None) -> Outputs:
        case, finals = self.case, []
        zeros = x.new_zeros(case.directions, x.shape[1], case.hidden_size)
        for layer in self.layers:
            if layer.weight_ih is not None:
                x = nn.functional.linear(
                    x, layer.weight_ih.flatten(0, 1), None if layer.bias is None else layer.bias.flatten()
                )
            if case.cell == "lstm":
                x, h_n, c_n, *_ = self.reference.forward(
                    x, layer.weight_hh, zeros, zeros, lengths, False, "ieee", False, False
                )
                finals.append((h_n, c_n))
            else:
                x, h_n = self.reference.forward(x, layer.weight_hh, zeros, lengths, "tanh", False, "ieee")
                finals.append((h_n, None))
        h_n, c_n = zip(*finals, strict=True)
        return Outputs(x, torch.cat(h_n), None if c_n[0] is None else torch.cat(c_n))


class CompiledRunner(Runner):
    """The loop of `problem.solve` with its step compiled."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem.trainable()
        self.step = torch.compile(lstm_step if problem.case.cell == "lstm" else rnn_step)
        self.leaves = self.problem.weights()

    def run(self, x: Tensor, lengths: Tensor | None) -> Outputs:
        return solve(replace(self.problem, x=x, lengths=lengths), self.step)


class TorchRunner(Runner):
    """nn.LSTM or nn.RNN, its weights freshly flattened."""

    def __init__(self, problem: Problem) -> None:
        self.case = problem.case
        self.module = self.build(problem)
        self.module.load_state_dict(_state_dict(problem))
        self.module.to(problem.x.device, problem.x.dtype)
        self.module.flatten_parameters()
        self.leaves = dict(self.module.named_parameters())

    def build(self, problem: Problem) -> Any:
        case = problem.case
        cell = nn.LSTM if case.cell == "lstm" else nn.RNN
        return cell(
            case.input_size,
            case.hidden_size,
            case.num_layers,
            bidirectional=case.directions == 2,
            device=problem.x.device,
            dtype=problem.x.dtype,
        )

    def train(self, mode: bool) -> None:
        self.module.train(mode)

    def outputs(self, result: Any) -> Outputs:
        output, state = result
        return Outputs(output, *state) if self.case.cell == "lstm" else Outputs(output, state, None)

    def run(self, x: Tensor, lengths: Tensor | None) -> Outputs:
        return self.outputs(self.module(x))

    def canonical(self, grads: Mapping[str, Tensor]) -> dict[str, Tensor]:
        named = {"x": grads["x"]}
        suffixes = ("", "_reverse")[: self.case.directions]
        for layer in range(self.case.num_layers):
            for name, own in (("weight_ih", "weight_ih"), ("weight_hh", "weight_hh"), ("bias", "bias_ih")):
                named[f"{name}.{layer}"] = torch.stack([grads[f"{own}_l{layer}{end}"] for end in suffixes])
        return named


class PackedRunner(TorchRunner):
    """nn.LSTM on a PackedSequence, made from padded input and lengths on the device, and undone after."""

    def run(self, x: Tensor, lengths: Tensor | None) -> Outputs:
        assert lengths is not None
        packed = pack_padded_sequence(x, lengths.cpu(), enforce_sorted=False)
        output, state = self.module(packed)
        padded, _ = pad_packed_sequence(output, total_length=x.shape[0])
        return self.outputs((padded, state))


class ModuleRunner(TorchRunner):
    """rnnlab_kernels.LSTM or RNN: the drop-in module, with what its Python costs."""

    def __init__(self, problem: Problem, precision: str) -> None:
        self.precision = precision
        super().__init__(problem)

    def build(self, problem: Problem) -> Any:
        case = problem.case
        module = getattr(importlib.import_module("rnnlab_kernels"), case.cell.upper())
        return module(
            case.input_size,
            case.hidden_size,
            case.num_layers,
            bidirectional=case.directions == 2,
            device=problem.x.device,
            dtype=problem.x.dtype,
            precision=self.precision,
        )

    def run(self, x: Tensor, lengths: Tensor | None) -> Outputs:
        return self.outputs(self.module(x, lengths=lengths))


def _state_dict(problem: Problem) -> dict[str, Tensor]:
    """The problem's weights under nn.LSTM's names; bias_hh is zero."""
    state = {}
    for index, layer in enumerate(problem.layers):
        assert layer.weight_ih is not None and layer.bias is not None
        for direction, end in enumerate(("", "_reverse")[: problem.case.directions]):
            state[f"weight_ih_l{index}{end}"] = layer.weight_ih[direction]
            state[f"weight_hh_l{index}{end}"] = layer.weight_hh[direction]
            state[f"bias_ih_l{index}{end}"] = layer.bias[direction]
            state[f"bias_hh_l{index}{end}"] = torch.zeros_like(layer.bias[direction])
    return state


def _flashrnn_maker(backend: str) -> Callable[[Problem], Runner]:
    def make(problem: Problem) -> Runner:
        from flashrnn_rival import FlashRNNRunner

        return FlashRNNRunner(problem, backend)

    return make
