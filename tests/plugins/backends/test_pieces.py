"""Where the steps of a batch lie in pieces, against a loop over rows and steps."""

from __future__ import annotations

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnlab_plugins.backends.pieces import cut


def by_hand(x, lengths, size, reverse, full, narrowest):
    """The pieces of x [T, B, F] as a list of [height, width, F], row by row."""
    rows = sorted(range(len(lengths)), key=lambda row: -lengths[row])
    longest = max(*lengths, 1)
    pieces = []
    for start in range(0, longest, size):
        height = size if full else min(size, max(lengths) - start)
        width = max(narrowest, sum(length > start for length in lengths))
        piece = torch.zeros(height, width, x.shape[2], dtype=x.dtype)
        for column, row in enumerate(rows[:width]):
            for step in range(start, min(start + height, lengths[row])):
                time = lengths[row] - 1 - step if reverse else step
                piece[step - start, column] = x[time, row]
        pieces.append(piece)
    return rows, pieces


@settings(max_examples=80, deadline=None)
@given(data=st.data())
def test_every_valid_step_is_where_a_loop_puts_it_and_comes_back(data):
    lengths = data.draw(st.lists(st.integers(0, 7), min_size=2, max_size=5))
    size, reverse, full = data.draw(st.integers(1, 8)), data.draw(st.booleans()), data.draw(st.booleans())
    narrowest = data.draw(st.integers(1, 2)) if full else 1
    x = torch.arange(7.0 * len(lengths) * 2).view(7, len(lengths), 2) + 1
    rows, expected = by_hand(x, lengths, size, reverse, full, narrowest)
    pieces = cut(torch.tensor(lengths), 7, size, reverse, full=full, narrowest=narrowest)
    assert pieces.rows.tolist() == rows
    assert pieces.heights == [len(piece) for piece in expected]
    assert pieces.widths == [piece.shape[1] for piece in expected]
    gathered = pieces.gather(x)
    torch.testing.assert_close(gathered, torch.cat([piece.flatten(0, 1) for piece in expected]))
    assert torch.equal(pieces.padding(), (gathered == 0).all(1, keepdim=True))
    valid = torch.arange(7)[:, None] < torch.tensor(lengths)
    torch.testing.assert_close(pieces.scatter(gathered), torch.where(valid[..., None], x, 0.0))
    torch.testing.assert_close(pieces.unsort(pieces.sort((x[0],))), (x[0],))
    if any(lengths):
        steps, last = pieces.scatter_with_last(gathered)
        torch.testing.assert_close(steps, pieces.scatter(gathered))
        for row, length in enumerate(lengths):
            if length:
                torch.testing.assert_close(last[row], x[0 if reverse else length - 1, row])


def test_moving_there_and_back_has_the_gradient_of_both():
    pieces = cut(torch.tensor([3, 0, 5]), 5, 2, True)
    x = torch.randn(5, 3, 2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(pieces.gather, (x,))
    assert torch.autograd.gradgradcheck(lambda x: pieces.scatter(pieces.gather(x) ** 2), (x,))
    assert torch.autograd.gradcheck(lambda x: pieces.scatter_with_last(pieces.gather(x) ** 2), (x,))
    assert torch.autograd.gradgradcheck(lambda x: pieces.scatter_with_last(pieces.gather(x) ** 2), (x,))
