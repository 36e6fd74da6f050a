"""The size of a run is that of the model a run would build."""

from __future__ import annotations

import pytest

from rnnlab.config.build import load
from rnnlab.plugins.registry import Registry
from rnnlab.training.assemble import ModelBuilder, parameter_count, place, read_data
from rnnlab.training.size import size


@pytest.fixture(scope="module")
def registry() -> Registry:
    return Registry.discover()


@pytest.mark.parametrize(
    ("preset", "overrides"),
    [
        ("digits", ["stack.num_layers=2", "stack.bidirectional=true", "stack.recurrent_init=orthogonal"]),
        ("stress", ["dataset.words=200"]),
        ("g2p", ["dataset.words=200", "decoder=rnn", "task.bridge=linear"]),
        ("g2p", ["dataset.words=200", "cell=rnn", "task.attention=none", "training.max_steps=3"]),
    ],
)
def test_it_counts_what_a_run_would_train(preset, overrides, registry):
    experiment = load(preset, overrides, registry)
    data, _ = read_data(experiment, registry)
    built = ModelBuilder(experiment, registry, place(experiment))
    task = built.task(data.schema)
    found = size(experiment, data, registry)
    assert found.parameters == parameter_count(task)
    assert (found.backend, found.backend_reason) == (built.backend, built.backend_reason)
    assert found.examples == data.sizes
    batches = -(-data.sizes["train"] // experiment.training.batch_size)
    assert found.steps == (experiment.training.max_steps or batches * experiment.training.epochs)
