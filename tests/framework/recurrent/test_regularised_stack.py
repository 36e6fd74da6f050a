"""A stack with recurrent dropout or zoneout: off, in evaluation, step by step, traced, copied and saved."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from rnnlab.api import Stepper, loop
from rnnlab.recurrent.regularisation import Regularised

SEQ_LEN, LENGTHS, INPUT, HIDDEN = 5, (3, 0, 5, 1), 3, 7
BATCH = len(LENGTHS)
EXACT = {"rtol": 0.0, "atol": 1e-12}
BOTH = {"recurrent_dropout": 0.4, "zoneout": 0.3}
LAYERS = {"num_layers": 2}


@pytest.fixture
def x():
    torch.manual_seed(1)
    return torch.randn(SEQ_LEN, BATCH, INPUT, dtype=torch.float64)


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("kind", ["lstm", "rnn", "uneven"])
def test_off_is_bit_equal_to_a_stack_without_them(
    x, makers, make_stack, kind, bidirectional, random_state, results
):
    """The cells one after the other, put together here by the loop alone."""
    off = {"recurrent_dropout": 0.0, "zoneout": 0.0, "truncate": None, "learned_initial_state": False}
    stack = make_stack(kind, bidirectional=bidirectional, dropout=0.3, residual=False, **off, **LAYERS)
    after = torch.get_rng_state()
    torch.manual_seed(0)
    directions = 1 + bidirectional
    cells = [
        makers[kind](INPUT if k < directions else HIDDEN * directions, HIDDEN) for k in range(2 * directions)
    ]
    assert torch.equal(torch.get_rng_state(), after), "the same draws make the cells"
    alone = nn.ModuleList(cells).double()
    assert all(map(torch.equal, stack.parameters(), alone.parameters()))
    state, lengths = random_state(stack, BATCH), torch.tensor(LENGTHS)

    def composed(x, state):
        torch.manual_seed(3)
        finals = []
        for layer in range(2):
            x = nn.functional.dropout(x, 0.3) if layer else x
            runs = []
            for direction in range(directions):
                k = layer * directions + direction
                runs.append(loop(cells[k], x, tuple(s[k] for s in state), lengths, direction == 1))
            finals += [run.state for run in runs]
            x = torch.cat([run.output for run in runs], -1)
        return x, tuple(torch.stack(each) for each in zip(*finals, strict=True))

    def run(x, state):
        torch.manual_seed(3)
        return stack(x, lengths, state)

    expected, spent = results(composed, alone, x, state), torch.get_rng_state()
    got = results(run, stack, x, state)
    assert all(map(torch.equal, got, expected))
    assert torch.equal(torch.get_rng_state(), spent)
    assert {type(cell) for cell in stack.backend.ran} == {type(cells[0])}


@pytest.mark.parametrize("kind", ["lstm", "uneven"])
def test_recurrent_dropout_alone_leaves_evaluation_to_the_cell(x, make_stack, recorder, kind):
    backend, other = recorder(), recorder()
    stack = make_stack(kind, [backend, other], recurrent_dropout=0.4, bidirectional=True, **LAYERS)
    plain = make_stack(kind, bidirectional=True, **LAYERS)
    stack.train()(x)
    assert not backend.ran and {type(cell) for cell in other.ran} == {Regularised}
    assert all(cell.equations == "" for cell in other.ran)
    got = stack.eval()(x, torch.tensor(LENGTHS))
    assert backend.ran == list(stack.cells) and len(other.ran) == 4
    assert torch.equal(got.output, plain(x, torch.tensor(LENGTHS)).output)
    zoned = make_stack(kind, [backend, other], zoneout=0.1, **LAYERS).eval()
    zoned(x)
    assert len(backend.ran) == 4 and len(other.ran) == 6


@pytest.mark.parametrize("kind", ["lstm", "rnn", "uneven"])
def test_parameters_and_their_names_are_those_of_the_cells(x, make_stack, kind):
    stack, plain = make_stack(kind, **BOTH, **LAYERS), make_stack(kind, **LAYERS)
    assert list(stack.state_dict()) == list(plain.state_dict())
    assert [name for name, _ in stack.named_parameters()] == [name for name, _ in plain.named_parameters()]
    assert list(stack.children()) == [stack.cells, stack.dropout]
    if kind != "uneven":
        module = {"lstm": nn.LSTM, "rnn": nn.RNN}[kind](INPUT, HIDDEN, 2).double()
        assert list(stack.state_dict()) == list(module.state_dict())
        module.load_state_dict(stack.state_dict())
    for each in plain.parameters():
        each.detach().zero_()
    plain.load_state_dict(stack.state_dict())
    assert all(map(torch.equal, stack.parameters(), plain.parameters()))


def test_a_copy_runs_its_own_cells(x, make_stack):
    stack = make_stack("lstm", **BOTH, **LAYERS).eval()
    twin, before = copy.deepcopy(stack), stack(x).output
    for parameter in stack.parameters():
        parameter.detach().zero_()
    assert torch.equal(twin(x).output, before) and not torch.equal(stack(x).output, before)
    halved = twin.float()
    torch.testing.assert_close(halved(x.float()).output, before.float(), rtol=0.0, atol=1e-5)


@pytest.mark.parametrize("kind", ["lstm", "rnn", "uneven"])
@pytest.mark.parametrize("train", [False, True])
def test_steps_give_what_the_sequence_gives(x, make_stack, by_hand, draws, kind, train, random_state):
    """In training the steps draw in another order: each draw is taken down and put into the formulas."""
    stack = make_stack(kind, **BOTH, **LAYERS).train(train)
    state = random_state(stack, BATCH)
    if not train:
        expected, final = stack(x, state=state)
        for take_step in (stack.step, Stepper(stack)):
            now = state
            for t in range(SEQ_LEN):
                output, now = take_step(x[t], now)
                torch.testing.assert_close(output, expected[t], **EXACT)
            torch.testing.assert_close(now, final, **EXACT)
        return
    sizes = stack.state_sizes
    torch.manual_seed(3)
    take_step, now, outputs = Stepper(stack), state, []
    for t in range(SEQ_LEN):
        output, now = take_step(x[t], now)
        outputs.append(output)
    torch.manual_seed(3)
    ones = torch.ones(BATCH, sizes[0], dtype=torch.float64)
    masks = [nn.functional.dropout(ones, 0.4) for _ in range(2)]
    keeps = [[torch.zeros(SEQ_LEN, BATCH, size, dtype=torch.float64) for size in sizes] for _ in range(2)]
    for t in range(SEQ_LEN):
        for k in range(2):
            for keep, size in zip(keeps[k], sizes, strict=True):
                keep[t] = torch.empty(BATCH, size, dtype=torch.float64).bernoulli_(0.3)
    expected, final = by_hand(stack, x, (SEQ_LEN,) * BATCH, state, draws(None, masks, keeps))
    torch.testing.assert_close(torch.stack(outputs), expected, **EXACT)
    torch.testing.assert_close(now, final, **EXACT)


def test_a_step_in_training_must_know_what_its_sequence_drops(x, make_stack):
    stack = make_stack("lstm", recurrent_dropout=0.4)
    with pytest.raises(ValueError, match=r"same units at every step .* with rnnlab.api.Stepper\(stack\)"):
        stack.step(x[0], stack.zero_state(BATCH, dtype=torch.float64))
    masks = stack.recurrent_masks(x)
    state = stack.zero_state(BATCH, dtype=torch.float64)
    assert all(map(torch.equal, stack.step(x[0], state, masks)[1], stack.step(x[0], state, masks)[1]))
    stack.eval().step(x[0], state)
    make_stack("lstm", zoneout=0.4).step(x[0], state)


def test_a_trace_shows_what_happened(x, make_stack):
    stack = make_stack("lstm", zoneout={"c": 0.5}, bidirectional=True, **LAYERS)
    torch.manual_seed(3)
    output = stack(x, torch.tensor(LENGTHS)).output
    torch.manual_seed(3)
    traces = stack.trace(x, torch.tensor(LENGTHS))
    assert [set(shown) for shown in traces] == [{"i", "f", "g", "o", "h", "c"}] * 4
    assert torch.equal(torch.cat([traces[2]["h"], traces[3]["h"]], -1), output)
    c = traces[0]["c"]
    stood = (c[1:3, 0] == c[:2, 0]).double().mean()
    assert 0.1 < stood < 0.9


def test_zoneout_of_rate_zero_is_none(make_stack, x):
    stack = make_stack("lstm", zoneout={"h": 0.0})
    stack(x)
    assert stack.backend.ran == list(stack.cells)
