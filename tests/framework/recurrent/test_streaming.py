"""Streams: pieces are the whole sequence, rows restart, gradients stay within a piece."""

from __future__ import annotations

import pytest
import torch

from rnnlab.api import Stream

SEQ_LEN, BATCH, INPUT = 7, 4, 3
PIECES = (2, 1, 4)
EXACT = {"rtol": 0.0, "atol": 1e-12}


@pytest.fixture
def x():
    torch.manual_seed(1)
    return torch.randn(SEQ_LEN, BATCH, INPUT, dtype=torch.float64)


@pytest.mark.parametrize("kind", ["lstm", "rnn", "uneven"])
@pytest.mark.parametrize("learned", [False, True])
def test_pieces_are_the_whole_sequence(x, make_stack, kind, learned):
    stack = make_stack(kind, num_layers=2, learned_initial_state=learned, residual=True, zoneout=0.2).eval()
    torch.manual_seed(2)
    for name in stack._initial:
        torch.nn.init.normal_(stack.get_parameter(name))
    stream, expected = Stream(stack), stack(x)
    outputs = torch.cat([stream(piece).output for piece in x.split(PIECES)])
    torch.testing.assert_close(outputs, expected.output, **EXACT)
    torch.testing.assert_close(stream.state, expected.state, **EXACT)
    assert not any(tensor.requires_grad for tensor in stream.state)


def test_its_gradients_are_those_of_truncated_backpropagation(x, make_stack):
    """Here in pieces of 3: the gradients of the pieces add up to those of `truncate: 3`."""
    stack, truncated = make_stack("lstm", num_layers=2), make_stack("lstm", num_layers=2, truncate=3)
    weights = torch.randn_like(truncated(x).output)
    (truncated(x).output * weights).sum().backward()
    stream = Stream(stack)
    for piece, weight in zip(x.split(3), weights.split(3), strict=True):
        (stream(piece).output * weight).sum().backward()
    for got, expected in zip(stack.parameters(), truncated.parameters(), strict=True):
        torch.testing.assert_close(got.grad, expected.grad, **EXACT)


@pytest.mark.parametrize("learned", [False, True])
def test_rows_restart_alone(x, make_stack, learned):
    stack = make_stack("uneven", num_layers=2, learned_initial_state=learned)
    torch.manual_seed(2)
    for name in stack._initial:
        torch.nn.init.normal_(stack.get_parameter(name))
    stream, restart = Stream(stack), torch.tensor([False, True, False, True])
    stream(x[:3], restart=torch.ones(BATCH, dtype=torch.bool))  # before the first piece all rows are new
    output, state = stream(x[3:], restart=restart)
    went_on, anew = stack(x), stack(x[3:])
    for b, again in enumerate(restart):
        expected = anew.output[:, b] if again else went_on.output[3:, b]
        torch.testing.assert_close(output[:, b], expected, **EXACT)
        for got, new, old in zip(state, anew.state, went_on.state, strict=True):
            torch.testing.assert_close(got[:, b], (new if again else old)[:, b], **EXACT)
    if learned:
        output.sum().backward()
        for name in stack._initial:
            assert stack.get_parameter(name).grad.any(), "a row that begins here learns where to begin"


def test_rows_end_pieces_at_their_own_lengths(x, make_stack):
    stack, lengths = make_stack("lstm"), torch.tensor([2, 0, 3, 1])
    stream = Stream(stack)
    stream(x[:3], lengths)
    output, _ = stream(x[3:])
    for b, length in enumerate(lengths):
        row = torch.cat([x[:length, b], x[3:, b]])[:, None]
        torch.testing.assert_close(output[:, b], stack(row).output[length:, 0], **EXACT)


def test_a_state_given_and_forgotten(x, make_stack):
    stack = make_stack("lstm")
    state = tuple(torch.randn_like(s, requires_grad=True) for s in stack.zero_state(BATCH, None, x.dtype))
    stream = Stream(stack, state)
    assert torch.equal(stream(x).output, stack(x, None, state).output)
    stream.reset()
    assert torch.equal(stream(x[:, :2]).output, stack(x[:, :2]).output)


def test_what_does_not_fit_is_named(x, make_stack):
    with pytest.raises(ValueError, match="bidirectional stack cannot read a stream"):
        Stream(make_stack("lstm", bidirectional=True))
    stream = Stream(make_stack("lstm"))
    stream(x)
    with pytest.raises(ValueError, match=r"with the rows it began with, expected 4, got 2; reset\(\) it"):
        stream(x[:, :2])
    with pytest.raises(ValueError, match=r"restart must be boolean \[4\].*, got int64 \[4\]"):
        stream(x, restart=torch.ones(4, dtype=torch.long))
    with pytest.raises(ValueError, match=r"restart must be boolean \[4\].*, got bool \[2\]"):
        stream(x, restart=torch.ones(2, dtype=torch.bool))
