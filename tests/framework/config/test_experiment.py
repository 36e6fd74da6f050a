"""A resolved experiment is complete, plain, and gives itself again."""

from __future__ import annotations

import json

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rnnlab.config.build import build, load
from rnnlab.config.experiment import flatten
from rnnlab.plugins.registry import Registry

OPTIONAL = {
    "name": st.from_regex(r"\A[A-Za-z0-9][A-Za-z0-9._-]{0,20}\Z"),
    "description": st.text(st.characters(blacklist_categories=["Cs", "Cc"]), max_size=20),
    "seed": st.integers(0, 2**32 - 1),
    "backend": st.sampled_from(["auto", "reference", {"type": "auto"}]),
    "executor": st.sampled_from(["here", {"type": "there"}]),
    "stack": st.fixed_dictionaries(
        {}, optional={"hidden_size": st.integers(1, 99), "bidirectional": st.booleans()}
    ),
    "training": st.fixed_dictionaries(
        {}, optional={"learning_rate": st.floats(1e-9, 1e3), "patience": st.none() | st.integers(1, 9)}
    ),
    "tracking": st.fixed_dictionaries({}, optional={"uri": st.none() | st.text("abc:/", min_size=1)}),
}
CELLS = st.sampled_from(["gated", "plain"]) | st.fixed_dictionaries(
    {"type": st.just("elman")},
    optional={
        "scale": st.floats(1e-6, 1e6),
        "sizes": st.lists(st.integers(), max_size=3),
        "label": st.sampled_from(["", "1e-3", "null", "yes", "007", "a: b"]),
    },
)
PARTS = st.sampled_from(
    [("naming", "images"), ("tagging", "tags"), ("translation", {"type": "pairs", "path": "a b.txt"})]
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(PARTS, CELLS, st.fixed_dictionaries({}, optional=OPTIONAL))
def test_an_experiment_gives_itself_again(registry: Registry, parts, cell, rest):
    task, dataset = parts
    experiment = build({"name": "x", "task": task, "dataset": dataset, "cell": cell, **rest}, registry)
    assert build(experiment.to_dict(), registry) == experiment
    assert build(yaml.safe_load(experiment.dump_yaml()), registry) == experiment


def test_every_default_is_written_out(registry):
    resolved = load("digits", [], registry).to_dict()
    assert resolved["name"] == "digits" and resolved["seed"] == 0 and resolved["description"] == ""
    assert resolved["task"] == {"type": "naming"}
    assert resolved["dataset"] == {"type": "images", "limit": None, "rows": False}
    assert resolved["cell"] == {"type": "gated", "bias": True, "forget_bias": 2.0}
    assert resolved["backend"] == {"type": "auto"} and resolved["executor"] == {"type": "here"}
    assert resolved["training"]["learning_rate"] == 0.01 and resolved["training"]["batch_size"] == 32
    assert resolved["stack"]["num_layers"] == 1 and resolved["tracking"]["experiment"] == "rnnlab"
    assert "decoder" not in resolved and "about" not in resolved
    assert list(resolved)[:5] == ["name", "description", "seed", "task", "dataset"]


def test_a_decoder_is_the_encoders_cell_unless_given(registry):
    same = load("translate", ["cell.scale=2"], registry)
    assert same.decoder == same.cell and same.to_dict()["decoder"]["scale"] == 2.0
    changed = load("translate", ["cell.scale=2", "decoder.nonlinearity=relu"], registry)
    assert changed.decoder is not None
    assert changed.decoder.to_dict() == same.cell.to_dict() | {"nonlinearity": "relu"}
    other = load("translate", ["decoder=gated"], registry)
    assert other.decoder is not None and (other.cell.name, other.decoder.name) == ("elman", "gated")
    assert other.decoder.kind == "cell" and other.decoder.spec.name == "gated"


def test_the_monitor_is_the_tasks_own_unless_given(registry):
    digits = load("digits", [], registry)
    assert (digits.monitor, digits.better) == ("accuracy", "max")
    loss = load("digits", ["training.monitor=loss"], registry)
    assert (loss.monitor, loss.better) == ("loss", "min")


def test_flat_keys_are_overrides_of_scalars(registry):
    experiment = load("translate", ["cell.sizes=[1, 2]", "task.attention.heads=3"], registry)
    flat = flatten(experiment.to_dict())
    assert flat["name"] == "translate" and flat["cell.type"] == "elman" and flat["training.patience"] is None
    assert json.loads(str(flat["cell.sizes"])) == [1, 2]
    assert json.loads(str(flat["task.attention"])) == {"heads": 3}
    assert all(isinstance(value, (str, int, float, type(None))) for value in flat.values())


def test_choices_know_their_records(registry):
    experiment = load("digits", [], registry)
    assert experiment.task.spec == registry.get("task", "naming")
    assert experiment.backend.spec is None and experiment.backend.name == "auto"
    assert load("digits", ["backend=reference"], registry).backend.spec == registry.get(
        "backend", "reference"
    )
