"""What a run tells the choice of its backend, and what a resumed run keeps of it."""

from __future__ import annotations

import pytest

from rnnlab.config.build import load
from rnnlab.plugins.registry import Registry
from rnnlab.recurrent.measurement import Workload
from rnnlab.training.assemble import ModelBuilder, place, read_data, workloads

SMALL = ("training.device=cpu", "training.batch_size=32", "training.max_steps=20")


@pytest.fixture(scope="module")
def registry() -> Registry:
    return Registry.discover()


@pytest.fixture
def build(registry):
    def make(preset, *overrides, **options):
        experiment = load(preset, [*SMALL, *overrides], registry)
        return ModelBuilder(experiment, registry, place(experiment), **options)

    return make


def test_the_workload_is_that_of_the_data_and_the_training(registry):
    experiment = load("digits-rows", SMALL, registry)
    data, _ = read_data(experiment, registry)
    assert workloads(data, experiment) == {"encoder": Workload(32, 8, 20, unequal=False)}


def test_a_decoder_reads_the_targets(registry):
    experiment = load("inflection", [*SMALL, "dataset.limit=100"], registry)
    data, _ = read_data(experiment, registry)
    found = workloads(data, experiment)
    target = data.splits["train"].target.lengths
    assert list(found) == ["encoder", "decoder"]
    assert found["decoder"].seq_len == round(float(target.double().mean())) and found["decoder"].unequal


def test_a_resumed_run_keeps_the_backend_that_it_was_started_with(build):
    builder = build("digits-rows", kept={"encoder": "reference"})
    builder.stack(8)
    assert builder.backend == "reference"
    assert builder.backend_reason == "reference: the run was started with it"


def test_one_that_is_gone_is_chosen_anew_and_one_asked_for_comes_first(build):
    for kept, asked in (("no_such_backend", "auto"), ("reference", "torch")):
        builder = build("digits-rows", f"backend={asked}", kept={"encoder": kept})
        builder.stack(8)
        assert builder.backend == "torch"


def test_one_that_refuses_by_now_is_chosen_anew(build):
    """As when a run that was started on a GPU goes on without."""
    builder = build("digits-rows", "cell=rnn", "cell.nonlinearity=sigmoid", kept={"encoder": "torch"})
    builder.stack(8)
    assert builder.backend == "reference" and "torch cannot run rnn" in builder.backend_reason
