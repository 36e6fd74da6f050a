from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from rnnlab.api import Cell, Stack
from rnnlab.config.section import CellConfig, StackConfig
from rnnlab_plugins.backends.reference import ReferenceBackend
from rnnlab_plugins.backends.torch import TorchBackend

BATCHES = {
    "whole": (5, 4, None),
    "all of full length": (5, 4, (5, 5, 5, 5)),
    "unequal": (5, 4, (3, 0, 5, 1)),
    "shorter than the padding": (9, 3, (2, 4, 1)),
    "all empty": (3, 2, (0, 0)),
    "one row": (7, 1, (4,)),
    "one step": (1, 3, (1, 0, 1)),
    "one step of one row": (1, 1, None),
}
CPU = torch.device("cpu")


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("batch", BATCHES)
@pytest.mark.parametrize("kind", ["lstm", "gru", "tanh", "relu"])
def test_results_and_gradients_are_those_of_torch_row_by_row(
    make_cell, results, assert_agree, row_by_row, kind, batch, reverse
):
    run = (make_cell(kind, 3, 7), *BATCHES[batch], reverse)
    assert_agree(results(TorchBackend(), *run), results(row_by_row, *run))


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
@pytest.mark.parametrize("kind", ["lstm", "gru", "tanh", "relu"])
def test_results_and_gradients_are_those_of_the_reference(
    make_cell, results, assert_agree, kind, dtype, reverse, bias
):
    cell = make_cell(kind, 5, 9, dtype, bias)
    assert TorchBackend().supports(cell, CPU, dtype) is None
    run = (cell, 6, 5, (6, 2, 0, 1, 5), reverse)
    assert_agree(results(TorchBackend(), *run), results(ReferenceBackend(), *run))


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_any_lengths(make_cell, results, assert_agree, data):
    seq_len, batch_size = data.draw(st.integers(1, 9)), data.draw(st.integers(1, 5))
    input_size, hidden_size = data.draw(st.integers(1, 4)), data.draw(st.integers(1, 6))
    lengths = data.draw(st.lists(st.integers(0, seq_len), min_size=batch_size, max_size=batch_size))
    kind = data.draw(st.sampled_from(["lstm", "gru", "tanh", "relu"]))
    run = (make_cell(kind, input_size, hidden_size), seq_len, batch_size, lengths, data.draw(st.booleans()))
    assert_agree(results(TorchBackend(), *run), results(ReferenceBackend(), *run))


@pytest.mark.parametrize("kind", ["lstm", "gru", "tanh", "relu"])
def test_a_stack_of_two_layers_in_both_directions(make_cell, kind):
    def run(backend):
        torch.manual_seed(0)
        config = StackConfig(hidden_size=7, num_layers=2, bidirectional=True)
        stack = Stack(lambda i, h: make_cell(kind, i, h), 3, config, backend).double()
        for parameter in stack.parameters():
            nn.init.normal_(parameter, std=0.5)
        x = torch.randn(6, 3, 3).double().requires_grad_()
        output, state = stack(x, torch.tensor([4, 1, 0]))
        loss = (output * torch.randn_like(output)).sum() + sum(s.square().sum() for s in state)
        return output, *state, *torch.autograd.grad(loss, [x, *stack.parameters()])

    for got, expected in zip(run(TorchBackend()), run(ReferenceBackend()), strict=True):
        torch.testing.assert_close(got, expected, rtol=0.0, atol=1e-11)


@pytest.mark.parametrize("kind", ["lstm", "gru", "relu"])
def test_a_long_padding_after_an_exploding_row_stays_out_of_the_gradients(
    make_cell, results, assert_agree, kind
):
    cell = make_cell(kind, 3, 7)
    nn.init.eye_(cell.weight_hh[:7].detach()).mul_(40.0)
    run = (cell, 300, 2, (2, 3))
    assert_agree(results(TorchBackend(), *run), results(ReferenceBackend(), *run))


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("lengths", [(5, 3, 0), (0, 0, 0)])
@pytest.mark.parametrize("kind", ["lstm", "gru", "tanh", "relu"])
def test_without_gradients_it_gives_the_same(make_cell, kind, lengths, reverse, bias):
    cell = make_cell(kind, 3, 7, bias=bias)
    x, state = torch.randn(5, 3, 3).double(), tuple(torch.randn(3, 7).double() for _ in cell.state)
    x[torch.arange(5)[:, None] >= torch.tensor(lengths)] = float("nan")
    with torch.no_grad():
        output, final = TorchBackend().run(cell, x, state, torch.tensor(lengths), reverse)
    assert not output.requires_grad
    expected = TorchBackend().run(cell, x, state, torch.tensor(lengths), reverse)
    torch.testing.assert_close((output, final), tuple(expected))


@pytest.mark.parametrize("kind", ["lstm", "gru", "tanh"])
def test_no_two_parameters_share_a_gradient(make_cell, kind):
    cell = make_cell(kind, 3, 7)
    x, state = torch.randn(5, 2, 3).double(), tuple(torch.randn(2, 7).double() for _ in cell.state)
    for _ in range(2):
        TorchBackend().run(cell, x, state, torch.tensor([5, 3])).output.sum().backward()
    places = [parameter.grad.data_ptr() for parameter in cell.parameters()]
    assert len(set(places)) == len(places)
    output, _ = TorchBackend().run(cell, x, state, torch.tensor([5, 3]))
    gradients = torch.autograd.grad(output.sum(), list(cell.parameters()))
    assert len({gradient.data_ptr() for gradient in gradients}) == len(gradients)


@pytest.mark.parametrize("kind", ["lstm", "gru", "tanh"])
def test_a_second_backward_pass_over_the_same_graph_gives_the_same(make_cell, kind):
    cell = make_cell(kind, 3, 7)
    x = torch.randn(5, 2, 3).double().requires_grad_()
    state = tuple(torch.randn(2, 7).double() for _ in cell.state)
    output, final = TorchBackend().run(cell, x, state, torch.tensor([5, 3]))
    loss = output.square().sum() + sum(each.sum() for each in final)
    first = torch.autograd.grad(loss, [x, *cell.parameters()], retain_graph=True)
    torch.testing.assert_close(torch.autograd.grad(loss, [x, *cell.parameters()]), first)


@pytest.mark.parametrize("lengths", [(4, 2, 0), (0, 0, 0)])
@pytest.mark.parametrize("kind", ["lstm", "gru", "tanh"])
def test_second_derivatives(make_cell, kind, lengths):
    cell = make_cell(kind, 2, 3)
    names = [name for name, _ in cell.named_parameters()]
    x = torch.randn(4, 3, 2).double().requires_grad_()
    state = tuple(torch.randn(3, 3).double().requires_grad_() for _ in cell.state)

    def run(x, *rest):
        state, parameters = rest[: len(cell.state)], rest[len(cell.state) :]
        for name, parameter in zip(names, parameters, strict=True):
            setattr(cell, name, parameter)
        output, final = TorchBackend().run(cell, x, state, torch.tensor(lengths))
        return output, *final

    parameters = list(cell.parameters())
    for name in names:
        delattr(cell, name)
    assert torch.autograd.gradgradcheck(run, (x, *state, *parameters), fast_mode=True)


def test_second_derivatives_of_the_inputs_alone(make_cell):
    cell = make_cell("gru", 2, 3).requires_grad_(False)
    x, state = torch.randn(4, 3, 2).double().requires_grad_(), (torch.zeros(3, 3).double(),)
    for lengths in ((4, 2, 0), (0, 0, 0)):
        place = torch.tensor(lengths)
        assert torch.autograd.gradgradcheck(
            lambda x, place=place: TorchBackend().run(cell, x, state, place).output, (x,)
        )


@pytest.mark.parametrize("kind", ["lstm", "gru", "tanh"])
def test_gradients_through_two_runs_of_one_cell_are_the_same_with_a_graph_of_their_own(make_cell, kind):
    cell, lengths = make_cell(kind, 2, 3), torch.tensor([3, 1, 2])
    x, start = torch.randn(6, 3, 2).double(), torch.randn(3, 3).double().requires_grad_()

    def gradients(run, create_graph):
        # One tensor is every initial state, and the second run begins where the first ended.
        first = run(cell, x[:3], (start,) * len(cell.state), lengths)
        second = run(cell, x[3:], first.state, lengths)
        loss = (second.output**2).sum()
        return torch.autograd.grad(loss, [start, *cell.parameters()], create_graph=create_graph)

    expected = gradients(ReferenceBackend().run, False)
    for create_graph in (False, True):
        torch.testing.assert_close(gradients(TorchBackend().run, create_graph), expected)


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("lengths", [(5, 2, 0), (0, 0, 0)])
@pytest.mark.parametrize(
    ("kind", "dtype"), [("lstm", torch.float32), ("lstm", torch.float64), ("gru", None), ("tanh", None)]
)
def test_what_it_gives_may_be_changed_in_place(make_cell, kind, dtype, lengths, reverse):
    cell = make_cell(kind, 3, 4, dtype or torch.float64)
    x, state = torch.randn(5, 3, 3).to(cell.weight_ih.dtype), torch.randn(3, 4).to(cell.weight_ih.dtype)

    def gradients(change):
        output, final = TorchBackend().run(
            cell, x, (state,) * len(cell.state), torch.tensor(lengths), reverse
        )
        loss = (change(output) * 3).sum() + sum((change(each) * 2).sum() for each in final)
        return torch.autograd.grad(loss, list(cell.parameters()))

    kept = state.clone()
    torch.testing.assert_close(gradients(lambda each: each.mul_(2)), gradients(lambda each: each * 2))
    assert torch.equal(state, kept)


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64])
@pytest.mark.parametrize("precision", [torch.float32, torch.float64])
def test_lengths_of_any_integer_type(make_cell, precision, dtype):
    cell = make_cell("lstm", 3, 7, precision)
    x, state = torch.randn(5, 3, 3).to(precision), tuple(torch.randn(3, 7).to(precision) for _ in "hc")
    lengths = torch.tensor([5, 0, 3], dtype=dtype)
    for reverse in (False, True):
        got = TorchBackend().run(cell, x, state, lengths, reverse=reverse)
        expected = ReferenceBackend().run(cell, x, state, lengths.long(), reverse=reverse)
        torch.testing.assert_close(got, expected)


class Unpromising(Cell):
    pass


class Projected(Cell):
    equations = "rnn"

    def state_sizes(self) -> tuple[int, ...]:
        return (2,)


@pytest.mark.parametrize(
    ("kind", "device", "dtype", "reason"),
    [
        ("sigmoid", "cpu", torch.float32, "nn.RNN has tanh and relu only, got sigmoid"),
        ("lstm", "cpu", torch.float16, "on cpu it takes float32, float64, bfloat16, got float16"),
        ("lstm", "mps", torch.float32, "it runs on cpu and cuda, got mps"),
        ("lstm", "cuda", torch.float16, None),
        ("relu", "cpu", torch.float32, None),
        ("gru", "cpu", torch.bfloat16, None),
    ],
)
def test_what_it_supports(make_cell, kind, device, dtype, reason):
    assert TorchBackend().supports(make_cell(kind, 3, 7), torch.device(device), dtype) == reason


def test_cells_it_cannot_know():
    unpromising = Unpromising(3, 7, CellConfig())
    assert TorchBackend().supports(unpromising, CPU, torch.float32) == (
        "PyTorch has the equations 'lstm', 'gru' and 'rnn', the cell promises no equations"
    )
    nameless = type("Nameless", (Cell,), {"equations": "rnn"})(3, 7, CellConfig())
    assert TorchBackend().supports(nameless, CPU, torch.float32) == "nn.RNN has tanh and relu only, got None"


def test_a_state_narrower_than_the_hidden_size(make_cell):
    cell = Projected(3, 7, make_cell("tanh", 3, 7).config)
    assert TorchBackend().supports(cell, CPU, torch.float32) == (
        "every state must have the hidden size 7, got (2,)"
    )


def test_parameters_that_pytorch_has_not(make_cell):
    cell = make_cell("lstm", 3, 2)
    cell.bias_hh = None
    assert TorchBackend().supports(cell, CPU, torch.float32) == (
        "the parameters must be weight_ih [8, 3], weight_hh [8, 2], bias_ih [8], bias_hh [8], "
        "got weight_ih [8, 3], weight_hh [8, 2], bias_ih [8]"
    )
