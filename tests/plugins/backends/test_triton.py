"""The kernels' backend: what it takes, what it refuses and why, and that its results are the loop's.

Without a GPU the kernels run in Triton's interpreter, which tests/conftest.py switches on.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
import torch

from rnnlab.api import Cell
from rnnlab.config.section import CellConfig
from rnnlab_kernels import measured
from rnnlab_plugins.backends.reference import ReferenceBackend
from rnnlab_plugins.backends.triton import TritonBackend
from rnnlab_plugins.cells.config import RNNConfig
from rnnlab_plugins.cells.rnn import RNN

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
CPU = torch.device("cpu")


@pytest.mark.skipif(DEVICE.type == "cuda", reason="the tensors of `results` are on a CPU")
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("lengths", [None, (3, 0, 5)])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("kind", ["lstm", "tanh", "relu", "sigmoid"])
def test_results_and_gradients_are_the_loops(make_cell, results, assert_agree, kind, bias, lengths, reverse):
    cell = make_cell(kind, 4, 7, torch.float32, bias)
    assert TritonBackend().supports(cell, CPU, torch.float32) is None
    run = (cell, 5, 3, lengths, reverse)
    assert_agree(results(TritonBackend(), *run), results(ReferenceBackend(), *run))


@pytest.mark.parametrize(
    ("kind", "device", "dtype", "reason"),
    [
        ("lstm", "cpu", torch.float64, "kernels take float32, float16 and bfloat16, got float64"),
        ("lstm", "mps", torch.float32, "kernels need an NVIDIA or AMD GPU, got mps"),
        ("sigmoid", "cpu", torch.float32, None),
        ("relu", "cpu", torch.bfloat16, None),
        ("lstm", "cpu", torch.float16, None),
    ],
)
@pytest.mark.skipif(DEVICE.type == "cuda", reason="there is no interpreter beside a GPU")
def test_what_it_supports(make_cell, kind, device, dtype, reason):
    assert TritonBackend().supports(make_cell(kind, 3, 7), torch.device(device), dtype) == reason


class Unpromising(Cell):
    pass


class Other(Cell):
    equations = "gru"


class Projected(RNN):
    def state_sizes(self) -> tuple[int, ...]:
        return (2,)


class Wide(RNN):
    def __init__(self, input_size, hidden_size, config):
        super().__init__(input_size, hidden_size, config)
        self.weight_hh = torch.nn.Parameter(torch.zeros(hidden_size, 2 * hidden_size))


class Extra(RNN):
    def __init__(self, input_size, hidden_size, config):
        super().__init__(input_size, hidden_size, config)
        self.peephole = torch.nn.Parameter(torch.zeros(hidden_size))


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        (Unpromising, "there are kernels for the equations 'lstm' and 'rnn', the cell promises no equations"),
        (Other, "there are kernels for the equations 'lstm' and 'rnn', the cell promises 'gru'"),
        (Projected, "every state must have the hidden size 7, got (2,)"),
        (Wide, "weight_hh [7, 7], bias_ih [7], bias_hh [7], got "),
        (Extra, "bias_hh [7], peephole [7]"),
    ],
)
def test_cells_it_has_no_kernel_for(cell, reason):
    assert reason in str(TritonBackend().supports(cell(3, 7, RNNConfig()), CPU, torch.float32))


def test_a_nonlinearity_it_has_no_kernel_for():
    nameless = type("Nameless", (Cell,), {"equations": "rnn"})(3, 7, CellConfig())
    reason = TritonBackend().supports(nameless, CPU, torch.float32)
    assert reason == "kernels have tanh, sigmoid, relu, got None"


def test_its_advice_is_what_was_measured(make_cell, monkeypatch):
    asked = []
    monkeypatch.setattr(measured, "advice", lambda *question: asked.append(question) or "too slow")
    assert TritonBackend().advice(make_cell("lstm", 3, 7), CPU, torch.float32) == "too slow"
    assert TritonBackend().advice(make_cell("relu", 3, 9), CPU, torch.bfloat16) == "too slow"
    assert asked == [("lstm", 7, torch.float32, CPU), ("rnn", 9, torch.bfloat16, CPU)]


def rnnlab(*arguments, **environment):
    return subprocess.run(
        [sys.executable, "-m", "rnnlab.cli.main", *arguments],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def test_the_kernels_are_verified_on_a_cpu():
    small = (
        "--cell",
        "lstm",
        "--cell",
        "rnn",
        "--device",
        "cpu",
        "--dtype",
        "float32",
        "--hidden-size",
        "5",
        "--json",
    )
    done = rnnlab("verify", "--backend", "triton", *small, TRITON_INTERPRET="1")
    assert done.returncode == 0, done.stdout + done.stderr
    results = {row["cell"]: row["result"] for row in json.loads(done.stdout)}
    assert set(results.values()) == {"ok"}
    assert {"lstm", "lstm bias=false", "rnn", "rnn nonlinearity=sigmoid"} <= set(results)


def test_without_the_interpreter_a_cpu_is_refused_with_the_reason():
    done = rnnlab("verify", "--backend", "triton", "--cell", "lstm", "--device", "cpu", TRITON_INTERPRET="0")
    assert done.returncode == 0, done.stderr
    assert "kernels need a GPU, got cpu (TRITON_INTERPRET=1 runs them on a CPU" in done.stdout
    assert "0 ok, 0 wrong" in done.stdout
