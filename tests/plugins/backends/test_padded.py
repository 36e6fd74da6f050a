"""The held state and the pieces, also for the modes that only GPUs run so."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnlab_plugins.backends import padded
from rnnlab_plugins.backends.reference import ReferenceBackend

KINDS = ["lstm", "gru", "tanh", "relu"]


class Padded(ReferenceBackend):
    def run(self, cell, x, state, lengths=None, reverse=False):
        assert lengths is not None
        return padded.run(cell, x, state, lengths, reverse)


@pytest.mark.parametrize("cost", [0.0, 5e6])
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_results_are_those_of_torch_row_by_row(
    make_cell, results, assert_agree, row_by_row, monkeypatch, kind, reverse, cost
):
    monkeypatch.setattr(padded, "CUT_COST", cost)
    monkeypatch.setattr(padded, "PIECE_COST", cost)
    run = (make_cell(kind, 3, 7), 9, 5, (2, 9, 0, 5, 7), reverse)
    assert_agree(results(Padded(), *run), results(row_by_row, *run))


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_any_lengths_in_pieces(make_cell, results, assert_agree, data):
    seq_len, batch_size = data.draw(st.integers(1, 9)), data.draw(st.integers(1, 5))
    lengths = data.draw(st.lists(st.integers(0, seq_len), min_size=batch_size, max_size=batch_size))
    cell = make_cell(data.draw(st.sampled_from(KINDS)), 3, 4)
    run = (cell, seq_len, batch_size, lengths, data.draw(st.booleans()))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(padded, "CUT_COST", 0.0)
        patch.setattr(padded, "PIECE_COST", 0.0)
        got = results(Padded(), *run)
    assert_agree(got, results(ReferenceBackend(), *run))


def test_on_more_threads_there_are_fewer_pieces(monkeypatch):
    def count(threads):
        monkeypatch.setattr(torch, "get_num_threads", lambda: threads)
        return padded.piece_count(torch.tensor([8, 1, 1, 1]), 8, 10**9)

    assert [count(threads) for threads in (1, 2, 3, 64)] == [4, 3, 2, 1]


@pytest.mark.parametrize(
    ("lengths", "seq_len", "weights", "count"),
    [
        ([8] * 4, 8, 10**9, 1),
        ([8, 1, 1, 1], 8, 10, 1),
        ([8, 1, 1, 1], 8, 10**9, 4),
        ([8, 8, 4, 4], 8, 10**9, 2),
        ([1, 1], 1, 10**9, 1),
        ([0, 0], 8, 10**9, 1),
    ],
)
def test_pieces_are_made_where_they_save_more_than_they_cost(monkeypatch, lengths, seq_len, weights, count):
    monkeypatch.setattr(torch, "get_num_threads", lambda: 1)
    assert padded.piece_count(torch.tensor(lengths), seq_len, weights) == count
