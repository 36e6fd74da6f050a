"""The form: swapping plugins, errors at their fields, what differs, and the command that gives it again."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rnnlab.config.build import build, load
from rnnlab.dashboard.catalogue import Catalogue
from rnnlab.dashboard.form import Form
from rnnlab.errors import ConfigError, InputError
from rnnlab.plugins.registry import Registry


@pytest.fixture
def digits(catalogue) -> Form:
    return Form.from_preset(catalogue, "digits")


def again(form: Form, registry: Registry):
    """The experiment that the form's command gives in a shell."""
    command = form.command()
    assert command is not None
    words = shlex.split(command.line())
    assert words[:2] == ["rnnlab", "run"]
    return load(words[2], words[3:], registry)


def test_a_preset_says_its_values_and_the_defaults_the_rest(digits):
    assert (digits.value("name"), digits.value("cell"), digits.value("cell.forget_bias")) == (
        "digits",
        "lstm",
        1.0,
    )
    assert (digits.value("stack.hidden_size"), digits.value("stack.num_layers")) == (96, 1)
    assert digits.value("backend") == "auto" and digits.value("executor") == "local"
    assert not digits.errors() and not digits.changes()
    assert digits.command().line() == "rnnlab run digits"
    assert {change.key: change.after for change in digits.non_defaults()} == {
        "name": "digits", "dataset.view": "pixels", "cell.forget_bias": 1.0, "stack.hidden_size": 96,
        "training.learning_rate": 5e-3, "training.epochs": 40, "training.schedule": "cosine",
    }  # fmt: skip


def test_sections_stand_in_order_and_a_decoder_only_where_the_task_has_one(digits):
    assert digits.section_names == (
        "", "task", "dataset", "cell", "backend", "stack", "training", "tracking", "executor",
    )  # fmt: skip
    digits.choose("task", "sequence_to_sequence")
    assert digits.section_names[4] == "decoder"
    decoder = digits.section("decoder")
    assert (decoder.chosen, decoder.fields) == (None, ())
    assert decoder.choice.options[0].label == "as the encoder"
    assert digits.section("stack").choice is None and digits.section("backend").fields == ()


def test_a_swap_rebuilds_its_section_alone(digits):
    digits.set("stack.hidden_size", "64")
    digits.set("cell.forget_bias", "2")
    digits.choose("cell", "rnn")
    assert [field.key for field in digits.fields("cell")] == ["cell.bias", "cell.nonlinearity"]
    assert digits.value("stack.hidden_size") == 64
    assert digits.command().line() == "rnnlab run digits cell=rnn stack.hidden_size=64"
    digits.choose("cell", "lstm")
    assert digits.value("cell.forget_bias") == 2
    digits.reset("cell.forget_bias")
    assert digits.command().overrides == ("stack.hidden_size=64",)


def test_an_error_of_a_plugin_goes_with_it(digits):
    digits.set("cell.forget_bias", "x")
    digits.take_problems(["cell.bias: no", "stack.dropout: no"])
    digits.choose("cell", "rnn")
    assert digits.errors() == {"stack.dropout": "no"}


def test_a_third_partys_cell_gets_its_form_and_its_command(digits, registry):
    digits.choose("cell", "leaky")
    for key, text in {
        "cell.shape": "relu", "cell.order": "2", "cell.clip": "false", "cell.note": "3", "cell.path": "a b",
        "cell.taps": "", "cell.names": "a, b=c", "cell.inner": "{rate: 0.25}", "cell.level": "7",
        "cell.leak": "1e-5",
    }.items():  # fmt: skip
        assert digits.set(key, text) == ""
    options = again(digits, registry).cell.options
    assert (options.shape, options.order, options.clip, options.note, options.path) == (
        "relu",
        2,
        False,
        "3",
        "a b",
    )
    assert (options.taps, options.names, options.inner.rate) == ([], ("a", "b=c"), 0.25)
    assert (options.level, options.leak, options.bias) == (7, 1e-5, True)


def test_what_cannot_be_chosen_says_why(digits):
    options = {each.value: each for each in digits.field("dataset").options}
    assert options["digits"].problem == ""
    assert options["stress"].problem == (
        "it has mode synchronous, and task 'sequence_classification' takes class"
    )
    digits.choose("task", "sequence_labelling")
    assert "it has mode class" in digits.error("dataset")
    digits.choose("cell", "needy")
    assert digits.error("cell") == "needs no_such_module; pip install no_such_module"
    digits.choose("cell", "lsmt")
    assert digits.error("cell") == "no cell 'lsmt' is installed"
    assert digits.fields("cell") == ()


def test_going_back_to_a_default_is_said_where_the_preset_says_otherwise(digits, registry):
    digits.set("cell.forget_bias", "")
    digits.set("training.schedule", "constant")
    digits.set("stack.num_layers", "2")
    digits.set("stack.num_layers", "1")
    assert digits.command().overrides == ("cell.forget_bias=null", "training.schedule=constant")
    assert again(digits, registry).training.schedule == "constant"


def test_a_decoder_of_its_own_and_back(catalogue, registry):
    form = Form.from_preset(catalogue, "g2p")
    assert "decoder" not in form.experiment()
    form.choose("decoder", "rnn")
    form.set("decoder.nonlinearity", "relu")
    assert form.command().overrides == ("decoder=rnn", "decoder.nonlinearity=relu")
    experiment = again(form, registry)
    assert experiment.decoder.name == "rnn" and experiment.decoder.options.nonlinearity == "relu"
    form.choose("decoder", None)
    assert form.command().overrides == ()


def test_a_file_with_a_decoder_and_another_task(catalogue, registry, tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(
        "task: sequence_to_sequence\ndataset: g2p\ncell: {type: lstm, forget_bias: 1}\n"
        "decoder: {forget_bias: 0}\ntraining: {learning_rate: 1e-3}\n"
    )
    form = Form.from_file(catalogue, path)
    assert (form.value("name"), form.value("decoder"), form.value("decoder.forget_bias")) == (
        "mine",
        "lstm",
        0,
    )
    assert form.value("training.learning_rate") == 1e-3 and not form.changes()
    assert again(form, registry).decoder.options.forget_bias == 0
    form.choose("decoder", None)
    assert form.command().overrides == ("decoder=null",)
    form.choose("decoder", "lstm")
    form.choose("task", "sequence_classification")
    form.choose("dataset", "digits")
    assert form.command().overrides == ("task=sequence_classification", "dataset=digits", "decoder=null")
    assert again(form, registry).decoder is None


def test_a_run_again_with_changes(catalogue, registry, tmp_path):
    path = tmp_path / "config.yaml"
    before = load("stress", ["seed=3", "stack.num_layers=2"], registry)
    path.write_text(before.dump_yaml())
    form = Form.from_file(catalogue, path)
    assert not form.changes() and again(form, registry) == before
    form.set("seed", "4")
    assert form.command().line() == f"rnnlab run {path} seed=4"
    assert again(form, registry).seed == 4


def test_a_form_that_started_from_nothing_is_saved_and_loaded(catalogue, registry, tmp_path):
    form = Form.blank(catalogue)
    assert not form.errors() and form.command() is None
    form.set("description", "null")
    form.set("stack.dropout", "0.1")
    form.set("stack.num_layers", "2")
    path = tmp_path / "folder" / "mine.yaml"
    form.plan().save(path)
    loaded = Form.from_file(catalogue, path)
    assert loaded.experiment() == form.experiment()
    assert again(loaded, registry) == build(form.experiment(), registry)
    assert again(loaded, registry).description == "null"


def test_presets_that_are_not_there_or_files_that_are_no_experiment(catalogue, tmp_path):
    with pytest.raises(InputError, match="no preset 'digit' is installed"):
        Form.from_preset(catalogue, "digit")
    (tmp_path / "x.yaml").write_text("cell: 3\n")
    with pytest.raises(InputError, match="cell: expected a mapping of options, got 3"):
        Form.from_file(catalogue, tmp_path / "x.yaml")
    (tmp_path / "y.yaml").write_text("cells: lstm\n")
    assert Form.from_file(catalogue, tmp_path / "y.yaml").experiment()["cells"] == "lstm"


def test_the_lines_of_a_full_validation_find_their_fields(digits, registry):
    digits.choose("cell", "leaky")
    for key, text in {"cell.leak": "0.33", "training.monitor": "bleu", "stack.dropout": "0.5"}.items():
        assert digits.set(key, text) == ""  # nothing that the field itself could know
    digits.choose("task", "sequence_labelling")
    command = digits.command()
    with pytest.raises(ConfigError) as told:
        load(command.source, command.overrides, registry)
    digits.take_problems([*told.value.problems, "the weather: is bad", "cell.type: gone", "cell.leak: twice"])
    errors = digits.errors()
    assert errors["cell.leak"] == "a third never works; use 0.3; twice"
    assert errors["training.monitor"].startswith("expected a metric of task 'sequence_labelling', got 'bleu'")
    assert errors["stack.dropout"].startswith("expected 0 with one layer")
    assert errors["dataset"].startswith("it has mode class")  # known at once, so that the choice says it
    assert errors["cell"] == "gone" and errors[""] == "the weather: is bad"
    digits.set("cell.leak", "0.3")
    assert "cell.leak" not in digits.errors()


def test_a_new_catalogue_keeps_what_was_typed(digits, catalogue):
    digits.set("stack.hidden_size", "x")
    digits.choose("cell", "rnn")
    form = digits.with_catalogue(Catalogue(catalogue.entries, catalogue.sections))
    assert form.text("stack.hidden_size") == "x" and form.value("cell") == "rnn"
    assert form.command() == digits.command()


def test_without_any_plugin_there_is_a_form_that_says_so():
    form = Form.blank(Catalogue())
    assert form.errors()["task"] == "expected a task, and none is installed, got nothing"


PATHS = ("digits", "stress", "g2p", "pinyin", "inflection", "digits-rows")


@st.composite
def edits(draw, catalogue: Catalogue) -> Form:
    form = Form.from_preset(catalogue, draw(st.sampled_from(PATHS)))
    for section in draw(st.lists(st.sampled_from(("cell", "decoder", "backend")), unique=True)):
        if section in form.section_names:
            usable = [each.value for each in form.field(section).options if not each.problem]
            form.choose(section, draw(st.sampled_from(usable)))
    keys = [field.key for section in form.section_names for field in form.fields(section)]
    for key in draw(st.lists(st.sampled_from(keys), max_size=8)):
        field = form.field(key)
        texts = {
            "integer": st.integers(0, 200).map(str),
            "number": st.floats(0, 0.99).map(str),
            "text": st.text(st.characters(codec="utf-8", exclude_categories=("Cs",)), max_size=8),
            "list": st.lists(st.sampled_from([each.label for each in field.options] or ["1", "2"])).map(
                ", ".join
            ),
            "value": st.sampled_from(["auto", "3"]),
            "switch": st.sampled_from(["true", "false"]),
            "choice": st.sampled_from([each.label for each in field.options] or ["null"]),
        }
        before = form.text(key)
        if form.set(key, draw(st.one_of(texts[field.kind], st.just(""), st.just("null")))):
            form.set(key, before)
    return form


@given(data=st.data())
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_command_and_the_file_give_the_same_experiment(data, catalogue, registry, tmp_path_factory):
    form = data.draw(edits(catalogue))
    path: Path = tmp_path_factory.getbasetemp() / "form.yaml"
    form.plan().save(path)
    results = []
    for make in (
        lambda: again(form, registry),
        lambda: build(form.experiment(), registry),
        lambda: load(str(path), [], registry),
    ):
        try:
            results.append(make())
        except ConfigError as error:  # contradictions between sections are the full validation's to find
            results.append(error.problems)
    assert results[0] == results[1] == results[2]
