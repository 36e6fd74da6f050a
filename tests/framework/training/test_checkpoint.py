"""Checkpoints: whole or absent, exact, and no more of them kept than are linked."""

import random

import numpy as np
import torch
from torch import nn

from rnnlab.training import checkpoint
from rnnlab.training.checkpoint import Progress


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def save(folder, model, step, best=False):
    state = {"optimizer": {"lr": 0.1}, "schedule": {"halvings": 0, "standing": 0}}
    return checkpoint.save(folder, model, state, Progress(step=step), best)


def test_only_last_and_best_are_kept(tmp_path):
    model = nn.Linear(2, 2)
    save(tmp_path, model, 1, best=True)
    save(tmp_path, model, 2)
    save(tmp_path, model, 3)
    assert names(tmp_path) == ["best", "last", "step-1", "step-3"]
    assert (tmp_path / "best").resolve().name == "step-1"
    assert (tmp_path / "last").resolve().name == "step-3"


def test_weights_random_states_and_progress_come_back(tmp_path):
    model, other = nn.Linear(3, 2), nn.Linear(3, 2)
    torch.manual_seed(5)
    progress = Progress(step=7, epoch=1, batch=2, best=0.5, best_step=6, seconds=1.5)
    checkpoint.save(tmp_path, model, {"optimizer": {"x": torch.ones(2)}}, progress, best=True)
    expected = torch.rand(4), np.random.rand(3).tolist(), random.random()
    torch.manual_seed(99)
    np.random.seed(99)
    random.seed(99)
    checkpoint.load_weights(tmp_path / "last", other)
    state, restored = checkpoint.load_training(tmp_path / "last")
    torch.testing.assert_close(torch.rand(4), expected[0], rtol=0, atol=0)
    assert (np.random.rand(3).tolist(), random.random()) == expected[1:]
    assert restored == progress
    torch.testing.assert_close(state["optimizer"]["x"], torch.ones(2))
    torch.testing.assert_close(other.state_dict(), model.state_dict(), rtol=0, atol=0)


def test_a_half_written_checkpoint_is_never_linked_and_is_cleared(tmp_path):
    model = nn.Linear(2, 2)
    save(tmp_path, model, 1, best=True)
    torn = tmp_path / ".step-2.123"
    torn.mkdir()
    (torn / checkpoint.WEIGHTS).write_bytes(b"half")
    assert (tmp_path / "last").resolve().name == "step-1"
    save(tmp_path, model, 2)
    assert names(tmp_path) == ["best", "last", "step-1", "step-2"]


def test_shared_weights_are_saved(tmp_path):
    class Tied(nn.Module):
        def __init__(self):
            super().__init__()
            self.embed, self.output = nn.Embedding(4, 3), nn.Linear(3, 4, bias=False)
            self.output.weight = self.embed.weight

    model, other = Tied(), Tied()
    save(tmp_path, model, 1)
    checkpoint.load_weights(tmp_path / "last", other)
    torch.testing.assert_close(other.output.weight, model.embed.weight, rtol=0, atol=0)
    assert other.output.weight is other.embed.weight
