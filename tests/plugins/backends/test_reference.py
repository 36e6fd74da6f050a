from __future__ import annotations

import pytest
import torch

from rnnlab_plugins.backends.reference import ReferenceBackend

LENGTHS = {"whole": None, "unequal": (3, 0, 5, 1)}


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("lengths", LENGTHS)
@pytest.mark.parametrize("kind", ["lstm", "tanh", "relu"])
def test_results_and_gradients_are_those_of_torch_row_by_row(
    make_cell, results, assert_agree, row_by_row, kind, lengths, reverse
):
    cell = make_cell(kind, 3, 7)
    run = (cell, 5, 4, LENGTHS[lengths], reverse)
    assert_agree(results(ReferenceBackend(), *run), results(row_by_row, *run))


@pytest.mark.parametrize("kind", ["lstm", "sigmoid"])
@pytest.mark.parametrize("device", ["cpu", "cuda", "mps"])
def test_it_runs_every_cell_everywhere(make_cell, kind, device):
    assert ReferenceBackend().supports(make_cell(kind, 3, 7), torch.device(device), torch.float16) is None
