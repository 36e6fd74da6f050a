"""What a run would be, answered without training it."""

from __future__ import annotations

import pytest

from rnnlab.config.build import load
from rnnlab.execution.dry_run import KEPT, DryRun


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
