"""JSON schemas in words, as `rnnlab plugins show` prints them, and what they take."""

from __future__ import annotations

from typing import Annotated, Literal

import pytest
from pydantic import Field, ValidationError

from rnnlab.config.inventory import schema_of
from rnnlab.config.schemas import Option, conforms, options, written
from rnnlab.config.section import Section, StackConfig


class Sample(Section):
    path: str
    """Where the data
    are."""
    weights: list[float] = Field([], max_length=2)
    table: dict[str, int] | None = None


def test_options_of_a_section():
    assert options(schema_of(Sample)) == [
        Option("path", "text", "required", "Where the data are."),
        Option("weights", "a list (each a number) of at most 2 items", "[]", ""),
        Option("table", "a mapping (each an integer) or null", "null", ""),
    ]


def test_the_stack_is_described():
    described = {option.name: option for option in options(schema_of(StackConfig))}
    assert described["dropout"].type == "a number >= 0 and < 1" and described["dropout"].default == "0.0"
    assert described["zoneout"].type == (
        "a number >= 0 and < 1 or a mapping (each a number >= 0 and < 1) of at least 1 item"
    )
    assert described["recurrent_init"].type == "one of torch, orthogonal, forget_bias"


def test_values_are_written_as_yaml_and_cut():
    assert written({"a": [True, None, "x"]}) == "{a: [true, null, 'x']}"
    assert len(written("x" * 200)) == 60


class Inner(Section):
    heads: int = 1


class Bounded(Section):
    whole: int = Field(1, ge=1, le=64)
    share: float = Field(0.0, ge=0, lt=1)
    positive: float | None = Field(None, gt=0)
    name: str = Field("a", pattern="^[a-z]+$", max_length=3)
    word: Literal["tanh", "relu"] | None = None
    flag: bool = True
    sizes: list[int] = Field([1], min_length=1)
    pair: tuple[int, str] = (1, "a")
    inner: Inner = Inner()
    either: int | Literal["greedy"] = 1
    rates: float | Annotated[dict[str, Annotated[float, Field(lt=1)]], Field(min_length=1)] = 0.0


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("whole", value) for value in (0, 1, 64, 65, 1.5, True, "1x", None)),
        *(("share", value) for value in (-0.1, 0, 0.5, 1, 1.0, "x", float("nan"), float("inf"))),
        *(("positive", value) for value in (0, 1e-9, None, -1)),
        *(("name", value) for value in ("abc", "abcd", "A", "", 3)),
        *(("word", value) for value in ("tanh", "rel", None, 1)),
        *(("flag", value) for value in (True, False, None, "maybe")),
        *(("sizes", value) for value in ([1], [], [1, "x"], 1, [1.5], None)),
        *(("pair", value) for value in ([1, "b"], ["b", 1], 3)),
        *(("inner", value) for value in ({"heads": 2}, 3, None)),
        *(("either", value) for value in (3, "greedy", "other", None)),
        *(("rates", value) for value in (2, {"h": 0.5}, {"h": 1}, {"h": 0.5, "c": "x"}, {}, None)),
    ],
)
def test_a_schema_takes_what_pydantic_takes(name, value):
    schema = schema_of(Bounded)
    try:
        Bounded.model_validate({name: value}, strict=isinstance(value, bool))
        taken = True
    except ValidationError:
        taken = False
    assert conforms(value, schema["properties"][name], schema) is taken
