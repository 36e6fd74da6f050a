"""What torch does to the LSTM's operator: its own checks, compilation, export, autocast."""

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from rnnlab_kernels import lstm_sequence

OP = torch.ops.rnnlab_kernels.lstm_sequence
EXACT = {"rtol": 1e-10, "atol": 1e-12}


def call(problem, inputs=None, **options):
    x, weight_ih, weight_hh, bias, h_0, c_0 = problem.inputs if inputs is None else inputs
    lengths = None if problem.lengths is None else problem.lengths.to(x.device)
    return lstm_sequence(x, weight_ih, weight_hh, bias, h_0, c_0, lengths, reverse=problem.reverse, **options)


@pytest.mark.parametrize("saves", [(False, False), (True, False), (True, True)], ids=str)
@pytest.mark.parametrize("name", ["one step, one row", "short"])
def test_opcheck_forward(make, name, saves):
    problem = make(name)
    torch.library.opcheck(OP, (*problem.inputs, problem.lengths, problem.reverse, "ieee", *saves))
    x, _, weight_hh, _, h_0, c_0 = problem.inputs
    projected = torch.zeros(*x.shape[:2], weight_hh.shape[0] * weight_hh.shape[1], dtype=x.dtype)
    torch.library.opcheck(
        OP, (projected, None, weight_hh, None, h_0, c_0, problem.lengths, False, "ieee", *saves)
    )


@pytest.mark.parametrize("name", ["plain", "both directions, lengths"])
def test_opcheck_backward_and_replay(make, name):
    problem = make(name)
    inputs = [each.detach() for each in problem.inputs]
    weight_hh, c_0 = inputs[2], inputs[5]
    settings = (problem.lengths, problem.reverse)
    output, h_n, c_n, cells, gates = OP(*inputs, *settings, "ieee", True, True)
    ops = torch.ops.rnnlab_kernels
    torch.library.opcheck(
        ops.lstm_sequence_backward,
        (output, h_n, c_n, weight_hh, c_0, settings[0], cells, gates, settings[1], "ieee"),
    )
    torch.library.opcheck(ops.lstm_sequence_replay, (gates, c_0, *settings))


@pytest.mark.parametrize("lean", [False, True])
@pytest.mark.parametrize("backend", ["aot_eager", "inductor"])
def test_compiled_in_one_graph(make, gradients, backend, lean):
    problem = make("both directions, lengths")

    def function(*inputs):
        return call(problem, inputs, lean=lean, return_gates=True)

    compiled = torch.compile(function, fullgraph=True, backend=backend)
    actual, wanted = compiled(*problem.inputs), function(*problem.inputs)
    assert_close(tuple(actual), tuple(wanted), **EXACT)
    assert_close(gradients(actual[:3], problem.inputs), gradients(wanted[:3], problem.inputs), **EXACT)
    with torch.no_grad():
        assert_close(compiled(*problem.inputs).output, wanted.output, **EXACT)


def test_compiled_once_for_all_lengths_of_time():
    graphs = []

    def count(graph, _):
        graphs.append(graph)
        return graph.forward

    compiled = torch.compile(lambda *inputs: lstm_sequence(*inputs), dynamic=True, backend=count)
    weights = torch.randn(24, 8, dtype=torch.float64), torch.randn(24, 6, dtype=torch.float64)
    for seq_len, batch_size in ((5, 3), (9, 2), (4, 7)):
        x = torch.randn(seq_len, batch_size, 8, dtype=torch.float64)
        assert_close(compiled(x, *weights).output, lstm_sequence(x, *weights).output, **EXACT)
    assert len(graphs) == 1


class Exported(nn.Module):
    def __init__(self, inputs):
        super().__init__()
        _, *weights, _, _ = inputs
        self.weights = nn.ParameterList(each.detach() for each in weights)

    def forward(self, x, h_0, c_0, lengths):
        return tuple(lstm_sequence(x, *self.weights, h_0, c_0, lengths)[:3])


@pytest.mark.parametrize("strict", [False, True])
def test_exported_with_any_time_and_batch(make, strict):
    problem = make("both directions, lengths")
    module = Exported(problem.inputs)
    x, h_0, c_0 = (problem.tensors[name].detach() for name in ("x", "h_0", "c_0"))
    time, batch = torch.export.Dim("time"), torch.export.Dim("batch")
    shapes = ({0: time, 1: batch}, {1: batch}, {1: batch}, {0: batch})
    program = torch.export.export(
        module, (x, h_0, c_0, problem.lengths), dynamic_shapes=shapes, strict=strict
    )
    longer = torch.cat([x, x, x])[:, [0, 1, 2, 3, 0]]
    states = h_0[:, [0, 1, 2, 3, 0]], c_0[:, [0, 1, 2, 3, 0]]
    lengths = torch.tensor([18, 0, 7, 1, 12])
    actual = program.module()(longer, *states, lengths)
    assert_close(actual, module(longer, *states, lengths), **EXACT)


def test_autocast_casts_all_but_the_cell(make, gradients):
    problem = make("both directions, lengths")
    inputs = problem.to(torch.float32)
    rounded = [each.detach().bfloat16() for each in inputs[:5]] + [inputs[5].detach()]
    with torch.autocast("cpu", dtype=torch.bfloat16):
        actual = call(problem, inputs)
        default = lstm_sequence(*inputs[:4])
        actual_gradients = gradients(actual[:3], inputs)
    assert [each.dtype for each in actual[:3]] == [torch.bfloat16, torch.bfloat16, torch.float32]
    assert default.c_n.dtype == torch.bfloat16
    again = [each.requires_grad_() for each in rounded]
    wanted = call(problem, again)
    assert_close(tuple(actual[:3]), tuple(wanted[:3]), rtol=0, atol=0)
    wanted_gradients = [each.float() for each in gradients(wanted[:3], again)]
    assert_close(list(actual_gradients), wanted_gradients, rtol=0, atol=0)


def test_autocast_leaves_float64_alone_and_compiles(make):
    problem = make("plain")
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert call(problem).output.dtype == torch.float64
        inputs = problem.to(torch.float32)
        compiled = torch.compile(lambda *x: call(problem, x), fullgraph=True, backend="aot_eager")
        actual, wanted = compiled(*inputs), call(problem, inputs)
    assert_close(tuple(actual[:3]), tuple(wanted[:3]), rtol=0, atol=0)
