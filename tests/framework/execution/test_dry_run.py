"""What a run would be, answered without training it."""

from __future__ import annotations

import pytest

from rnnlab.config.build import load
from rnnlab.errors import InputError
from rnnlab.execution.dry_run import KEPT, DryRun
from rnnlab.plugins.registry import Registry
from rnnlab.training.assemble import ModelBuilder, place, read_data, workloads

LEAK = """
from rnnlab.api import Cell, CellSpec, Step, hookimpl

class Leak(Cell):
    def step(self, projected, state):
        return Step((state[0] / 2 + (projected + state[0] @ self.weight_hh.T).tanh(),))

@hookimpl
def rnnlab_cells():
    yield CellSpec("leak", f"{__name__}:Leak")
"""


@pytest.fixture
def dry_run(registry):
    return DryRun(registry)


def ask(dry_run, what, source, *overrides):
    return dry_run.answer({"do": what, "source": source, "overrides": list(overrides)})


def test_the_answers_are_those_of_run(dry_run, registry):
    assert ask(dry_run, "check", "digits", "seed=3") == {
        "problems": [],
        "config": load("digits", ["seed=3"], registry).to_dict(),
    }
    answer = ask(dry_run, "check", "digits", "stack.num_layers=0", "training.epochs=x")
    assert answer["config"] is None
    assert [line.partition(":")[0] for line in answer["problems"]] == ["stack.num_layers", "training.epochs"]


def test_data_are_read_once_and_few_are_kept(dry_run):
    first = ask(dry_run, "size", "digits", "dataset.limit=64", "stack.hidden_size=4")
    (kept,) = dry_run._data.values()
    again = ask(dry_run, "size", "digits", "dataset.limit=64", "stack.hidden_size=4", "training.epochs=1")
    assert list(dry_run._data.values()) == [kept]
    assert (first["parameters"], first["steps"], again["steps"]) == (4 * 4 * 7 + 10 * 5, 80, 2)
    for limit in range(65, 70):
        ask(dry_run, "size", "digits", f"dataset.limit={limit}")
    assert len(dry_run._data) == KEPT


def test_a_fault_of_a_plugin_is_a_problem(dry_run, monkeypatch):
    monkeypatch.setattr("rnnlab.training.assemble.read_data", lambda *_: 1 / 0)
    assert ask(dry_run, "size", "digits")["problems"] == [
        "ZeroDivisionError: division by zero (a fault of rnnlab or a plugin)"
    ]


@pytest.fixture
def measuring(tmp_path, monkeypatch):
    """As a user's own: `auto` measures, and keeps what it finds in this folder."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("RNNLAB_AUTO", raising=False)
    return tmp_path / "rnnlab" / "auto"


def test_the_backend_is_told_as_a_run_says_it_once_it_was_measured(dry_run, registry, measuring):
    options = ["cell=gru", "stack.hidden_size=4", "training.max_steps=5", "training.device=cpu"]
    unknown = ask(dry_run, "size", "digits-rows", *options)
    assert unknown["provisional"] and not measuring.exists()
    assert unknown["backend_reason"].startswith(
        "torch: by rank, not measured here yet: a run measures first and may take another; "
    )
    experiment = load("digits-rows", options, registry)
    data, _ = read_data(experiment, registry)
    run = ModelBuilder(experiment, registry, place(experiment), workloads(data, experiment))
    run.task(data.schema)
    (measurement,) = measuring.iterdir()
    measurement.write_text('{"costs": {"reference": 0.002, "torch": 0.003}}')
    told = ask(dry_run, "size", "digits-rows", *options)
    assert (told["backend"], told["provisional"]) == ("reference", False)
    assert told["backend_reason"].startswith(
        "reference: 2 ms a step against torch 3 (measured here, 32 rows of 8); compiled was not tried, "
    )
    again = ModelBuilder(experiment, registry, place(experiment), workloads(data, experiment))
    again.task(data.schema)
    assert told["backend_reason"] == again.backend_reason
    assert list(measuring.iterdir()) == [measurement]
    other = ask(dry_run, "size", "digits-rows", *options, "stack.hidden_size=5")
    assert other["provisional"]


def test_recurrent_dropout_is_refused_where_the_run_refuses_it(tmp_path):
    (tmp_path / "leak.py").write_text(LEAK)
    registry = Registry.discover([tmp_path])
    options = ["cell=leak", "stack.recurrent_dropout=0.1", "stack.num_layers=2", "training.device=cpu"]
    experiment = load("digits-rows", options, registry)
    with pytest.raises(InputError) as refused:
        ModelBuilder(experiment, registry, place(experiment)).stack(8)
    assert "Leak also carries it on" in str(refused.value)
    assert ask(DryRun(registry), "size", "digits-rows", *options)["problems"] == [str(refused.value)]
    assert ask(DryRun(registry), "size", "digits-rows", *options, "cell=lstm")["problems"] == []
