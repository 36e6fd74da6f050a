from dataclasses import replace

import pytest
import torch
from cases import Case
from checking import PASSES, Truth, compare
from problem import draw
from rivals import contestants

CASE = Case("depth", "float32", seq_len=5, batch_size=3, input_size=4, hidden_size=8)
CASES = [
    replace(CASE, num_layers=2, directions=2),
    replace(CASE, num_layers=2, directions=2, ragged=True),
    replace(CASE, cell="rnn", directions=2),
    replace(CASE, cell="rnn", ragged=True),
    replace(CASE, heads=2, part="recurrence"),
    replace(CASE, group="lean"),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_adapters_compute_the_case(case: Case) -> None:
    """In float64, which no kernel takes, all agree, gradients included: no adapter mixes up anything."""
    truth = Truth()
    for who in contestants(case):
        problem = draw(case, torch.device("cpu")).to(torch.float64)
        runner = who.make(problem)
        for kind in PASSES:
            error, tensor = compare(who, runner, kind, problem, truth)
            assert error < 1e-12, (who.name, kind, tensor)


def test_flashrnn_adapter() -> None:
    pytest.importorskip("flashrnn", reason="flashrnn is not installed")
    case = replace(CASE, group="flashrnn", heads=2, part="recurrence")
    found = {who.name: who for who in contestants(case, flashrnn=("vanilla",))}
    problem, truth = draw(case, torch.device("cpu")), Truth()
    runner = found["FlashRNN vanilla"].make(problem)
    for kind in PASSES:
        error, tensor = compare(found["FlashRNN vanilla"], runner, kind, problem, truth)
        assert error < 1e-5, (kind, tensor)
