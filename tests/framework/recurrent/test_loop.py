from __future__ import annotations

import numpy as np
import pytest
import torch

from rnnlab.config.section import CellConfig
from rnnlab.recurrent.cell import Cell, Step
from rnnlab.recurrent.loop import loop, trace

SEQ_LEN, LENGTHS, INPUT, HIDDEN = 5, (3, 0, 5, 1), 3, 7
BATCH = len(LENGTHS)


def by_hand(cell, row, h, m, order):
    """The cell's equations over one unpadded row [T, I] in numpy; h, m, a at each step."""
    w_ih, w_hh, b_ih, b_hh = (p.detach().numpy() for p in cell.parameters())
    shown = {}
    for t in order:
        z = w_ih @ row[t] + b_ih
        a = 1 / (1 + np.exp(-z))
        m = a * m + (1 - a) * z
        h = np.tanh(m + w_hh @ h + b_hh)
        shown[t] = {"h": h, "m": m, "a": a}
    return shown, (h, m)


@pytest.fixture
def batch():
    torch.manual_seed(1)
    x = torch.randn(SEQ_LEN, BATCH, INPUT, dtype=torch.float64)
    return x, tuple(torch.randn(BATCH, HIDDEN, dtype=torch.float64) for _ in "hm")


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("lengths", [None, LENGTHS])
def test_values_are_those_of_each_row_alone(leaky, batch, lengths, reverse):
    cell, (x, state) = leaky(INPUT, HIDDEN), batch
    given = None if lengths is None else torch.tensor(lengths)
    output, final = loop(cell, x, state, given, reverse)
    traced, shown = trace(cell, x, state, given, reverse)
    assert set(shown) == {"a", "h", "m"}
    expected = {name: np.zeros((SEQ_LEN, BATCH, HIDDEN)) for name in shown}
    for b, length in enumerate(lengths or (SEQ_LEN,) * BATCH):
        order = range(length)[::-1] if reverse else range(length)
        steps, ends = by_hand(cell, x[:, b].numpy(), *(s[b].numpy() for s in state), order)
        for t, values in steps.items():
            for name, value in values.items():
                expected[name][t, b] = value
        for tensor, end in zip(final, ends, strict=True):
            np.testing.assert_allclose(tensor[b].detach(), end, atol=1e-12)
    np.testing.assert_allclose(output.detach(), expected["h"], atol=1e-12)
    assert torch.equal(output, traced.output)
    assert all(map(torch.equal, final, traced.state))
    for name, values in shown.items():
        np.testing.assert_allclose(values.detach(), expected[name], atol=1e-12)


@pytest.mark.parametrize("reverse", [False, True])
def test_padding_is_never_read_and_gets_no_gradient(leaky, batch, reverse):
    cell, (x, state) = leaky(INPUT, HIDDEN), batch
    lengths = torch.tensor(LENGTHS)
    padded = torch.arange(SEQ_LEN)[:, None] >= lengths

    def run(padding: float):
        inputs = x.clone()
        inputs[padded] = padding
        leaves = [inputs.requires_grad_(), *(s.clone().requires_grad_() for s in state), *cell.parameters()]
        output, final = loop(cell, leaves[0], tuple(leaves[1:3]), lengths, reverse)
        # A loss that reads the padding's outputs too.
        loss = (output + 1).square().sum() + sum(s.square().sum() for s in final)
        return [output, *final, *torch.autograd.grad(loss, leaves)]

    poisoned, clean = run(float("nan")), run(0.5)
    for got, expected in zip(poisoned, clean, strict=True):
        assert torch.equal(got, expected)
    x_gradient = poisoned[3]
    assert (x_gradient[padded] == 0).all()
    assert (x_gradient[~padded] != 0).any(-1).all()


@pytest.mark.parametrize("reverse", [False, True])
def test_gradients_agree_with_finite_differences(leaky, batch, reverse):
    cell, (x, state) = leaky(INPUT, HIDDEN), batch
    x, *state = (tensor.clone().requires_grad_() for tensor in (x, *state))

    def run(x, *state):
        output, final = loop(cell, x, state, torch.tensor(LENGTHS), reverse)
        return output, *final

    assert torch.autograd.gradcheck(run, (x, *state))


def test_a_row_of_length_zero_keeps_its_initial_state(leaky, batch):
    cell, (x, state) = leaky(INPUT, HIDDEN), batch
    output, final = loop(cell, x, state, torch.zeros(BATCH, dtype=torch.long))
    assert not output.any()
    assert all(map(torch.equal, final, state))


def test_one_step_of_one_row(leaky, batch):
    cell, (x, state) = leaky(INPUT, HIDDEN), batch
    x, state = x[:1, :1], tuple(s[:1] for s in state)
    output, final = loop(cell, x, state)
    _, (h, m) = by_hand(cell, x[:, 0].numpy(), *(s[0].numpy() for s in state), [0])
    np.testing.assert_allclose(output[0, 0].detach(), h, atol=1e-12)
    np.testing.assert_allclose(final[1][0].detach(), m, atol=1e-12)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda h: (h,), "Wrong.step: expected a rnnlab.api.Step, got tuple"),
        (lambda h: Step((h[:1],)), r"expected the next h of shape \[\(2, 3\)\], got \[\(1, 3\)\]"),
        (lambda h: Step((h,), (h,)), r"expected gates \(\), got 1 of them"),
    ],
)
def test_a_step_that_returns_something_else_is_told_so(wrong, message):
    class Wrong(Cell):
        def step(self, projected, state):
            return wrong(state[0])

    with pytest.raises((TypeError, ValueError), match=message):
        loop(Wrong(4, 3, CellConfig()), torch.zeros(5, 2, 4), (torch.zeros(2, 3),))
