"""Learning rates by hand."""

import math

import pytest
import torch

from rnnlab.config.training import TrainingConfig
from rnnlab.training.schedule import PLATEAU_PATIENCE, Schedule, make_optimizer


def schedule(total=10, **options):
    config = TrainingConfig(learning_rate=0.8, **options)
    parameter = torch.nn.Parameter(torch.zeros(1))
    return Schedule(make_optimizer([parameter], config), config, total)


def test_constant():
    assert [schedule().rate(step) for step in (0, 5, 9)] == [0.8, 0.8, 0.8]


def test_linear_falls_to_zero():
    rates = [schedule(total=4, schedule="linear").rate(step) for step in range(5)]
    assert rates == pytest.approx([0.8, 0.6, 0.4, 0.2, 0.0])


def test_cosine_after_warmup():
    made = schedule(total=6, schedule="cosine", warmup_steps=2)
    rates = [made.rate(step) for step in range(6)]
    expected = [0.4, 0.8, *(0.4 * (1 + math.cos(math.pi * done / 4)) for done in range(4))]
    assert rates == pytest.approx(expected)


def test_plateau_halves_when_the_score_stands_still():
    made = schedule(schedule="plateau")
    made.observe(True)
    for _ in range(PLATEAU_PATIENCE):
        assert made.rate(1) == 0.8
        made.observe(False)
    assert made.rate(1) == 0.4
    restored = schedule(schedule="plateau")
    restored.load_state_dict(made.state_dict())
    assert restored.rate(1) == 0.4


def test_apply_sets_the_optimizer():
    made = schedule(total=4, schedule="linear")
    assert made.apply(2) == pytest.approx(0.4)
    assert made.optimizer.param_groups[0]["lr"] == pytest.approx(0.4)


@pytest.mark.parametrize(
    ("name", "reference"),
    [
        ("adam", lambda p: torch.optim.Adam(p, lr=0.1, weight_decay=0.01)),
        ("adamw", lambda p: torch.optim.AdamW(p, lr=0.1, weight_decay=0.01)),
        ("sgd", lambda p: torch.optim.SGD(p, lr=0.1, weight_decay=0.01, momentum=0.9)),
    ],
)
def test_optimizers_step_as_torchs_own(name, reference):
    config = TrainingConfig(
        optimizer=name, learning_rate=0.1, weight_decay=0.01, momentum=0.9 if name == "sgd" else 0.0
    )
    ours, theirs = (torch.nn.Parameter(torch.tensor([1.0, -2.0])) for _ in range(2))
    optimizers = make_optimizer([ours], config), reference([theirs])
    for step in range(3):
        for parameter, optimizer in zip((ours, theirs), optimizers, strict=True):
            parameter.grad = torch.tensor([0.3, -0.1]) * (step + 1)
            optimizer.step()
    torch.testing.assert_close(ours, theirs)
