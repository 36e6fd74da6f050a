"""Every error of an experiment, at once, each one line: where, expected, got, remedy."""

from __future__ import annotations

import pytest

from rnnlab.config.build import build, load
from rnnlab.errors import ConfigError, InputError
from rnnlab.plugins.registry import Registry

RAW = {"name": "x", "task": "naming", "dataset": "images", "cell": "elman"}


def problems(registry: Registry, overrides: list[str], source: str = "digits") -> list[str]:
    with pytest.raises(ConfigError) as raised:
        load(source, overrides, registry)
    return raised.value.problems


@pytest.mark.parametrize(
    ("override", "line"),
    [
        ("training.epochs=x", "training.epochs: expected an integer >= 1, got 'x'"),
        ("training.epochs=1.5", "training.epochs: expected an integer >= 1, got '1.5'"),
        ("training.epochs=null", "training.epochs: expected an integer >= 1, got null"),
        ("training.patience=0", "training.patience: expected an integer >= 1 or null, got 0"),
        ("training.learning_rate=0", "training.learning_rate: expected a number > 0, got 0"),
        ("training.momentum=[1]", "training.momentum: expected a number >= 0 and < 1, got [1]"),
        ("training.deterministic=maybe", "training.deterministic: expected true or false, got 'maybe'"),
        (
            "training.optimizer=adamm",
            "training.optimizer: expected one of adam, adamw, sgd, got 'adamm'; did you mean 'adam'?",
        ),
        ("stack.dropout=nan", "stack.dropout: expected a number >= 0 and < 1, got 'nan'"),
        ("tracking.experiment=", "tracking.experiment: expected text of at least 1 character, got ''"),
        ("training.learning_rte=1", "training.learning_rte: unknown key; did you mean 'learning_rate'?"),
        ("training.hidden_size=1", "training.hidden_size: unknown key; did you mean 'stack.hidden_size'?"),
        ("cell.forget_bais=1", "cell.forget_bais: unknown key; did you mean 'forget_bias'?"),
        ("cell.zzz=1", "cell.zzz: unknown key; one of: bias, forget_bias"),
        ("backend.x=1", "backend.x: unknown key; there are no options here"),
        ("hidden_size=64", "hidden_size: unknown key; did you mean 'stack.hidden_size'?"),
        ("learning_rte=1", "learning_rte: unknown key; did you mean 'training.learning_rate'?"),
        ("trainng.epochs=1", "trainng: unknown key; did you mean 'training'?"),
        ("stack=3", "stack: expected a mapping of options, got 3"),
        ("cell=[1]", "cell: expected a mapping of options, got [1]"),
        ("cell={bias: false}", "cell.type: missing; one of: elman, gated, plain"),
        ("cell={type: 3}", "cell.type: expected text, got 3"),
        ("cell=gatd", "cell.type: no cell 'gatd' is installed; did you mean 'gated'?"),
        (
            "cell=needy",
            "cell.type: cell 'needy' needs the module 'no_such_module', not installed; "
            "pip install no_such_module",
        ),
        ("backend=cuda", "backend.type: no backend 'cuda' is installed; one of: reference"),
        ("cell=null", "cell: missing; one of: elman, gated, plain"),
        ("seed=-1", "seed: expected an integer >= 0 and < 4294967296, got -1"),
        (
            "name=../x",
            "name: expected text of at most 64 characters and matching ^[A-Za-z0-9][A-Za-z0-9._-]*$, "
            "got '../x'",
        ),
        (
            "task=tagging",
            "dataset: task 'tagging' takes data sets of mode synchronous, 'images' has class; "
            "use dataset=tags, or task=naming",
        ),
        (
            "decoder=gated",
            "decoder: task 'naming' has no decoder; remove the section, "
            "or use a task that has one (translation)",
        ),
        (
            "training.monitor=acuracy",
            "training.monitor: expected a metric of task 'naming', got 'acuracy'; did you mean 'accuracy'?",
        ),
        (
            "training.momentum=0.9",
            "training.momentum: expected 0 with optimizer 'adam', which has none, got 0.9; "
            "use training.optimizer=sgd",
        ),
        (
            "stack.dropout=0.5",
            "stack.dropout: expected 0 with one layer, as it acts between layers, got 0.5; "
            "use stack.num_layers=2",
        ),
        (
            "stack.residual=true",
            "stack.residual: expected false with one layer, as it acts from the second on, got true; "
            "use stack.num_layers=2",
        ),
        (
            "stack={bidirectional: true, truncate: 5}",
            "stack.truncate: expected null in a bidirectional stack, whose backward direction starts at the "
            "sequence's end, got 5; use stack.bidirectional=false",
        ),
        (
            "stack.recurrent_init=forget_bias",
            "stack.recurrent_init: expected torch or orthogonal with cell.forget_bias 2.0, which sets the "
            "same bias, got 'forget_bias'; use cell.forget_bias=null",
        ),
        ("stack.truncate=0", "stack.truncate: expected an integer >= 1 or null, got 0"),
        (
            "stack.zoneout=1",
            "stack.zoneout: expected a number >= 0 and < 1 or a mapping "
            "(each a number >= 0 and < 1) of at least 1 item, got 1",
        ),
        (
            "stack.zoneout={h: 1.5, c: x}",
            "stack.zoneout: expected a number >= 0 and < 1 or a mapping "
            "(each a number >= 0 and < 1) of at least 1 item, got {h: 1.5, c: 'x'}",
        ),
    ],
)
def test_one_line_for_one_error(override, line, registry):
    assert problems(registry, [override]) == [line]


@pytest.mark.parametrize(
    ("override", "line"),
    [
        ("task.attention.heads=0", "task.attention.heads: expected an integer >= 1, got 0"),
        ("task.attention.haeds=2", "task.attention.haeds: unknown key; did you mean 'heads'?"),
        ("task.attention=3", "task.attention: expected a mapping, got 3"),
        ("task.beam=many", "task.beam: expected an integer or 'greedy', got 'many'"),
        ("task.beam=7", "task.beam: seven beams bring bad luck; use 8"),
        ("dataset={type: pairs}", "dataset.path: missing; expected text"),
        ("cell.sizes=[1, x]", "cell.sizes.1: expected an integer, got 'x'"),
        ("cell.sizes=3", "cell.sizes: expected a list (each an integer), got 3"),
        ("decoder.scale=0", "decoder.scale: expected a number > 0, got 0"),
    ],
)
def test_nested_and_own_errors(override, line, registry):
    assert problems(registry, [override], "translate") == [line]


def test_all_errors_at_once(registry):
    raw = {
        "name": "x",
        "task": "nming",
        "dataset": {"type": "images", "rows": 3},
        "tranining": {},
        "seed": "s",
    }
    with pytest.raises(ConfigError) as raised:
        build(raw, registry)
    assert sorted(raised.value.problems) == [
        "cell: missing; one of: elman, gated, plain",
        "dataset.rows: expected true or false, got 3",
        "seed: expected an integer >= 0 and < 4294967296, got 's'",
        "task.type: no task 'nming' is installed; did you mean 'naming'?",
        "tranining: unknown key; did you mean 'training'?",
    ]
    assert str(raised.value).count("\n") == 4 and raised.value.exit_code == 2


def test_the_decoders_options_are_held_against_the_stacks_too(registry):
    lines = problems(
        registry, ["cell=elman", "decoder=gated", "stack.recurrent_init=forget_bias"], "translate"
    )
    assert len(lines) == 1 and lines[0].startswith(
        "stack.recurrent_init: expected torch or orthogonal with decoder.forget_bias 1.0"
    )
    lines = problems(registry, ["cell.bias=false", "stack.recurrent_init=forget_bias"], "translate")
    assert lines[0] == (
        "stack.recurrent_init: expected torch or orthogonal with cell.bias false, got 'forget_bias'; "
        "use cell.bias=true"
    )


def test_zoneout_is_one_rate_or_one_for_each_state(registry):
    assert load("digits", ["stack.zoneout=0.25"], registry).stack.zoneout == 0.25
    experiment = load("digits", ["stack.zoneout={h: 0.05, c: 0.5}"], registry)
    assert experiment.stack.zoneout == {"h": 0.05, "c": 0.5}
    assert build(experiment.to_dict(), registry) == experiment


def test_what_fits_is_accepted(registry):
    ok = ["training.schedule=plateau", "stack.bidirectional=true", "stack.dropout=0.5", "stack.num_layers=2"]
    experiment = load("digits", [*ok, "training.optimizer=sgd", "training.momentum=0.9"], registry)
    assert experiment.training.momentum == 0.9 and experiment.stack.dropout == 0.5


def test_an_executor_is_needed(registry):
    empty = Registry()
    with pytest.raises(ConfigError) as raised:
        build(RAW, empty)
    assert raised.value.problems == [
        "task.type: no task 'naming' is installed, nor any other task",
        "dataset.type: no dataset 'images' is installed, nor any other dataset",
        "cell.type: no cell 'elman' is installed, nor any other cell",
        "executor: missing; no executor is installed",
    ]


def test_load_takes_presets_and_files(registry, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.yaml").write_text("task: naming\ndataset: images\ncell: plain\nseed: 4\n")
    (tmp_path / "digits").write_text("not read: a preset of that name wins")
    for source in ("mine.yaml", "./mine.yaml", str(tmp_path / "mine.yaml")):
        experiment = load(source, ["stack.hidden_size=8"], registry)
        assert (experiment.name, experiment.seed, experiment.stack.hidden_size) == ("mine", 4, 8)
    assert load("digits", ["name=other"], registry).name == "other"


def test_a_runs_own_config_is_an_experiment_file(registry, tmp_path):
    experiment = load("translate", ["seed=3"], registry)
    (tmp_path / "config.yaml").write_text(experiment.dump_yaml())
    assert load(str(tmp_path / "config.yaml"), [], registry) == experiment


def test_an_unknown_preset_gets_the_nearest(registry):
    with pytest.raises(InputError, match=r"^no preset 'digit' is installed; did you mean 'digits'\?"):
        load("digit", [], registry)
