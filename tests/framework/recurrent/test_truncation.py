"""Truncated backpropagation through time: the same values, gradients that end where a piece begins."""

from __future__ import annotations

import pytest
import torch

from rnnlab.api import InputError, Stepper
from rnnlab.recurrent.truncation import truncated

SEQ_LEN, LENGTHS, INPUT = 7, (3, 0, 7, 4, 5), 3
BATCH = len(LENGTHS)
EXACT = {"rtol": 0.0, "atol": 1e-12}


@pytest.fixture
def x():
    torch.manual_seed(1)
    return torch.randn(SEQ_LEN, BATCH, INPUT, dtype=torch.float64)


@pytest.mark.parametrize("steps", [1, 2, 3, 4, 7, 100])
@pytest.mark.parametrize("kind", ["lstm", "rnn", "uneven"])
def test_values_stay_and_gradients_end_at_the_pieces(
    x, make_stack, by_hand, kind, steps, random_state, results
):
    """By hand a row's state is detached at the first step of each piece that the row still has."""
    stack, plain = make_stack(kind, num_layers=2, truncate=steps), make_stack(kind, num_layers=2)
    state, lengths = random_state(stack, BATCH), torch.tensor(LENGTHS)
    got = results(lambda x, s: stack(x, lengths, s), stack, x, state)
    expected = results(lambda x, s: by_hand(stack, x, LENGTHS, s, cut=steps), stack, x, state)
    for ours, theirs in zip(got, expected, strict=True):
        torch.testing.assert_close(ours, theirs, **EXACT)
    whole = results(lambda x, s: plain(x, lengths, s), plain, x, state)
    for ours, theirs in zip(got[: 1 + len(state)], whole, strict=False):
        torch.testing.assert_close(ours, theirs, **EXACT)
    if steps >= SEQ_LEN:
        assert all(map(torch.equal, got, whole))
    else:
        assert not torch.allclose(got[-1], whole[-1])


def test_without_lengths_too_and_with_draws(x, make_stack):
    options = {"num_layers": 2, "zoneout": 0.3, "recurrent_dropout": 0.2, "dropout": 0.2}
    stack, plain = make_stack("lstm", truncate=3, **options), make_stack("lstm", **options)
    torch.manual_seed(5)
    got = stack(x)
    torch.manual_seed(5)
    expected = plain(x)
    torch.testing.assert_close(got.output, expected.output, **EXACT)
    torch.testing.assert_close(got.state, expected.state, **EXACT)


def test_an_output_does_not_reach_back_past_its_piece(x, make_stack):
    stack = make_stack("lstm", truncate=3)
    x.requires_grad_()
    (gradient,) = torch.autograd.grad(stack(x).output[4].sum(), x)
    assert [bool(step.any()) for step in gradient] == [False] * 3 + [True, True] + [False] * 2


def test_a_row_that_ended_early_keeps_the_gradient_of_its_final_state(x, make_stack):
    stack = make_stack("lstm", truncate=2)
    x.requires_grad_()
    (gradient,) = torch.autograd.grad(stack(x, torch.tensor(LENGTHS)).state[0].sum(), x)
    reached = [[bool(gradient[t, b].any()) for t in range(SEQ_LEN)] for b in range(BATCH)]
    for b, length in enumerate(LENGTHS):
        last_piece = range((length - 1) // 2 * 2, length) if length else ()
        assert reached[b] == [t in last_piece for t in range(SEQ_LEN)]


def test_steps_are_cut_where_the_sequence_is(x, make_stack, random_state, results):
    stack = make_stack("uneven", num_layers=2, truncate=3)
    state = random_state(stack, BATCH)

    def stepped(x, state):
        take_step, outputs = Stepper(stack), []
        for each in x:
            output, state = take_step(each, state)
            outputs.append(output)
        return torch.stack(outputs), state

    got = results(stepped, stack, x, state)
    expected = results(lambda x, s: stack(x, None, s), stack, x, state)
    for ours, theirs in zip(got, expected, strict=True):
        torch.testing.assert_close(ours, theirs, **EXACT)


def test_a_backward_direction_is_refused(make_stack, x):
    with pytest.raises(
        InputError, match=r"stack.truncate: expected null .*, got 3; use stack.bidirectional=f"
    ):
        make_stack("lstm", truncate=3, bidirectional=True)
    stack = make_stack("lstm")
    with pytest.raises(ValueError, match="read backwards cannot be truncated"):
        truncated(stack.backend.run, 2)(stack.cells[0], x, (), None, True)
