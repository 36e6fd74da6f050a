"""The LSTM as an operator: values, gradients of both orders, memory."""

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from rnnlab_kernels import lstm_sequence

OP = torch.ops.rnnlab_kernels.lstm_sequence
EXACT = {"rtol": 1e-10, "atol": 1e-12}
# What a whole sequence may lose in each type, against float64.
TOLERANCES = {
    torch.float32: {"rtol": 1e-4, "atol": 1e-5},
    torch.float16: {"rtol": 2e-2, "atol": 1e-2},
    torch.bfloat16: {"rtol": 8e-2, "atol": 6e-2},
}
DEVICES = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]


def call(problem, inputs=None, **options):
    x, weight_ih, weight_hh, bias, h_0, c_0 = problem.inputs if inputs is None else inputs
    lengths = None if problem.lengths is None else problem.lengths.to(x.device)
    return lstm_sequence(x, weight_ih, weight_hh, bias, h_0, c_0, lengths, reverse=problem.reverse, **options)


def bits(tensors):
    return [tensor.detach().contiguous().view(torch.uint8) for tensor in tensors]


@pytest.mark.parametrize("lean", [False, True])
def test_values_and_gradients_in_float64(problem, expected, gradients, lean):
    actual = call(problem, lean=lean)
    wanted = expected(problem.inputs, problem.lengths, problem.reverse)
    assert actual.gates is None
    assert_close(tuple(actual[:3]), wanted, **EXACT)
    inputs = problem.inputs
    if problem.lengths is not None and not problem.lengths.any():
        inputs = inputs[4:]  # the rest is not in nn.LSTM's graph
    assert_close(gradients(actual[:3], inputs), gradients(wanted, inputs), **EXACT)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("dtype", TOLERANCES, ids=str)
@pytest.mark.parametrize("name", ["plain", "both directions, lengths", "heads, both directions, lengths"])
@pytest.mark.parametrize("lean", [False, True])
def test_values_and_gradients_in_other_types(make, expected, gradients, name, dtype, device, lean):
    problem = make(name)
    inputs = [each.detach().to(device, dtype).requires_grad_() for each in problem.inputs]
    actual = call(problem, inputs, lean=lean)
    rounded = problem.to(dtype)
    wanted = expected([each.double() for each in rounded], problem.lengths, problem.reverse)
    results = [each.cpu().double() for each in actual[:3]]
    assert [each.dtype for each in actual[:3]] == [dtype] * 3
    assert_close(results, list(wanted), **TOLERANCES[dtype])
    actual_gradients = [each.cpu().double() for each in gradients(results, inputs)]
    wanted_gradients = [each.double() for each in gradients(wanted, rounded)]
    for ours, theirs in zip(actual_gradients, wanted_gradients, strict=True):
        scale = theirs.abs().max()
        assert_close(ours / scale, theirs / scale, **TOLERANCES[dtype])


@pytest.mark.parametrize("name", ["lengths", "lengths, reverse", "both directions, lengths"])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=str)
@pytest.mark.parametrize("poison", [float("nan"), float("inf")])
@pytest.mark.parametrize("lean", [False, True])
def test_padding_reaches_no_result_and_no_gradient(make, gradients, name, dtype, poison, lean):
    problem = make(name)
    clean = problem.to(dtype)
    x = clean[0].detach()
    valid = (torch.arange(len(x))[:, None] < problem.lengths)[..., None]
    spoiled = (torch.where(valid, x, poison).requires_grad_(), *clean[1:])
    results = call(problem, spoiled, lean=lean)[:3]
    assert_close(results, call(problem, clean, lean=lean)[:3], rtol=0, atol=0)
    actual, wanted = (gradients(call(problem, inputs, lean=lean)[:3], inputs) for inputs in (spoiled, clean))
    assert_close(actual, wanted, rtol=0, atol=0)
    assert not actual[0][~valid.expand_as(x)].any()

    d_output = torch.ones_like(results[0])
    bad = torch.where(valid, d_output, poison)
    actual, wanted = (
        torch.autograd.grad(call(problem, clean, lean=lean).output, clean, d) for d in (bad, d_output)
    )
    assert_close(actual, wanted, rtol=0, atol=0)


def test_padding_reaches_no_second_gradient(make):
    problem = make("both directions, lengths")
    x, *rest = problem.inputs
    valid = (torch.arange(len(x))[:, None] < problem.lengths)[..., None]

    def penalty(x):
        output = call(problem, (x, *rest)).output
        firsts = torch.autograd.grad(output.square().sum(), (x, *rest), create_graph=True)
        return torch.autograd.grad(sum(each.square().sum() for each in firsts), (x, *rest))

    spoiled = torch.where(valid, x.detach(), float("nan")).requires_grad_()
    assert_close(penalty(spoiled), penalty(x), **EXACT)


@pytest.mark.parametrize("name", ["plain", "lengths, reverse", "heads, both directions, lengths"])
@pytest.mark.parametrize("lean", [False, True])
def test_gradients_of_both_orders_are_those_of_finite_differences(make, name, lean):
    problem = make(name)

    def function(*inputs):
        return call(problem, inputs, lean=lean)[:3]

    assert torch.autograd.gradcheck(function, problem.inputs)
    # fast_mode projects on random directions; the whole matrix would take minutes.
    assert torch.autograd.gradgradcheck(function, problem.inputs, fast_mode=True)


def test_second_gradients_where_an_input_depends_on_another(make, expected):
    """h_0 is made of x, and one weight of the other: nothing may be counted twice."""
    problem = make("plain")
    x, weight_ih, weight_hh, bias, _, c_0 = problem.inputs

    def second(function):
        made = (x, weight_ih, weight_hh * weight_ih.sum(), bias, x.sum() * c_0.sin(), c_0)
        output = function(made)[0]
        firsts = torch.autograd.grad(output.square().sum(), (x, weight_ih, c_0), create_graph=True)
        return firsts, torch.autograd.grad(sum(each.square().sum() for each in firsts), (x, weight_ih, c_0))

    actual = second(lambda inputs: call(problem, inputs))
    assert_close(actual, second(lambda inputs: expected(inputs, None, False)), **EXACT)


def test_projected_input_weights_of_one_direction_and_defaults(make, gradients):
    problem = make("plain")
    x, weight_ih, weight_hh, bias, _, _ = problem.inputs
    full = lstm_sequence(x, weight_ih, weight_hh, bias)
    flat = lstm_sequence(x, weight_ih[0], weight_hh[0], bias[0])
    projected = lstm_sequence(x @ weight_ih[0].T, None, weight_hh, bias)
    assert full.h_n.shape == (1, x.shape[1], weight_hh.shape[1] // 4)
    module = nn.LSTM(x.shape[-1], weight_hh.shape[-1], bias=False, dtype=torch.float64)
    with torch.no_grad():
        module.weight_ih_l0.copy_(weight_ih[0])
        module.weight_hh_l0.copy_(weight_hh[0])
    assert_close(lstm_sequence(x, weight_ih, weight_hh).output, module(x)[0], **EXACT)
    wanted = gradients(full[:3], (x, weight_ih, weight_hh, bias))
    for other in (flat, projected):
        assert_close(tuple(other[:3]), tuple(full[:3]), **EXACT)
        assert_close(gradients(other[:3], (x, weight_ih, weight_hh, bias)), wanted, **EXACT)


def test_rows_without_steps_give_the_weights_no_gradient(make):
    problem = make("only padding")
    for each in torch.autograd.grad(sum(result.sum() for result in call(problem)[:3]), problem.inputs[:4]):
        assert not each.any()


def test_some_gradients_alone(make):
    problem = make("both directions, lengths")
    wanted = torch.autograd.grad(call(problem).output.square().sum(), problem.inputs)
    for index in range(6):
        inputs = [each.detach().requires_grad_(i == index) for i, each in enumerate(problem.inputs)]
        call(problem, inputs).output.square().sum().backward()
        assert_close(inputs[index].grad, wanted[index], **EXACT)
        assert all(each.grad is None for i, each in enumerate(inputs) if i != index)


@pytest.mark.parametrize("grad", [False, True])
def test_gates_to_look_at(problem, grad):
    with torch.set_grad_enabled(grad):
        plain, looked = call(problem), call(problem, return_gates=True)
        lean = call(problem, lean=True, return_gates=True)
    assert not looked.gates.requires_grad
    assert_close(tuple(looked[:3]), tuple(plain[:3]), rtol=0, atol=0)
    assert_close(looked.gates, lean.gates, rtol=0, atol=0)


def test_gates_are_those_of_the_equations(make):
    problem = make("both directions")
    x, weight_ih, weight_hh, bias, h_0, _ = problem.inputs
    output, _, _, gates = call(problem, return_gates=True)
    forwards, backwards = output.chunk(2, -1)
    before = torch.cat([h_0[:1], forwards[:-1]]), torch.cat([backwards[1:], h_0[1:]])
    for d, (h, ours) in enumerate(zip(before, gates.chunk(2, -1), strict=True)):
        i, f, g, o = (x @ weight_ih[d].T + bias[d] + h @ weight_hh[d].T).chunk(4, -1)
        assert_close(ours, torch.cat([i.sigmoid(), f.sigmoid(), g.tanh(), o.sigmoid()], -1), **EXACT)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=str)
def test_the_cell_keeps_its_own_type(make, dtype):
    problem = make("lengths")
    inputs = [each.detach().to(dtype).requires_grad_() for each in problem.inputs[:5]]
    c_0 = problem.tensors["c_0"].detach().float().requires_grad_()
    output, h_n, c_n, _ = call(problem, (*inputs, c_0))
    assert (output.dtype, h_n.dtype, c_n.dtype) == (dtype, dtype, torch.float32)
    assert torch.equal(c_n[0, 1], c_0[0, 1])  # the row of length 0, not rounded
    (output.float().sum() + c_n.sum()).backward()
    assert c_0.grad.dtype == torch.float32
    assert all(each.grad.dtype == dtype for each in inputs)


@pytest.mark.parametrize("lean", [False, True])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16], ids=str)
def test_two_runs_are_equal_bit_by_bit(make, gradients, dtype, lean):
    problem = make("both directions, lengths")
    runs = []
    for _ in range(2):
        inputs = problem.to(dtype)
        results = call(problem, inputs, lean=lean)[:3]
        runs.append(bits([*results, *gradients(results, inputs)]))
    assert all(torch.equal(a, b) for a, b in zip(*runs, strict=True))


def test_lean_keeps_nothing_but_inputs_and_output(make):
    problem = make("both directions")
    seq_len, batch_size, inputs = problem.tensors["x"].shape
    units = 2 * problem.tensors["h_0"].shape[-1]
    steps = seq_len * batch_size

    def kept(**options):
        """Values that stay alive along time for the backward pass."""
        sizes = {}

        def pack(tensor):
            if tensor.shape[:2] == (seq_len, batch_size):
                sizes[tensor.data_ptr()] = tensor.numel()
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
            call(problem, **options)
        return sum(sizes.values())

    assert kept(lean=True) == kept(lean=True, return_gates=True) == steps * (inputs + units)
    assert kept() == steps * (inputs + units + units + 4 * units)


def test_nothing_is_saved_where_no_gradient_is_wanted(make):
    problem = make("plain")
    sizes = []

    class Watch(torch.utils._python_dispatch.TorchDispatchMode):
        def __torch_dispatch__(self, function, types, args=(), kwargs=None):
            results = function(*args, **(kwargs or {}))
            if function is OP.default:
                sizes.append([each.numel() for each in results[3:]])
            return results

    with Watch():
        with torch.no_grad():
            call(problem)
        call(problem, [each.detach() for each in problem.inputs])
        call(problem, lean=True)
        call(problem)
    cells = problem.tensors["x"][..., 0].numel() * problem.tensors["h_0"].shape[-1]
    assert sizes == [[0, 0], [0, 0], [0, 0], [cells, 4 * cells]]


@pytest.mark.parametrize("dtype", [torch.int32, torch.int64, torch.uint8])
def test_lengths_of_any_integer_type(make, dtype):
    problem = make("lengths, reverse")
    wanted = call(problem)
    problem.lengths = problem.lengths.to(dtype)
    assert_close(tuple(call(problem)[:3]), tuple(wanted[:3]), rtol=0, atol=0)


@pytest.mark.parametrize("lengths", [torch.tensor([[3, 9], [0, 9], [5, 9]])[:, 0], torch.tensor(4).expand(3)])
def test_lengths_may_stand_apart_in_memory(lengths):
    generator = torch.Generator().manual_seed(0)
    x, weight = torch.randn(5, 3, 32, generator=generator), torch.randn(32, 8, generator=generator) / 3

    apart = lstm_sequence(x, None, weight, lengths=lengths)
    together = lstm_sequence(x, None, weight, lengths=lengths.contiguous())

    assert torch.equal(apart.output, together.output)
    assert torch.equal(apart.c_n, together.c_n)
