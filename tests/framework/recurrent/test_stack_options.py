"""Options of a stack that act between layers and before the first step."""

from __future__ import annotations

import copy

import pytest
import torch

from rnnlab.api import InputError, Stepper

SEQ_LEN, LENGTHS, INPUT, HIDDEN = 5, (3, 0, 5, 1), 3, 7
BATCH = len(LENGTHS)
EXACT = {"rtol": 0.0, "atol": 1e-12}
KINDS = ["lstm", "rnn", "uneven"]


@pytest.fixture
def x():
    torch.manual_seed(1)
    return torch.randn(SEQ_LEN, BATCH, INPUT, dtype=torch.float64)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("num_layers", [2, 3])
def test_residual_adds_what_a_layer_reads(
    x, make_stack, by_hand, kind, bidirectional, num_layers, random_state, results
):
    options = {"num_layers": num_layers, "bidirectional": bidirectional}
    stack, plain = make_stack(kind, residual=True, **options), make_stack(kind, **options)
    state, lengths = random_state(stack, BATCH), torch.tensor(LENGTHS)
    got = results(lambda x, s: stack(x, lengths, s), stack.cells, x, state)
    expected = results(lambda x, s: by_hand(stack, x, LENGTHS, s), stack.cells, x, state)
    for ours, theirs in zip(got, expected, strict=True):
        torch.testing.assert_close(ours, theirs, **EXACT)
    assert not torch.allclose(got[0], plain(x, lengths, state).output)
    assert list(stack.state_dict()) == list(plain.state_dict())
    assert not got[0][torch.arange(SEQ_LEN)[:, None] >= lengths].any()


def test_what_is_added_is_not_dropped(x, make_stack, by_hand, draws, random_state):
    stack = make_stack("lstm", num_layers=2, residual=True, dropout=0.4)
    state = random_state(stack, BATCH)
    torch.manual_seed(5)
    got = stack(x, torch.tensor(LENGTHS), state)
    torch.manual_seed(5)
    dropped = torch.nn.functional.dropout(torch.ones(SEQ_LEN, BATCH, HIDDEN, dtype=torch.float64), 0.4)
    output, final = by_hand(stack, x, LENGTHS, state, draws(between=[None, dropped]))
    torch.testing.assert_close(got.output, output, **EXACT)
    torch.testing.assert_close(got.state, final, **EXACT)


@pytest.mark.parametrize("residual", [False, True])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_the_last_output_of_each_direction(x, make_stack, residual, bidirectional):
    stack = make_stack("lstm", num_layers=3, residual=residual, bidirectional=bidirectional)
    output, final = stack(x, torch.tensor(LENGTHS))
    last = stack.last_output(final)
    assert last.shape == (BATCH, stack.output_size)
    for b, length in enumerate(LENGTHS):
        forwards = output[length - 1, b, :HIDDEN] if length else torch.zeros(HIDDEN, dtype=torch.float64)
        torch.testing.assert_close(last[b, :HIDDEN], forwards, **EXACT)
        if bidirectional:
            torch.testing.assert_close(last[b, HIDDEN:], output[0, b, HIDDEN:], **EXACT)
    if not residual:
        assert torch.equal(last, final[0][-stack.num_directions :].transpose(0, 1).flatten(1))


@pytest.mark.parametrize("take_step", [lambda stack: stack.step, Stepper])
def test_steps_add_it_too(x, make_stack, take_step, random_state):
    stack = make_stack("uneven", num_layers=3, residual=True)
    state, take = random_state(stack, BATCH), take_step(stack)
    output, final = stack(x, state=state)
    for t in range(SEQ_LEN):
        hidden, state = take(x[t], state)
        torch.testing.assert_close(hidden, output[t], **EXACT)
    torch.testing.assert_close(state, final, **EXACT)


def test_dropout_in_one_layer_is_refused(make_stack):
    with pytest.raises(InputError, match=r"with one layer, .*, got 0.5; use stack.num_layers=2"):
        make_stack("lstm", dropout=0.5)


def test_residual_in_one_layer_is_refused(make_stack):
    with pytest.raises(
        InputError, match=r"stack.residual: expected false with one layer.*stack.num_layers=2"
    ):
        make_stack("lstm", residual=True)


def learned(make_stack, kind, **options):
    """A stack that learned where to start: not at zero."""
    stack = make_stack(kind, learned_initial_state=True, **options)
    torch.manual_seed(6)
    for name in stack._initial:
        torch.nn.init.normal_(stack.get_parameter(name))
    return stack


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("bidirectional", [False, True])
def test_a_sequence_starts_from_what_was_learned(x, make_stack, by_hand, kind, bidirectional):
    stack = learned(make_stack, kind, num_layers=2, bidirectional=bidirectional)
    rows = 2 * (1 + bidirectional)
    names = {"lstm": "hc", "rnn": "h", "uneven": "hm"}[kind]
    initial = [stack.get_parameter(f"initial_{name}") for name in names]
    assert [p.shape for p in initial] == [(rows, size) for size in stack.state_sizes]

    def loss(result):
        torch.manual_seed(4)
        return sum((t * torch.randn_like(t)).sum() for t in (result[0], *result[1]))

    got = stack(x, torch.tensor(LENGTHS))
    everywhere = tuple(p[:, None].expand(-1, BATCH, -1) for p in initial)
    expected = by_hand(stack, x, LENGTHS, everywhere)
    torch.testing.assert_close(tuple(got), expected, **EXACT)
    parameters = list(stack.parameters())
    for ours, theirs in zip(
        torch.autograd.grad(loss(got), parameters),
        torch.autograd.grad(loss(expected), parameters),
        strict=True,
    ):
        torch.testing.assert_close(ours, theirs, **EXACT)
    for end, start in zip(got.state, initial, strict=True):
        assert torch.equal(end[:, 1], start), "a row of length 0 stays where it starts"
    shown = stack.trace(x, torch.tensor(LENGTHS))
    assert torch.equal(torch.cat([s["h"] for s in shown[-stack.num_directions :]], -1), got.output)


@pytest.mark.parametrize("kind", KINDS)
def test_it_starts_at_zero_and_a_state_that_is_given_goes_before(x, make_stack, kind, random_state, results):
    plain, stack = make_stack(kind, num_layers=2), make_stack(kind, num_layers=2, learned_initial_state=True)
    assert all(map(torch.equal, plain(x).state, stack(x).state)) and torch.equal(plain(x)[0], stack(x)[0])
    stack = learned(make_stack, kind, num_layers=2)
    assert not torch.allclose(plain(x).output, stack(x).output)
    state = random_state(stack, BATCH)
    got = results(lambda x, s: stack(x, None, s), stack.cells, x, state)
    assert all(map(torch.equal, got, results(lambda x, s: plain(x, None, s), plain.cells, x, state)))
    output, _ = stack(x, None, state)
    used = torch.autograd.grad(output.sum(), [stack.initial_h], allow_unused=True)
    assert used == (None,)


def test_it_is_saved_beside_the_names_of_torch(x, make_stack):
    stack, plain = learned(make_stack, "lstm", num_layers=2), make_stack("lstm", num_layers=2)
    assert sorted(set(stack.state_dict()) - set(plain.state_dict())) == ["initial_c", "initial_h"]
    assert set(plain.state_dict()) < set(stack.state_dict())
    other = make_stack("lstm", num_layers=2, learned_initial_state=True)
    other.load_state_dict(copy.deepcopy(stack.state_dict()), strict=True)
    assert torch.equal(other(x).output, stack(x).output)
    with pytest.raises(RuntimeError, match="initial_h"):
        plain.load_state_dict(stack.state_dict())


def test_initial_state_and_zero_state(make_stack):
    stack = learned(make_stack, "uneven", num_layers=2)
    h, m = stack.initial_state(5, torch.device("cpu"), torch.float32)
    assert h.shape == (2, 5, HIDDEN) and m.shape == (2, 5, 2) and h.dtype == torch.float32
    assert torch.equal(h[:, 3], stack.initial_h.float())
    assert stack.initial_state(5)[1].dtype == torch.float64
    assert not any(tensor.any() for tensor in stack.zero_state(5))
    plain = make_stack("uneven", num_layers=2)
    assert all(map(torch.equal, plain.initial_state(5), plain.zero_state(5)))
