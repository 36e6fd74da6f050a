"""Every option of the stack in each of the three tasks."""

from __future__ import annotations

import pytest
import torch

from rnnlab_plugins.tasks.config import (
    SequenceClassificationConfig,
    SequenceLabellingConfig,
    SequenceToSequenceConfig,
)
from rnnlab_plugins.tasks.sequence_classification import SequenceClassification
from rnnlab_plugins.tasks.sequence_labelling import SequenceLabelling
from rnnlab_plugins.tasks.sequence_to_sequence import SequenceToSequence

EOS = 2
SOURCES = [[3, 5, 1, 2], [], [7], [4, 4, 8]]
TASKS = {
    "class": (SequenceClassification, SequenceClassificationConfig, [1, 0, 2, 3]),
    "synchronous": (SequenceLabelling, SequenceLabellingConfig, [[1, 2, 3, 0], [], [1], [2, 2, 0]]),
    "asynchronous": (SequenceToSequence, SequenceToSequenceConfig, [[4, 3], [5], [6, 6, 5, 4], [3]]),
}
OPTIONS = {
    "residual": {"residual": True},
    "recurrent dropout": {"recurrent_dropout": 0.3},
    "zoneout": {"zoneout": {"h": 0.2}},
    "learned initial state": {"learned_initial_state": True},
    "truncation": {"truncate": 2},
    "forget bias": {"recurrent_init": "forget_bias"},
    "all": {
        "residual": True,
        "recurrent_dropout": 0.3,
        "zoneout": 0.2,
        "learned_initial_state": True,
        "truncate": 2,
        "recurrent_init": "forget_bias",
    },
}


@pytest.fixture
def make(make_task, make_schema, collate):
    def build(mode, settings=None, **stack):
        kind, config, targets = TASKS[mode]
        task = make_task(kind, config(**{"embedding_size": 5} | (settings or {})), make_schema(mode), **stack)
        return task, collate(SOURCES, targets, EOS if mode == "asynchronous" else None)

    return build


@pytest.mark.parametrize("option", OPTIONS)
@pytest.mark.parametrize("mode", TASKS)
def test_it_changes_training_and_every_parameter_learns(make, gradients, mode, option):
    plain, batch = make(mode, num_layers=2)
    task, _ = make(mode, num_layers=2, **OPTIONS[option])
    torch.manual_seed(0)
    expected = gradients(plain, batch)
    torch.manual_seed(0)
    got = gradients(task, batch)
    assert all(gradient.isfinite().all() for gradient in got.values())
    initial = {name for name in got if "initial_" in name}
    assert (len(initial) > 0) == (option in ("learned initial state", "all"))
    if initial:
        assert set(got) - set(expected) == initial
        assert not any(name.startswith("decoder") for name in initial)
        assert any(got[name].any() for name in initial)
    if option != "learned initial state":
        assert any(not torch.allclose(got[name], value) for name, value in expected.items())
    task.eval()
    assert len(task.predict(batch)) == len(SOURCES)
    assert task.trace(batch)


@pytest.mark.parametrize("pooling", ["last", "mean", "max"])
def test_a_class_is_read_from_what_the_residual_stack_gives(make, pooling):
    task, batch = make("class", {"pooling": pooling}, num_layers=2, residual=True, bidirectional=True)
    output, _ = task.stack(task.embedding(batch.source, batch.lengths), batch.lengths)
    for b, length in enumerate(batch.lengths.tolist()):
        if length == 0:
            continue
        steps = output[:length, b]
        last = torch.cat([steps[-1, :6], steps[0, 6:]])
        pooled = {"last": last, "mean": steps.mean(0), "max": steps.max(0).values}[pooling]
        torch.testing.assert_close(task(batch)[b], task.output(pooled))


@pytest.mark.parametrize("stack", [{"recurrent_dropout": 0.4}, {"truncate": 2}, {"residual": True}])
def test_scheduled_sampling_of_right_tokens_is_teacher_forcing(make, stack):
    """Step by step the decoder drops the same units, and is cut at the same steps, as when run at once."""
    task, batch = make("asynchronous", num_layers=2, **stack)

    def forced(encoded):
        torch.rand(batch.target.shape)  # the coins that `sampled` tosses
        return task.forced(encoded, batch.target)

    def results(run):
        torch.manual_seed(5)
        logits = run(task.encode(batch))
        return logits, torch.autograd.grad(logits.square().sum(), list(task.decoder.parameters()))

    got, gradients = results(lambda encoded: task.sampled(encoded, batch.target, 1.0))
    expected, right = results(forced)
    torch.testing.assert_close(got, expected)
    for ours, theirs in zip(gradients, right, strict=True):
        torch.testing.assert_close(ours, theirs)
