"""The RNN as an operator: values, gradients of both orders, compilation, export, autocast."""

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from rnnlab_kernels import rnn_sequence

EXACT = {"rtol": 1e-10, "atol": 1e-12}
# What a whole sequence may lose in each type, against float64.
TOLERANCES = {
    torch.float32: {"rtol": 1e-4, "atol": 1e-5},
    torch.float16: {"rtol": 2e-2, "atol": 1e-2},
    torch.bfloat16: {"rtol": 8e-2, "atol": 6e-2},
}
DEVICES = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]
NONLINEARITIES = ["tanh", "sigmoid", "relu"]


def call(problem, inputs=None, **options):
    x, weight_ih, weight_hh, bias, h_0 = problem.inputs if inputs is None else inputs
    lengths = None if problem.lengths is None else problem.lengths.to(x.device)
    return rnn_sequence(x, weight_ih, weight_hh, bias, h_0, lengths, reverse=problem.reverse, **options)


@pytest.mark.parametrize("nonlinearity", NONLINEARITIES)
def test_values_and_gradients_in_float64(problem, expected, gradients, nonlinearity):
    actual = call(problem, nonlinearity=nonlinearity)
    wanted = expected(problem.inputs, problem.lengths, problem.reverse, nonlinearity)
    assert_close(tuple(actual), wanted, **EXACT)
    assert_close(gradients(actual, problem.inputs), gradients(wanted, problem.inputs), **EXACT)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("dtype", TOLERANCES, ids=str)
@pytest.mark.parametrize("nonlinearity", ["tanh", "sigmoid"])
@pytest.mark.parametrize("name", ["plain", "heads, both directions, lengths"])
def test_values_and_gradients_in_other_types(make, expected, gradients, name, nonlinearity, dtype, device):
    problem = make(name)
    inputs = [each.detach().to(device, dtype).requires_grad_() for each in problem.inputs]
    actual = call(problem, inputs, nonlinearity=nonlinearity)
    assert [each.dtype for each in actual] == [dtype] * 2
    rounded = problem.to(dtype)
    exact = [each.double() for each in rounded]
    wanted = expected(exact, problem.lengths, problem.reverse, nonlinearity)
    results = [each.cpu().double() for each in actual]
    assert_close(results, list(wanted), **TOLERANCES[dtype])
    for ours, theirs in zip(gradients(results, inputs), gradients(wanted, rounded), strict=True):
        scale = theirs.double().abs().max()
        assert_close(ours.cpu().double() / scale, theirs.double() / scale, **TOLERANCES[dtype])


@pytest.mark.parametrize("name", ["lengths, reverse", "both directions, lengths"])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=str)
@pytest.mark.parametrize("poison", [float("nan"), float("inf")])
def test_padding_reaches_no_result_and_no_gradient(make, gradients, name, dtype, poison):
    problem = make(name)
    clean = problem.to(dtype)
    x = clean[0].detach()
    valid = (torch.arange(len(x))[:, None] < problem.lengths)[..., None]
    spoiled = (torch.where(valid, x, poison).requires_grad_(), *clean[1:])
    results = call(problem, spoiled)
    assert_close(tuple(results), tuple(call(problem, clean)), rtol=0, atol=0)
    actual, wanted = (gradients(call(problem, inputs), inputs) for inputs in (spoiled, clean))
    assert_close(actual, wanted, rtol=0, atol=0)
    d_output = torch.ones_like(results.output)
    bad = torch.where(valid, d_output, poison)
    actual, wanted = (torch.autograd.grad(call(problem, clean).output, clean, d) for d in (bad, d_output))
    assert_close(actual, wanted, rtol=0, atol=0)


@pytest.mark.parametrize("nonlinearity", NONLINEARITIES)
@pytest.mark.parametrize("name", ["plain", "heads, both directions, lengths"])
def test_gradients_of_both_orders_are_those_of_finite_differences(make, name, nonlinearity):
    problem = make(name)

    def function(*inputs):
        return tuple(call(problem, inputs, nonlinearity=nonlinearity))

    assert torch.autograd.gradcheck(function, problem.inputs)
    assert torch.autograd.gradgradcheck(function, problem.inputs, fast_mode=True)


def test_projected_input_weights_of_one_direction_and_defaults(make, gradients):
    problem = make("plain")
    x, weight_ih, weight_hh, bias, _ = problem.inputs
    full = rnn_sequence(x, weight_ih, weight_hh, bias)
    zero = torch.zeros(1, x.shape[1], weight_hh.shape[1], dtype=x.dtype)
    wanted = gradients(full, (x, weight_ih, weight_hh, bias))
    for other in (
        rnn_sequence(x, weight_ih[0], weight_hh[0], bias[0]),
        rnn_sequence(x @ weight_ih[0].T, None, weight_hh, bias, zero),
        rnn_sequence(x @ weight_ih[0].T + bias[0], None, weight_hh),
    ):
        assert_close(tuple(other), tuple(full), **EXACT)
        assert_close(gradients(other, (x, weight_ih, weight_hh, bias)), wanted, **EXACT)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16], ids=str)
def test_two_runs_are_equal_bit_by_bit(make, gradients, dtype):
    problem = make("both directions, lengths")
    runs = []
    for _ in range(2):
        inputs = problem.to(dtype)
        results = tuple(call(problem, inputs))
        tensors = [*results, *gradients(results, inputs)]
        runs.append([each.detach().contiguous().view(torch.uint8) for each in tensors])
    assert all(torch.equal(a, b) for a, b in zip(*runs, strict=True))


@pytest.mark.parametrize("nonlinearity", NONLINEARITIES)
def test_opcheck(make, nonlinearity):
    problem = make("short")
    ops, settings = torch.ops.rnnlab_kernels, (nonlinearity, False, "ieee")
    torch.library.opcheck(ops.rnn_sequence, (*problem.inputs, problem.lengths, *settings))
    output, h_n = (each.detach() for each in call(problem, nonlinearity=nonlinearity))
    weight_hh = problem.tensors["weight_hh"].detach()
    torch.library.opcheck(
        ops.rnn_sequence_backward, (output, h_n, weight_hh, problem.lengths, output, *settings)
    )


def test_compiled_in_one_graph(make, gradients):
    problem = make("both directions, lengths")
    compiled = torch.compile(lambda *inputs: call(problem, inputs), fullgraph=True, backend="aot_eager")
    actual, wanted = compiled(*problem.inputs), call(problem)
    assert_close(tuple(actual), tuple(wanted), **EXACT)
    assert_close(gradients(actual, problem.inputs), gradients(wanted, problem.inputs), **EXACT)


class Exported(nn.Module):
    def __init__(self, inputs):
        super().__init__()
        self.weights = nn.ParameterList(each.detach() for each in inputs[1:4])

    def forward(self, x, h_0, lengths):
        return tuple(rnn_sequence(x, *self.weights, h_0, lengths))


def test_exported_with_any_time_and_batch(make):
    problem = make("both directions, lengths")
    module = Exported(problem.inputs)
    x, h_0 = (problem.tensors[name].detach() for name in ("x", "h_0"))
    time, batch = torch.export.Dim("time"), torch.export.Dim("batch")
    shapes = ({0: time, 1: batch}, {1: batch}, {0: batch})
    program = torch.export.export(module, (x, h_0, problem.lengths), dynamic_shapes=shapes)
    rows = [0, 1, 2, 3, 0]
    longer = torch.cat([x, x, x])[:, rows], h_0[:, rows], torch.tensor([18, 0, 7, 1, 12])
    assert_close(program.module()(*longer), module(*longer), **EXACT)


def test_autocast_casts_all(make, gradients):
    problem = make("both directions, lengths")
    inputs = problem.to(torch.float32)
    rounded = [each.detach().bfloat16().requires_grad_() for each in inputs]
    with torch.autocast("cpu", dtype=torch.bfloat16):
        actual = call(problem, inputs)
        assert call(problem).output.dtype == torch.float64
        actual_gradients = gradients(actual, inputs)
    wanted = call(problem, rounded)
    assert [each.dtype for each in actual] == [torch.bfloat16] * 2
    assert_close(tuple(actual), tuple(wanted), rtol=0, atol=0)
    wanted_gradients = [each.float() for each in gradients(wanted, rounded)]
    assert_close(list(actual_gradients), wanted_gradients, rtol=0, atol=0)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"nonlinearity": "gelu"}, r"nonlinearity must be one of tanh, sigmoid, relu, got 'gelu'; choose"),
        ({"weight_hh": torch.randn(3, 6, 6)}, r"weight_hh must be \[D, H, P\] .* got \[3, 6, 6\]; stack"),
        ({"weight_hh": torch.randn(2, 6, 4)}, r"weight_hh must have H rows .* got 6 rows of 4; for nn.RNN"),
        ({"h_0": torch.randn(2, 3, 6).half()}, r"h_0 must be float32 as x is, got float16; use h_0.to"),
        ({"lengths": torch.tensor([5, 0, 6])}, r"lengths must be 0..5, got 0..6; count"),
        ({"weight_ih": None}, r"x without weight_ih must hold 12 projected values a step, got 4; project"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(changes, message):
    arguments = {
        "x": torch.randn(5, 3, 4),
        "weight_ih": torch.randn(2, 6, 4),
        "weight_hh": torch.randn(2, 6, 6),
        "h_0": torch.randn(2, 3, 6),
    }
    with pytest.raises(ValueError, match=message) as raised:
        rnn_sequence(**(arguments | changes))
    assert "\n" not in str(raised.value)
