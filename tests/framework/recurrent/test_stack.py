from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from rnnlab.api import Backend, Cell, Stack, Step, loop
from rnnlab.config.section import CellConfig, StackConfig
from rnnlab_plugins.cells.config import LSTMConfig, RNNConfig
from rnnlab_plugins.cells.lstm import LSTM
from rnnlab_plugins.cells.rnn import RNN

SEQ_LEN, LENGTHS, INPUT, HIDDEN = 5, (3, 0, 5, 1), 3, 7
BATCH = len(LENGTHS)
KINDS = {
    "lstm": (nn.LSTM, lambda i, h: LSTM(i, h, LSTMConfig())),
    "rnn": (nn.RNN, lambda i, h: RNN(i, h, RNNConfig())),
}
EXACT = {"rtol": 0.0, "atol": 1e-12}


class Loop(Backend):
    def supports(self, cell, device, dtype):
        return None

    def run(self, cell, x, state, lengths=None, reverse=False):
        return loop(cell, x, state, lengths, reverse)


class Projected(Cell):
    """A hidden state of 2 out of H units, in a module of its own and with a buffer."""

    def __init__(self, input_size: int, hidden_size: int, config: CellConfig) -> None:
        super().__init__(input_size, hidden_size, config)
        self.weight_hh = nn.Parameter(torch.randn(hidden_size, 2))
        self.out = nn.Sequential(nn.Linear(hidden_size, 2), nn.Tanh())
        self.register_buffer("scale_l0", torch.tensor(0.5))

    def state_sizes(self) -> tuple[int, ...]:
        return (2,)

    def step(self, projected, state):
        return Step((self.out(torch.tanh(projected + state[0] @ self.weight_hh.T)) * self.scale_l0,))


def projected(input_size: int, hidden_size: int) -> Cell:
    return Projected(input_size, hidden_size, CellConfig())


def stack_of(make_cell, backend=None, input_size=INPUT, **options) -> Stack:
    torch.manual_seed(0)
    config = StackConfig(**{"hidden_size": HIDDEN} | options)
    return Stack(make_cell, input_size, config, backend or Loop()).double()


def torch_module(kind: str, num_layers: int = 2, bidirectional: bool = True):
    torch.manual_seed(3)
    return KINDS[kind][0](INPUT, HIDDEN, num_layers, bidirectional=bidirectional).double()


def row_by_row(module, x, lengths, state):
    """Outputs and final states of nn.LSTM or nn.RNN with each row run alone and unpadded."""
    outputs, finals = [], []
    for b, length in enumerate(lengths):
        initial = [s[:, b] for s in state]
        if length:
            output, final = module(x[:length, b], tuple(initial) if len(initial) == 2 else initial[0])
            finals.append(final if len(initial) == 2 else (final,))
        else:
            output = x.new_zeros(0, HIDDEN * (1 + module.bidirectional))
            finals.append(initial)
        outputs.append(nn.functional.pad(output, (0, 0, 0, len(x) - length)))
    return torch.stack(outputs, 1), tuple(torch.stack(s, 1) for s in zip(*finals, strict=True))


@pytest.fixture
def x():
    torch.manual_seed(1)
    return torch.randn(SEQ_LEN, BATCH, INPUT, dtype=torch.float64)


def random_state(stack):
    torch.manual_seed(2)
    return tuple(torch.randn_like(s) for s in stack.zero_state(BATCH, dtype=torch.float64))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("bidirectional", [False, True])
def test_results_and_gradients_are_those_of_torch_row_by_row(x, kind, bidirectional):
    module = torch_module(kind, bidirectional=bidirectional)
    stack = stack_of(KINDS[kind][1], num_layers=2, bidirectional=bidirectional)
    stack.load_state_dict(module.state_dict())
    state = random_state(stack)
    poisoned = x.clone()
    poisoned[torch.arange(SEQ_LEN)[:, None] >= torch.tensor(LENGTHS)] = float("nan")

    def results(run, parameters, x):
        x, *initial = (tensor.clone().requires_grad_() for tensor in (x, *state))
        output, final = run(x, tuple(initial))
        torch.manual_seed(4)
        loss = sum((tensor * torch.randn_like(tensor)).sum() for tensor in (output, *final))
        leaves = {"x": x, "h_0": initial[0], "c_0": initial[-1], **parameters}
        gradients = torch.autograd.grad(loss, list(leaves.values()))
        return dict(zip(leaves, gradients, strict=True)) | {
            "output": output,
            "h_n": final[0],
            "c_n": final[-1],
        }

    expected = results(lambda x, s: row_by_row(module, x, LENGTHS, s), dict(module.named_parameters()), x)
    named = dict(zip(stack.state_dict(), stack.parameters(), strict=True))
    got = results(lambda x, s: stack(x, torch.tensor(LENGTHS), s), named, poisoned)
    assert got.keys() == expected.keys()
    for name, value in expected.items():
        torch.testing.assert_close(got[name], value, **EXACT, msg=lambda text, name=name: f"{name}: {text}")


@pytest.mark.parametrize("kind", KINDS)
def test_without_lengths_every_row_is_whole_and_without_state_it_is_zero(x, kind):
    module = torch_module(kind)
    stack = stack_of(KINDS[kind][1], num_layers=2, bidirectional=True)
    stack.load_state_dict(module.state_dict())
    output, final = stack(x)
    expected, end = module(x)
    torch.testing.assert_close(output, expected, **EXACT)
    torch.testing.assert_close(final, end if kind == "lstm" else (end,), **EXACT)


@pytest.mark.parametrize("make", ["leaky", "projected"])
def test_any_cell_is_composed_layer_by_layer(x, leaky, make):
    stack = stack_of(leaky if make == "leaky" else projected, num_layers=2, bidirectional=True)
    size = stack.state_sizes[0]
    assert size == (HIDDEN if make == "leaky" else 2)
    assert stack.output_size == 2 * size
    assert [cell.input_size for cell in stack.cells] == [INPUT, INPUT, 2 * size, 2 * size]
    state, lengths, below, finals = random_state(stack), torch.tensor(LENGTHS), x, []
    for layer in (0, 1):
        runs = [
            loop(stack.cells[k], below, tuple(s[k] for s in state), lengths, reverse=k % 2 == 1)
            for k in (2 * layer, 2 * layer + 1)
        ]
        below = torch.cat([run.output for run in runs], -1)
        finals += [run.state for run in runs]
    output, final = stack(x, lengths, state)
    assert torch.equal(output, below)
    for k, expected in enumerate(finals):
        assert all(torch.equal(s[k], e) for s, e in zip(final, expected, strict=True))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("bidirectional", [False, True])
def test_state_dict_moves_to_torch(x, kind, bidirectional):
    stack = stack_of(KINDS[kind][1], num_layers=2, bidirectional=bidirectional)
    module = torch_module(kind, bidirectional=bidirectional)
    assert list(stack.state_dict()) == list(module.state_dict())
    module.load_state_dict(stack.state_dict())
    torch.testing.assert_close(module(x)[0], stack(x).output, **EXACT)


def test_state_dict_moves_to_and_from_torch_inside_another_module(x):
    ours = nn.ModuleDict({"encoder": nn.Sequential(stack_of(KINDS["lstm"][1], num_layers=2), nn.ReLU())})
    theirs = nn.ModuleDict({"encoder": nn.Sequential(torch_module("lstm", 2, False), nn.ReLU())})
    assert list(ours.state_dict()) == list(theirs.state_dict())
    assert "encoder.0.weight_hh_l1" in ours.state_dict()
    ours.load_state_dict(theirs.state_dict(), strict=True)
    torch.testing.assert_close(ours["encoder"][0](x).output, theirs["encoder"][0](x)[0], **EXACT)


def test_state_dict_of_a_cell_with_its_own_modules_and_buffers():
    stack = stack_of(projected, num_layers=2, bidirectional=True)
    saved = copy.deepcopy(stack.state_dict())
    assert {"out.0.weight_l1_reverse", "scale_l0_l0", "scale_l0_l1_reverse", "weight_ih_l0"} <= set(saved)
    assert len(saved) == len(list(stack.parameters())) + 4
    other = stack_of(projected, num_layers=2, bidirectional=True)
    for tensor in (*other.parameters(), *other.buffers()):
        tensor.detach().zero_()
    other.load_state_dict(saved, strict=True)
    assert all(map(torch.equal, other.state_dict().values(), saved.values()))
    # Its own names are those of the modules, as everywhere in PyTorch, and a load leaves its argument alone.
    assert "cells.3.out.0.weight" in dict(other.named_parameters())
    assert "out.0.weight_l1_reverse" in saved


def test_a_strict_load_refuses_what_does_not_fit():
    stack, saved = stack_of(KINDS["lstm"][1]), torch_module("lstm", 2, False).state_dict()
    with pytest.raises(RuntimeError, match="weight_ih_l1"):
        stack.load_state_dict(saved)
    del saved["bias_hh_l0"]
    missing, unexpected = stack.load_state_dict(saved, strict=False)
    assert missing == ["bias_hh_l0"]
    assert set(unexpected) == {"weight_ih_l1", "weight_hh_l1", "bias_ih_l1", "bias_hh_l1"}


@pytest.mark.parametrize("strict", [True, False])
def test_what_a_load_finds_wrong_is_told_in_the_names_of_the_state_dict(strict):
    """Those that the model's state dict has, also of the second of two stacks and after a copy."""
    both = nn.ModuleDict(
        {name: stack_of(KINDS["lstm"][1], bidirectional=True) for name in ("first", "other")}
    )
    model = copy.deepcopy(both)
    saved = model.state_dict()
    del saved["first.bias_hh_l0"], saved["other.weight_hh_l0_reverse"]
    saved["other.bias_ih_l0_reverse"] = torch.zeros(3)
    saved["other.weight_ih_l1"] = torch.zeros(3)
    with pytest.raises(RuntimeError) as error:
        model.load_state_dict(saved, strict=strict)
    text = str(error.value)
    assert "size mismatch for other.bias_ih_l0_reverse: " in text and "cells." not in text
    if strict:
        assert 'Missing key(s) in state_dict: "first.bias_hh_l0", "other.weight_hh_l0_reverse". ' in text
        assert 'Unexpected key(s) in state_dict: "other.weight_ih_l1". ' in text
    del saved["other.bias_ih_l0_reverse"]
    missing, unexpected = model.load_state_dict(saved, strict=False)
    assert missing == ["first.bias_hh_l0", "other.weight_hh_l0_reverse", "other.bias_ih_l0_reverse"]
    assert unexpected == ["other.weight_ih_l1"]


def test_steps_give_what_the_sequence_gives(x, leaky):
    stack = stack_of(leaky, num_layers=3)
    state = random_state(stack)
    output, final = stack(x, state=state)
    for t in range(SEQ_LEN):
        hidden, state = stack.step(x[t], state)
        torch.testing.assert_close(hidden, output[t], **EXACT)
    torch.testing.assert_close(state, final, **EXACT)


def test_a_bidirectional_stack_takes_no_steps(x, leaky):
    stack = stack_of(leaky, bidirectional=True)
    with pytest.raises(ValueError, match="bidirectional stack cannot take single steps"):
        stack.step(x[0], stack.zero_state(BATCH))


def test_trace_shows_gates_and_states_of_every_layer_and_direction(x):
    stack = stack_of(KINDS["lstm"][1], num_layers=2, bidirectional=True)
    lengths = torch.tensor(LENGTHS)
    output, (h_n, c_n) = stack(x, lengths)
    traces = stack.trace(x, lengths)
    assert [set(shown) for shown in traces] == [{"i", "f", "g", "o", "h", "c"}] * 4
    assert torch.equal(torch.cat([traces[2]["h"], traces[3]["h"]], -1), output)
    padded = torch.arange(SEQ_LEN)[:, None] >= lengths
    for k, shown in enumerate(traces):
        torch.testing.assert_close(shown["h"], shown["o"] * shown["c"].tanh(), **EXACT)
        for values in shown.values():
            assert values.shape == (SEQ_LEN, BATCH, HIDDEN)
            assert not values[padded].any()
        last = 4 if k % 2 == 0 else 0
        assert torch.equal(shown["c"][last, 2], c_n[k, 2])
        assert torch.equal(shown["h"][last, 2], h_n[k, 2])


def test_dropout_acts_between_layers_in_training_alone(x, leaky):
    dropped = stack_of(leaky, num_layers=2, dropout=0.5)
    plain = stack_of(leaky, num_layers=2)
    state = plain.zero_state(BATCH, dtype=torch.float64)
    assert torch.equal(dropped.eval()(x).output, plain(x).output)
    assert torch.equal(dropped.step(x[0], state)[0], plain.step(x[0], state)[0])
    dropped.train()
    torch.manual_seed(5)
    output, final = dropped(x)
    torch.manual_seed(5)
    below = loop(plain.cells[0], x, tuple(s[0] for s in state))
    above = loop(plain.cells[1], nn.functional.dropout(below.output, 0.5), tuple(s[1] for s in state))
    assert torch.equal(output, above.output)
    assert torch.equal(final[0][0], below.state[0])
    assert not torch.equal(output, plain(x).output)
    assert not torch.equal(dropped.step(x[0], state)[0], plain.step(x[0], state)[0])


def test_orthogonal_recurrent_weights():
    stack = stack_of(KINDS["lstm"][1], num_layers=2, bidirectional=True, recurrent_init="orthogonal")
    identity = torch.eye(HIDDEN, dtype=torch.float64)
    for cell in stack.cells:
        for block in cell.weight_hh.split(HIDDEN):
            torch.testing.assert_close(block @ block.T, identity, rtol=0.0, atol=1e-5)
    default = stack_of(KINDS["lstm"][1]).cells[0].weight_hh[:HIDDEN]
    assert (default @ default.T - identity).abs().max() > 0.1


def test_zero_state(leaky):
    stack = stack_of(leaky, num_layers=2, bidirectional=True)
    h, m = stack.zero_state(5, torch.device("cpu"), torch.float16)
    assert h.shape == m.shape == (4, 5, HIDDEN)
    assert h.dtype == m.dtype == torch.float16
    assert not h.any() and not m.any()


def test_the_backend_stays_where_it_is(leaky):
    backend = Loop()
    stack = stack_of(leaky, backend)
    assert stack.to("meta").backend is backend
    assert list(stack.children()) == [stack.cells, stack.dropout]


def test_a_copy_is_independent(x, leaky):
    stack = stack_of(leaky)
    saved = copy.deepcopy(stack)
    for parameter in stack.parameters():
        parameter.detach().zero_()
    assert all(tensor.any() for tensor in saved.state_dict().values())
    stack.load_state_dict(saved.state_dict())
    assert torch.equal(stack(x).output, saved(x).output)


@pytest.mark.parametrize(
    ("shape", "lengths", "state", "message"),
    [
        ((5, 4), None, None, r"x must be \[T, B, 3\] with T >= 1, got \[5, 4\]"),
        ((0, 4, 3), None, None, r"got \[0, 4, 3\]"),
        ((5, 4, 2), None, None, r"got \[5, 4, 2\]"),
        ((5, 4, 3), (3,), None, r"lengths must be \[4\], one for each row of x, got \[3\]"),
        ((5, 4, 3), None, [(1, 1, 7), (1, 4, 7)], r"shapes \[\[1, 4, 7\], \[1, 4, 7\]\], got \[\[1, 1, 7\]"),
        ((5, 4, 3), None, [(1, 4, 7)], r"got \[\[1, 4, 7\]\]"),
    ],
)
def test_wrong_shapes_are_named(leaky, shape, lengths, state, message):
    stack = stack_of(leaky)
    given = None if lengths is None else torch.ones(lengths, dtype=torch.long)
    initial = None if state is None else tuple(torch.zeros(s).double() for s in state)
    with pytest.raises(ValueError, match=message):
        stack(torch.zeros(shape).double(), given, initial)
