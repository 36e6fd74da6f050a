"""The rows of the comparison: what differs, and which value is best."""

import math
from pathlib import Path

import numpy as np

from rnnlab.dashboard.catalogue.catalogue import Catalogue
from rnnlab.dashboard.feed.snapshot import RunSnapshot, Series
from rnnlab.dashboard.screens.compare_rows import best_step, directions, rows
from rnnlab.plugins.entry import Entry

NOTHING = Catalogue()
TASKS = Catalogue(
    (Entry(kind="task", name="spelling", target="x:y", metrics={"exact_match": "max", "error_rate": "min"}),)
)


def run(name, config=(), **fields):
    config = {"task.type": "spelling", "dataset.type": "words", **dict(config)}
    return RunSnapshot(id=name, path=Path(name), state="finished", config=config, **fields)


def table(runs, catalogue=NOTHING, only_differences=False):
    """Label -> texts, with * after the best."""
    return {
        row.label: [cell.text + "*" * cell.best for cell in row.cells]
        for row in rows(runs, catalogue, only_differences)
    }


def section(runs, title):
    """The labels of one section."""
    found = rows(runs, NOTHING)
    at = [row.label for row in found].index(title) + 1
    rest = [index for index, row in enumerate(found) if index >= at and not row.cells]
    return [row.label for row in found[at : (rest or [None])[0]]]


def test_parameters_are_told_apart_by_their_values_and_by_being_there():
    a = run("a", {"cell.type": "lstm", "cell.forget_bias": 1.0, "stack.hidden_size": 64, "seed": 0})
    b = run("b", {"cell.type": "rnn", "stack.hidden_size": 64, "training.clip": None, "seed": False})
    found = table((a, b))
    assert found["cell.type"] == ["lstm", "rnn"]
    assert found["cell.forget_bias"] == ["1", "-"]
    assert found["training.clip"] == ["-", "null"]
    assert found["seed"] == ["0", "false"]
    assert found["stack.hidden_size"] == ["64"]
    assert found["state"] == ["finished"]
    differing = ["cell.type", "cell.forget_bias", "seed", "training.clip"]
    assert section((a, b), "parameters that differ") == differing
    common = ["state", "steps", "task.type", "dataset.type", "stack.hidden_size"]
    assert section((a, b), "in common") == common


def test_only_what_differs():
    a = run("a", {"cell.type": "lstm", "seed": 0}, last={"test/loss": 0.5, "test/bleu": 3.0}, step=5)
    b = run("b", {"cell.type": "rnn", "seed": 0}, last={"test/loss": 0.5, "test/bleu": 4.0}, step=5)
    assert list(table((a, b), only_differences=True)) == [
        "parameters that differ",
        "cell.type",
        "on test",
        "test/bleu",
    ]
    equal = table((a, a), only_differences=True)
    assert equal == {}


def test_the_loss_and_what_picks_the_checkpoint_have_a_best_value_at_once():
    scores = {"val/loss": 0.4, "val/error_rate": 0.1, "val/bleu": 9.0}
    a = run("a", monitor="error_rate", better="min", best=scores)
    b = run("b", monitor="error_rate", better="min", best={**scores, "val/loss": 0.3, "val/error_rate": 0.2})
    found = table((a, b))
    assert found["val/loss"] == ["0.4", "0.3*"]
    assert found["val/error_rate"] == ["0.1*", "0.2"]
    assert found["val/bleu"] == ["9", "9"]
    assert section((a, b), "at the best checkpoint") == ["val/error_rate", "val/loss", "val/bleu"]


def test_a_monitor_of_which_more_is_better():
    runs = [run(f"r{x}", monitor="bleu", better="max", last={"test/bleu": x}) for x in (2.0, 5.0, 5.0)]
    assert table(runs)["test/bleu"] == ["2", "5*", "5*"]


def test_the_catalogue_knows_the_other_metrics():
    a = run("a", last={"test/exact_match": 0.7, "test/error_rate": 0.2, "test/own": 1.0})
    b = run("b", last={"test/exact_match": 0.8, "test/error_rate": 0.3, "test/own": 2.0})
    assert table((a, b))["test/exact_match"] == ["0.7", "0.8"]
    known = table((a, b), TASKS)
    assert known["test/exact_match"] == ["0.7", "0.8*"]
    assert known["test/error_rate"] == ["0.2*", "0.3"]
    assert known["test/own"] == ["1", "2"]


def test_a_direction_on_which_runs_disagree_is_none():
    a, b = run("a", monitor="own", better="max"), run("b", monitor="own", better="min")
    assert directions((a, b), NOTHING) == {"loss": "min", "tokens_per_second": "max"}


def test_no_value_is_best_where_it_is_missing_or_no_number():
    runs = [run("r", last={"test/loss": x}) for x in (math.nan, 0.5, 0.7)]
    runs.insert(2, run("c"))
    assert table(runs)["test/loss"] == ["nan", "0.5*", "-", "0.7"]


def test_scores_on_different_data_are_not_judged():
    a = run("a", last={"test/loss": 0.5})
    b = run("b", {"dataset.type": "names"}, last={"test/loss": 0.7})
    found = table((a, b))
    assert found["test/loss"] == ["0.5", "0.7"]
    assert "on test (other data: none is best)" in found


def test_the_best_step_is_that_of_the_best_validation():
    score = Series(np.array([10, 20, 30]), np.array([0.2, np.nan, 0.9]), np.array([1, 2, 3]))
    assert best_step(run("a", monitor="bleu", better="max", series={"val/bleu": score})) == 30
    assert best_step(run("a", monitor="bleu", better="min", series={"val/bleu": score})) == 10
    assert best_step(run("a", monitor="loss", series={"val/bleu": score})) is None
