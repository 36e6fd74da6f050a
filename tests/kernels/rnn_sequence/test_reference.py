"""The ground truth of the RNN against a loop over rows and nn.RNN, its backward pass against autograd."""

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from rnnlab_kernels.rnn_sequence import reference

EXACT = {"rtol": 1e-10, "atol": 1e-12}
NONLINEARITIES = ["tanh", "sigmoid", "relu"]


def project(x, weight_ih, bias):
    return torch.cat([x @ weight.T + b for weight, b in zip(weight_ih, bias, strict=True)], -1)


def run(problem, nonlinearity):
    x, weight_ih, weight_hh, bias, h_0 = problem.inputs
    x_proj = project(x, weight_ih, bias)
    return reference.forward(x_proj, weight_hh, h_0, problem.lengths, nonlinearity, problem.reverse, "ieee")


@pytest.mark.parametrize("nonlinearity", NONLINEARITIES)
def test_results_and_gradients_are_those_of_a_loop(problem, expected, gradients, nonlinearity):
    actual = run(problem, nonlinearity)
    wanted = expected(problem.inputs, problem.lengths, problem.reverse, nonlinearity)
    assert_close(actual, wanted, **EXACT)
    assert_close(gradients(actual, problem.inputs), gradients(wanted, problem.inputs), **EXACT)


@pytest.mark.parametrize("nonlinearity", ["tanh", "relu"])
def test_both_directions_are_those_of_nn_rnn(make, nonlinearity):
    problem = make("both directions")
    x, weight_ih, weight_hh, bias, h_0 = problem.inputs
    module = nn.RNN(x.shape[-1], h_0.shape[-1], nonlinearity=nonlinearity, bidirectional=True).double()
    with torch.no_grad():
        for d, suffix in enumerate(("l0", "l0_reverse")):
            getattr(module, f"weight_ih_{suffix}").copy_(weight_ih[d])
            getattr(module, f"weight_hh_{suffix}").copy_(weight_hh[d])
            getattr(module, f"bias_ih_{suffix}").copy_(bias[d])
            getattr(module, f"bias_hh_{suffix}").zero_()
    assert_close(run(problem, nonlinearity), module(x, h_0), **EXACT)


@pytest.mark.parametrize("nonlinearity", NONLINEARITIES)
def test_backward_is_the_gradient_of_forward(problem, nonlinearity):
    x, weight_ih, weight_hh, bias, h_0 = problem.inputs
    x_proj = project(x, weight_ih, bias).detach().requires_grad_()
    settings = (nonlinearity, problem.reverse, "ieee")
    output, h_n = reference.forward(x_proj, weight_hh, h_0, problem.lengths, *settings)
    d_results = [torch.randn_like(each) for each in (output, h_n)]
    wanted = torch.autograd.grad((output, h_n), (x_proj, h_0), d_results)
    actual = reference.backward(*d_results, weight_hh, problem.lengths, output.detach(), *settings)
    assert_close(actual, wanted, **EXACT)


@pytest.mark.parametrize("poison", [float("nan"), float("inf")])
@pytest.mark.parametrize("name", ["lengths, reverse", "both directions, lengths"])
def test_what_stands_in_padding_reaches_nothing(make, name, poison):
    problem = make(name)
    x, weight_ih, weight_hh, bias, h_0 = (each.detach() for each in problem.inputs)
    valid = (torch.arange(len(x))[:, None] < problem.lengths)[..., None]
    settings = ("tanh", problem.reverse, "ieee")
    x_proj = project(x, weight_ih, bias)
    clean = reference.forward(x_proj, weight_hh, h_0, problem.lengths, *settings)
    spoiled = torch.where(valid, x_proj, poison)
    actual = reference.forward(spoiled, weight_hh, h_0, problem.lengths, *settings)
    assert_close(actual, clean, rtol=0, atol=0)
    d_output, d_h_n = torch.ones_like(clean[0]), torch.ones_like(h_0)
    bad = torch.where(valid, d_output, poison)
    actual, wanted = (
        reference.backward(d, d_h_n, weight_hh, problem.lengths, clean[0], *settings) for d in (bad, d_output)
    )
    assert_close(actual, wanted, rtol=0, atol=0)
    assert not actual[0][~valid.expand_as(actual[0])].any()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=str)
def test_sixteen_bits_keep_the_state_in_float32(dtype):
    """A counter: h grows by less than its last bit a step, which 16 bits would lose."""
    x_proj = torch.full((100, 1, 2), 2.0**-12, dtype=dtype)
    h_0, weight = torch.full((1, 1, 2), 4.0, dtype=dtype), torch.eye(2, dtype=dtype)[None]
    output, h_n = reference.forward(x_proj, weight, h_0, None, "relu", False, "ieee")
    assert (output.dtype, h_n.dtype) == (dtype, dtype)
    assert_close(h_n, torch.full_like(h_0, 4 + 100 * 2.0**-12), rtol=0, atol=0)
