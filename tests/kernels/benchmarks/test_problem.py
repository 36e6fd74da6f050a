"""The float64 loop that contestants are held to is itself held to nn.LSTM and nn.RNN."""

from dataclasses import replace

import pytest
import torch
from cases import Case
from problem import draw, relative_error, solve
from rivals import PackedRunner, TorchRunner

CASE = Case("sizes", "float32", seq_len=7, batch_size=4, input_size=5, hidden_size=6)


@pytest.mark.parametrize("cell", ["lstm", "rnn"])
@pytest.mark.parametrize(("layers", "directions", "ragged"), [(1, 1, False), (2, 2, True), (2, 2, False)])
def test_solve_is_torch(cell: str, layers: int, directions: int, ragged: bool) -> None:
    case = replace(CASE, cell=cell, num_layers=layers, directions=directions, ragged=ragged)
    problem = draw(case, torch.device("cpu"), seed=3).to(torch.float64)
    runner = (PackedRunner if ragged else TorchRunner)(problem)
    expected, found = runner.run(problem.x, problem.lengths), solve(problem)
    torch.testing.assert_close(found.output, expected.output)
    torch.testing.assert_close(found.h_n, expected.h_n)
    torch.testing.assert_close(found.c_n, expected.c_n)


def test_heads_are_a_block_diagonal_matrix() -> None:
    case = replace(CASE, heads=2, part="recurrence")
    problem = draw(case, torch.device("cpu")).to(torch.float64)
    blocks = problem.layers[0].weight_hh[0].view(4, 2, 3, 3)
    full = torch.stack([torch.block_diag(*gate) for gate in blocks]).view(1, 24, 6)
    whole = replace(
        problem, case=replace(case, heads=1), layers=(replace(problem.layers[0], weight_hh=full),)
    )
    torch.testing.assert_close(solve(problem).output, solve(whole).output)


def test_first_steps_cut_lengths_too() -> None:
    problem = draw(replace(CASE, ragged=True), torch.device("cpu"), seed=1)
    assert problem.lengths is not None
    assert problem.lengths.max() == 7
    cut = problem.first(3)
    assert cut.lengths is not None
    assert cut.x.shape[0] == cut.d_output.shape[0] == 3
    assert cut.lengths.tolist() == [min(3, length) for length in problem.lengths.tolist()]


def test_inputs_are_random_and_repeatable() -> None:
    device = torch.device("cpu")
    assert torch.equal(draw(CASE, device, 1).x, draw(CASE, device, 1).x)
    assert not torch.equal(draw(CASE, device, 1).x, draw(CASE, device, 2).x)
    assert all(tensor.std() > 0 for tensor in draw(CASE, device).weights().values())


def test_relative_error() -> None:
    assert relative_error(torch.tensor([3.0, 4.5]), torch.tensor([3.0, 4.0])) == pytest.approx(0.1)
    assert relative_error(torch.tensor([0.0, 2.0]), torch.zeros(2)) == 2.0
    assert relative_error(torch.tensor([float("nan")]), torch.ones(1)) != 0.0
