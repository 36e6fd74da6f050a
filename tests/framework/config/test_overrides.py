"""Overrides: `key=value` means what the file would mean, in any order."""

from __future__ import annotations

import pytest

from rnnlab.config.build import load
from rnnlab.config.overrides import apply, assignment
from rnnlab.errors import ConfigError

RAW = {"seed": 1, "cell": {"type": "gated", "forget_bias": 2.0}, "training": {"epochs": 3}}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3", 3),
        ("-3", -3),
        ("1e-3", "1e-3"),
        ("0.5", "0.5"),
        ("007", "007"),
        ("true", True),
        ("false", False),
        ("null", None),
        ("'null'", "null"),
        ("[1, two]", [1, "two"]),
        ("{a: 1}", {"a": 1}),
        ("a=b", "a=b"),
        ("2024-01-01", "2024-01-01"),
        ("", ""),
    ],
)
def test_values(text, value):
    assert apply({}, [f"training.x={text}"]) == ({"training": {"x": value}}, [])


def test_numbers_are_read_by_the_options_type(registry):
    experiment = load("digits", ["training.learning_rate=1e-3", "cell=elman", "cell.label=3"], registry)
    assert experiment.training.learning_rate == 1e-3
    assert experiment.cell.options.model_dump()["label"] == "3"
    assert load("digits", ["cell=elman", "cell.depth=2"], registry).cell.options.model_dump()["depth"] == 2
    assert load("digits", ["training.clip_grad_norm=null"], registry).training.clip_grad_norm is None


@pytest.mark.parametrize("switch", ["cell=elman", "cell.type=elman", "cell={type: elman}"])
def test_a_switch_drops_the_old_options_whatever_the_order(switch):
    changed = {**RAW, "cell": {"type": "elman", "nonlinearity": "relu"}}
    for overrides in ([switch, "cell.nonlinearity=relu"], ["cell.nonlinearity=relu", switch]):
        assert apply(RAW, overrides) == (changed, [])


def test_naming_the_same_plugin_keeps_its_options():
    assert apply(RAW, ["cell=gated"]) == (RAW, [])
    assert apply({"cell": "gated"}, ["cell=gated", "cell.bias=false"])[0] == {
        "cell": {"type": "gated", "bias": False}
    }


def test_null_removes_a_section_and_later_wins():
    assert apply({"decoder": "gated"}, ["decoder=null"]) == ({}, [])
    assert apply(RAW, ["seed=2", "seed=3"])[0]["seed"] == 3


def test_the_given_experiment_is_not_changed():
    before = repr(RAW)
    apply(RAW, ["cell=elman", "training.epochs=9", "seed=7"])
    assert repr(RAW) == before


@pytest.mark.parametrize(
    ("override", "problem"),
    [
        ("training.epochs", "training.epochs: expected key=value, got no '='"),
        ("=3", "=3: expected a dotted key before '=', got ''"),
        (
            "training..epochs=3",
            "training..epochs=3: expected a dotted key before '=', got 'training..epochs'",
        ),
        ("seed.x=3", "seed.x: 'seed' has no keys; it is 1"),
        (
            "cell.sizes=[1, 2",
            "cell.sizes=[1, 2: the value is not valid YAML (expected ',' or ']', but got '<stream end>')",
        ),
    ],
)
def test_what_cannot_be_applied(override, problem):
    assert apply(RAW, [override, "seed=5"])[1] == [problem]


def test_override_problems_come_with_all_the_others(registry):
    with pytest.raises(ConfigError) as raised:
        load("digits", ["epochs", "training.epochs=0"], registry)
    assert raised.value.problems == [
        "epochs: expected key=value, got no '='",
        "training.epochs: expected an integer >= 1, got 0",
    ]


@pytest.mark.parametrize(
    "value",
    [
        None, True, False, 0, -3, 10**20, "", "plain", "two words", " padded ", "null", "true", "3", "-0",
        "007", "[a", "{", "'", '"', "a=b", "a: b", "line\nbreak", "\u2028 \x07", "ünï 😀", "#x", [],
        [1, "2", None], ["a, b", "true", 0.5, 1e-5], {"a": {"b": [1]}, "c": "null"},
    ],
)  # fmt: skip
def test_an_assignment_gives_back_its_value(value):
    raw, problems = apply({}, [assignment("cell.x", value)])
    assert problems == []
    assert raw == {"cell": {"x": value}}
    assert type(raw["cell"]["x"]) is type(value)


@pytest.mark.parametrize("value", [0.0, 1e-05, 5.0e-3, 3.0, 1e300])
def test_a_number_is_written_as_a_text_that_reads_as_it(value):
    raw, _ = apply({}, [assignment("training.learning_rate", value)])
    assert float(raw["training"]["learning_rate"]) == value
