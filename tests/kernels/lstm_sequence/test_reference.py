"""The ground truth of the LSTM against nn.LSTM, and its backward pass against autograd, in float64."""

import pytest
import torch
from torch.testing import assert_close

from rnnlab_kernels.lstm_sequence import reference

EXACT = {"rtol": 1e-10, "atol": 1e-12}


def project(x, weight_ih, bias):
    return torch.cat([x @ weight.T + b for weight, b in zip(weight_ih, bias, strict=True)], -1)


def run(problem, save=True):
    x, weight_ih, weight_hh, bias, h_0, c_0 = problem.inputs
    x_proj = project(x, weight_ih, bias)
    return reference.forward(
        x_proj, weight_hh, h_0, c_0, problem.lengths, problem.reverse, "ieee", save, save
    )


def valid(problem):
    x = problem.tensors["x"]
    if problem.lengths is None:
        return torch.ones(*x.shape[:2], 1, dtype=torch.bool)
    return (torch.arange(len(x))[:, None] < problem.lengths)[..., None]


def test_results_and_gradients_are_those_of_nn_lstm(problem, expected, gradients):
    actual = run(problem)[:3]
    wanted = expected(problem.inputs, problem.lengths, problem.reverse)
    assert_close(actual, wanted, **EXACT)
    inputs = (problem.tensors["h_0"], problem.tensors["c_0"])  # all inputs there are when every row is empty
    if problem.lengths is None or problem.lengths.any():
        inputs = problem.inputs
    assert_close(gradients(actual, inputs), gradients(wanted, inputs), **EXACT)


def test_output_is_made_of_the_saved_gates_and_cells(problem):
    output, _, _, cells, gates = run(problem)
    directions = problem.tensors["h_0"].shape[0]
    for h, c, gate in zip(*(each.chunk(directions, -1) for each in (output, cells, gates)), strict=True):
        assert_close(gate.chunk(4, -1)[3] * c.tanh(), h, **EXACT)
    assert not gates[~valid(problem).expand_as(gates)].any()
    assert not output[~valid(problem).expand_as(output)].any()


def test_padded_steps_hold_the_cell(make):
    problem = make("both directions, lengths")
    _, _, c_n, cells, _ = run(problem)
    forwards, backwards = cells.chunk(2, -1)
    for row, length in enumerate(problem.lengths):
        for t in range(int(length), len(cells)):
            assert torch.equal(forwards[t, row], c_n[0, row])
            assert torch.equal(backwards[t, row], problem.tensors["c_0"][1, row])


def test_backward_is_the_gradient_of_forward(problem):
    x, weight_ih, weight_hh, bias, h_0, c_0 = problem.inputs
    x_proj = project(x, weight_ih, bias).detach().requires_grad_()
    settings = (problem.lengths, problem.reverse, "ieee")
    output, h_n, c_n, cells, gates = reference.forward(x_proj, weight_hh, h_0, c_0, *settings, True, True)
    d_results = [torch.randn_like(each) for each in (output, h_n, c_n)]
    wanted = torch.autograd.grad((output, h_n, c_n), (x_proj, h_0, c_0), d_results)
    actual = reference.backward(
        *d_results, weight_hh, c_0, problem.lengths, cells, gates, problem.reverse, "ieee"
    )
    assert_close(actual, wanted, **EXACT)
    assert not actual[0][~valid(problem).expand_as(actual[0])].any()


def test_replay_gives_what_forward_saved(problem):
    x, weight_ih, weight_hh, bias, h_0, c_0 = problem.inputs
    output, _, _, cells, gates = run(problem)
    hidden, head = h_0.shape[-1], weight_hh.shape[-1]
    lengths = [len(x)] * x.shape[1] if problem.lengths is None else problem.lengths.tolist()
    preact = project(x, weight_ih, bias).clone()
    for d, (weight, rows) in enumerate(zip(weight_hh, preact.chunk(len(h_0), -1), strict=True)):
        step = -1 if problem.reverse or d == 1 else 1
        out = output[..., d * hidden : (d + 1) * hidden]
        for b, length in enumerate(lengths):
            first = 0 if step == 1 else length - 1
            for t in range(length):
                h = h_0[d, b] if t == first else out[t - step, b]
                for r in range(4 * hidden):
                    start = r % hidden // head * head
                    rows.data[t, b, r] += weight[r] @ h[start : start + head]
    actual = reference.replay(preact, c_0, problem.lengths, problem.reverse)
    assert_close(actual, (cells, gates), **EXACT)


def test_nothing_is_saved_unasked(make):
    output, h_n, c_n, cells, gates = run(make("plain"), save=False)
    assert cells.shape == gates.shape == (0,)
    assert_close((output, h_n, c_n), run(make("plain"))[:3], rtol=0, atol=0)


@pytest.mark.parametrize("poison", [float("nan"), float("inf")])
@pytest.mark.parametrize("name", ["lengths", "lengths, reverse", "both directions, lengths", "only padding"])
def test_what_stands_in_padding_reaches_nothing(make, name, poison):
    problem = make(name)
    x, weight_ih, weight_hh, bias, h_0, c_0 = (each.detach() for each in problem.inputs)
    settings = (problem.lengths, problem.reverse, "ieee")
    x_proj = project(x, weight_ih, bias)
    spoiled = torch.where(valid(problem), x_proj, poison)
    clean = reference.forward(x_proj, weight_hh, h_0, c_0, *settings, True, True)
    assert_close(
        reference.forward(spoiled, weight_hh, h_0, c_0, *settings, True, True), clean, rtol=0, atol=0
    )
    replayed = (reference.replay(each, c_0, *settings[:2]) for each in (spoiled, x_proj))
    assert_close(*replayed, rtol=0, atol=0)

    def back(d_output):
        d_state = torch.ones_like(h_0)
        return reference.backward(
            d_output, d_state, d_state, weight_hh, c_0, settings[0], *clean[3:], *settings[1:]
        )

    d_output = torch.ones_like(clean[0])
    assert_close(back(torch.where(valid(problem), d_output, poison)), back(d_output), rtol=0, atol=0)


def test_autograd_through_padding_stays_clean(make, gradients):
    problem = make("both directions, lengths")
    x, weight_ih, weight_hh, bias, h_0, c_0 = problem.inputs
    x_proj = project(x, weight_ih, bias)
    spoiled = torch.where(valid(problem), x_proj, float("nan")).detach().requires_grad_()
    results = reference.forward(
        spoiled, weight_hh, h_0, c_0, problem.lengths, problem.reverse, "ieee", False, False
    )
    assert_close(
        gradients(results[:3], (weight_hh, h_0, c_0)),
        gradients(run(problem)[:3], (weight_hh, h_0, c_0)),
        **EXACT,
    )


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float16, 1e-3), (torch.bfloat16, 1e-2)])
def test_sixteen_bits_keep_the_state_in_float32(dtype, tolerance):
    """A cell that grows by less than its last bit a step stands still in 16 bits and does not in float32."""
    steps, hidden = 600, 2
    x_proj = torch.zeros(steps, 1, 4 * hidden, dtype=dtype)
    x_proj[..., hidden : 2 * hidden] = 30.0  # f is 1
    x_proj[..., 2 * hidden : 3 * hidden] = 0.01  # i * g is about 0.005
    weight = torch.zeros(1, 4 * hidden, hidden, dtype=dtype)
    h_0, c_0 = torch.zeros(1, 1, hidden, dtype=dtype), torch.full((1, 1, hidden), 4.0)
    output, h_n, c_n, cells, gates = reference.forward(
        x_proj, weight, h_0, c_0, None, False, "ieee", True, True
    )
    grown = 4 + steps * 0.5 * torch.tensor(0.01, dtype=dtype).double().tanh().item()
    assert_close(c_n, torch.full_like(c_n, grown), rtol=1e-4, atol=0)
    assert (output.dtype, h_n.dtype, c_n.dtype) == (dtype, dtype, torch.float32)
    assert (cells.dtype, gates.dtype) == (torch.float32, dtype)
    c_n_16 = reference.forward(x_proj, weight, h_0, c_0.to(dtype), None, False, "ieee", False, False)[2]
    assert c_n_16.dtype == dtype
    assert_close(c_n_16.double(), c_n.double(), rtol=tolerance, atol=0)


def test_saturated_gates_give_no_nan():
    generator = torch.Generator().manual_seed(3)
    x_proj = 200 * torch.rand(20, 3, 16, generator=generator) - 100
    weight = 10 * torch.randn(1, 16, 4, generator=generator)
    state = torch.zeros(1, 3, 4)
    results = reference.forward(x_proj, weight, state, state, None, False, "ieee", True, True)
    d_results = [torch.ones_like(each) for each in results[:3]]
    d_preact, d_h_0, d_c_0 = reference.backward(*d_results, weight, state, None, *results[3:], False, "ieee")
    for each in (*results, d_preact, d_h_0, d_c_0):
        assert each.isfinite().all()
