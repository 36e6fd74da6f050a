"""Fields: what kind each option gets, what typed texts mean, what is wrong with them."""

from __future__ import annotations

import pytest

from rnnlab.dashboard.form import Field, Form
from rnnlab.dashboard.form.field import same


@pytest.fixture
def form(catalogue) -> Form:
    form = Form.from_preset(catalogue, "digits")
    form.choose("cell", "leaky")
    return form


@pytest.mark.parametrize(
    ("key", "kind", "nullable", "default"),
    [
        ("cell.shape", "choice", False, "tanh"),
        ("cell.leak", "number", False, 0.5),
        ("cell.order", "choice", True, None),
        ("cell.clip", "choice", True, None),
        ("cell.bias", "switch", False, True),
        ("cell.note", "text", False, ""),
        ("cell.path", "text", True, None),
        ("cell.taps", "list", False, [1, 2]),
        ("cell.names", "list", False, []),
        ("cell.inner", "value", False, {"rate": 0.5}),
        ("cell.level", "value", False, "auto"),
        ("stack.hidden_size", "integer", False, 128),
        ("training.max_steps", "integer", True, None),
        ("training.clip_grad_norm", "number", True, 1.0),
        ("seed", "integer", False, 0),
    ],
)
def test_kinds(form, key, kind, nullable, default):
    field = form.field(key)
    assert (field.kind, field.nullable, field.default, field.required) == (kind, nullable, default, False)


def test_a_field_has_its_help_its_limits_and_its_choices(form):
    assert form.field("stack.hidden_size").expected == "an integer >= 1 and <= 16384"
    assert form.field("stack.hidden_size").help == "Units per layer and direction (H)."
    assert form.field("cell.shape").help == "What bends it."
    assert [(each.value, each.label) for each in form.field("cell.order").options] == [
        (None, "null"), (1, "1"), (2, "2"),
    ]  # fmt: skip
    assert [each.value for each in form.field("cell.clip").options] == [None, True, False]


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("stack.hidden_size", " 64 ", 64),
        ("stack.hidden_size", "1e2", 100),
        ("stack.hidden_size", "abc", "abc"),
        ("training.learning_rate", "1e-3", 0.001),
        ("training.learning_rate", "3", 3),
        ("training.max_steps", "", None),
        ("training.max_steps", "null", None),
        ("cell.shape", "relu", "relu"),
        ("cell.order", "2", 2),
        ("cell.order", "null", None),
        ("cell.clip", "true", True),
        ("cell.bias", "False", False),
        ("cell.note", " 3 ", " 3 "),
        ("cell.path", "", None),
        ("cell.path", "a b.txt", "a b.txt"),
        ("cell.taps", "1, 2,3", [1, 2, 3]),
        ("cell.taps", "[4]", [4]),
        ("cell.taps", "", []),
        ("cell.names", "a, b c", ["a", "b c"]),
        ("cell.names", "1, 2", ["1", "2"]),
        ("cell.inner", "{rate: 0.1}", {"rate": 0.1}),
        ("cell.level", "3", 3),
        ("cell.level", "auto", "auto"),
    ],
)
def test_what_a_text_means(form, key, text, value):
    field = form.field(key)
    read = field.read(text)
    assert read == value and type(read) is type(value)
    assert field.read(field.text(read)) == value


@pytest.mark.parametrize("names", [["a,b"], ["[x"], [""], [" a"], ["a", "b"], ["1"], []])
def test_any_list_can_be_typed(form, names):
    field = form.field("cell.names")
    assert field.read(field.text(names)) == names


@pytest.mark.parametrize(
    ("key", "text", "error"),
    [
        ("stack.hidden_size", "0", "expected an integer >= 1 and <= 16384, got 0"),
        ("stack.hidden_size", "x", "expected an integer >= 1 and <= 16384, got 'x'"),
        ("stack.hidden_size", "1.5", "expected an integer >= 1 and <= 16384, got 1.5"),
        ("stack.hidden_size", "", "expected an integer >= 1 and <= 16384, got nothing"),
        ("stack.dropout", "1", "expected a number >= 0 and < 1, got 1"),
        ("training.learning_rate", "nan", "expected a number > 0, got nan"),
        ("cell.shape", "rel", "expected one of tanh, relu, got 'rel'; did you mean 'relu'?"),
        ("cell.taps", "1, x", "expected a list (each an integer), got [1, 'x']"),
        ("cell.bias", "maybe", "expected true or false, got 'maybe'"),
        ("cell.level", "low", "expected an integer or 'auto', got 'low'"),
        ("tracking.experiment", "", "expected text of at least 1 character, got nothing"),
        ("stack.hidden_size", "16384", ""),
        ("cell.note", "", ""),
    ],
)  # fmt: skip
def test_what_is_wrong(form, key, text, error):
    assert form.set(key, text) == error == form.error(key)
    assert form.text(key) == text


def test_a_required_option_says_so(catalogue):
    form = Form.from_preset(catalogue, "trec")
    field = form.field("dataset.train")
    assert (
        field.required and form.error("dataset.train") == "expected text of at least 1 character, got nothing"
    )
    assert form.set("dataset.train", "a.txt") == "" and not form.errors()


def test_one_is_not_true():
    assert same(3, 3.0) and not same(1, True) and same([1, [True]], (1, (True,))) and not same([1], [True])


def test_a_type_without_a_schema_can_be_typed():
    root = {"properties": {"odd": {"default": "x", "description": "odd"}}}
    field = Field.of("cell", "odd", root)
    assert field.kind == "value" and field.read("[1, 2]") == [1, 2] and field.check("anything") == ""
