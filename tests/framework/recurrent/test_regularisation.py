"""Recurrent dropout and zoneout: values, gradients, and nothing at all where they are off."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from rnnlab.api import Cell, InputError, Step, loop
from rnnlab.config.section import CellConfig, StackConfig
from rnnlab.recurrent.regularisation import Regularised, regularised

SEQ_LEN, LENGTHS, INPUT, HIDDEN = 5, (3, 0, 5, 1), 3, 7
BATCH = len(LENGTHS)
EXACT = {"rtol": 0.0, "atol": 1e-12}
BOTH = {"recurrent_dropout": 0.4, "zoneout": 0.3}
LAYERS = {"num_layers": 2}


@pytest.fixture
def x():
    torch.manual_seed(1)
    return torch.randn(SEQ_LEN, BATCH, INPUT, dtype=torch.float64)


def drawn(stack, options, kind):
    """What a stack in training draws, in the order it draws it: for each layer dropout of what it reads; for
    each cell of it the mask, then what is kept of each state."""
    dropout, zoneout = options.get("recurrent_dropout", 0.0), options.get("zoneout", 0.0)
    names = stack.cells[0].state
    rates = [zoneout.get(name, 0.0) if isinstance(zoneout, dict) else zoneout for name in names]
    between, masks, keeps = [], [], []
    for layer in range(stack.num_layers):
        width = stack.output_size if layer else INPUT
        ones = torch.ones(SEQ_LEN, BATCH, width, dtype=torch.float64)
        between.append(nn.functional.dropout(ones, options.get("dropout", 0.0)) if layer else ones)
        for _ in range(stack.num_directions):
            ones = torch.ones(BATCH, stack.state_sizes[0], dtype=torch.float64)
            masks.append(nn.functional.dropout(ones, dropout) if dropout else ones)
            blank = [torch.zeros(SEQ_LEN, BATCH, size, dtype=torch.float64) for size in stack.state_sizes]
            keeps.append([each.bernoulli_(r) if r else each for each, r in zip(blank, rates, strict=True)])
    return between, masks, keeps


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("kind", ["lstm", "rnn", "uneven"])
@pytest.mark.parametrize(
    "options",
    [{"recurrent_dropout": 0.4}, {"zoneout": 0.3}, {"zoneout": {"h": 0.6}}, {**BOTH, "dropout": 0.2}],
    ids=["dropout", "zoneout", "zoneout of h", "all"],
)
def test_training_is_the_formulas_with_what_was_drawn(
    x, make_stack, by_hand, draws, kind, options, bidirectional, random_state, results
):
    stack = make_stack(kind, bidirectional=bidirectional, **LAYERS, **options)
    state = random_state(stack, BATCH)
    padded = torch.arange(SEQ_LEN)[:, None] >= torch.tensor(LENGTHS)
    poisoned = x.masked_fill(padded[..., None], float("nan"))

    def run(x, state):
        torch.manual_seed(3)
        return stack(x, torch.tensor(LENGTHS), state)

    got = results(run, stack, poisoned, state)
    torch.manual_seed(3)
    what = draws(*drawn(stack, options, kind))
    expected = results(lambda x, s: by_hand(stack, x, LENGTHS, s, what), stack, x, state)
    for ours, theirs in zip(got, expected, strict=True):
        torch.testing.assert_close(ours, theirs, **EXACT)
    plain = make_stack(kind, bidirectional=bidirectional, **LAYERS)
    assert not torch.allclose(plain(x, torch.tensor(LENGTHS), state).output, got[0])


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("kind", ["lstm", "rnn", "uneven"])
def test_evaluation_takes_the_expectation_of_zoneout(
    x, make_stack, by_hand, draws, kind, bidirectional, random_state, results
):
    zoneout = {"h": 0.25} if kind == "rnn" else dict(zip(("h", "m", "c"), (0.25, 0.5, 0.5), strict=True))
    stack = make_stack(kind, bidirectional=bidirectional, **LAYERS)
    names = stack.cells[0].state
    zoneout = {name: zoneout[name] for name in names}
    stack = make_stack(
        kind, bidirectional=bidirectional, zoneout=zoneout, recurrent_dropout=0.4, **LAYERS
    ).eval()
    state = random_state(stack, BATCH)
    keep = [
        torch.full((SEQ_LEN, BATCH, size), zoneout[name], dtype=torch.float64)
        for name, size in zip(names, stack.state_sizes, strict=True)
    ]
    what = draws(keeps=[keep] * len(stack.cells))
    before = torch.get_rng_state()
    got = results(lambda x, s: stack(x, torch.tensor(LENGTHS), s), stack, x, state)
    expected = results(lambda x, s: by_hand(stack, x, LENGTHS, s, what), stack, x, state)
    for ours, theirs in zip(got, expected, strict=True):
        torch.testing.assert_close(ours, theirs, **EXACT)
    torch.set_rng_state(before)
    stack(x)
    assert torch.equal(torch.get_rng_state(), before), "evaluation draws nothing"


def test_rates_are_what_they_say():
    """Over 10,000 draws: a third of the units is kept, a fifth is dropped, and the others are scaled up."""
    cell = Cell(1, 100, CellConfig())
    around = Regularised(cell, 0.2, (0.3,))
    x = torch.zeros(50, 100, 1)
    _, mask, keep = around.beside(x).split([1, 100, 100], -1)
    assert torch.equal(mask, mask[:1].expand_as(mask)), "one mask for all steps"
    assert mask[0].unique().tolist() == pytest.approx([0.0, 1.25])
    assert (mask[0] == 0).double().mean().item() == pytest.approx(0.2, abs=0.02)
    assert keep.unique().tolist() == [0.0, 1.0]
    assert keep.mean().item() == pytest.approx(0.3, abs=0.005)
    assert not torch.equal(keep[0], keep[1])


@pytest.mark.parametrize("reverse", [False, True])
def test_gradients_agree_with_finite_differences(x, makers, reverse):
    torch.manual_seed(0)
    around = Regularised(makers["uneven"](INPUT, HIDDEN).double(), 0.4, (0.3, 0.5))
    state = tuple(torch.randn(BATCH, size, dtype=torch.float64) for size in (HIDDEN, 2))
    fixed = around.beside(x)[..., INPUT:]

    def run(x, *state):
        output, final = loop(around, torch.cat([x, fixed], -1), state, torch.tensor(LENGTHS), reverse)
        return output, *final

    leaves = [tensor.clone().requires_grad_() for tensor in (x, *state)]
    assert torch.autograd.gradcheck(run, leaves)


class Leak(Cell):
    """h_t = h_{t-1} / 2 + tanh(z_t + W_hh h_{t-1}): h_{t-1} is read by weights, and carried on."""

    def step(self, projected, state):
        return self._step(projected, state[0], state[0])

    def _step(self, projected, h, read):
        return Step((h / 2 + torch.tanh(projected + read @ self.weight_hh.T),))


class CarefulLeak(Leak):
    def step_masked(self, projected, state, mask):
        return self._step(projected, state[0], state[0] * mask)


def test_a_cell_that_carries_its_hidden_state_on_must_say_where_the_mask_acts(x):
    config = StackConfig(hidden_size=HIDDEN, recurrent_dropout=0.4)
    with pytest.raises(
        InputError, match=r"Leak also carries it on.*use stack.zoneout, or write Leak.step_ma"
    ):
        regularised(Leak(INPUT, HIDDEN, CellConfig()), config)
    with torch.device("meta"):
        assert regularised(Leak(INPUT, HIDDEN, CellConfig()), config) is not None
    torch.manual_seed(0)
    cell = CarefulLeak(INPUT, HIDDEN, CellConfig()).double()
    around = regularised(cell, config)
    assert around is not None
    torch.manual_seed(3)
    read = around.beside(x)
    mask, h = read[0, :, INPUT:], torch.zeros(BATCH, HIDDEN, dtype=torch.float64)
    output = loop(around, read, (h,)).output
    for t in range(SEQ_LEN):
        h = h / 2 + torch.tanh(x[t] @ cell.weight_ih.T + cell.bias_ih + (mask * h) @ cell.weight_hh.T)
        torch.testing.assert_close(output[t], h, **EXACT)


def test_every_name_is_a_state_of_the_cell(make_stack):
    with pytest.raises(InputError) as error:
        make_stack("lstm", zoneout={"h": 0.1, "cc": 0.1})
    assert str(error.value) == (
        "stack.zoneout: expected one rate for all, or names of the states of LSTM, got 'cc'; "
        "did you mean 'c'?"
    )
