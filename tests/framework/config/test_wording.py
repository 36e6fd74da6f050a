"""Options in words, as `rnnlab plugins show` prints them."""

from __future__ import annotations

from pydantic import Field

from rnnlab.config.section import Section, StackConfig
from rnnlab.config.wording import Option, options, written


class Sample(Section):
    path: str
    """Where the data
    are."""
    weights: list[float] = Field([], max_length=2)
    table: dict[str, int] | None = None


def test_options_of_a_section():
    assert options(Sample) == [
        Option("path", "text", "required", "Where the data are."),
        Option("weights", "a list of at most 2 items and (each a number)", "[]", ""),
        Option("table", "a mapping or null", "null", ""),
    ]


def test_the_stack_is_described():
    described = {option.name: option for option in options(StackConfig)}
    assert described["dropout"].type == "a number >= 0 and < 1" and described["dropout"].default == "0.0"
    assert described["recurrent_init"].type == "one of torch, orthogonal"


def test_values_are_written_as_yaml_and_cut():
    assert written({"a": [True, None, "x"]}) == "{a: [true, null, 'x']}"
    assert len(written("x" * 200)) == 60
