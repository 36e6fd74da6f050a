"""How far two tensors are apart, and where."""

from __future__ import annotations

import math

import pytest
import torch

from rnnlab.verification.checks import CHECKS, deviation


def test_the_worst_entry_as_a_part_of_the_largest():
    expected = torch.tensor([[1.0, -4.0], [2.0, 0.0]], dtype=torch.float64)
    got = expected + torch.tensor([[0.1, 0.0], [0.0, -0.2]], dtype=torch.float64)
    found = deviation("h_n", got, expected, 0.04)
    assert found is not None
    assert (found.index, found.got, found.expected) == ((1, 1), -0.2, 0.0)
    assert found.error == pytest.approx(0.05)
    assert found.severity == pytest.approx(1.25)
    assert not found.ok
    assert str(found) == "h_n [1, 1]"


def test_steps_are_counted_from_the_first_one_given():
    found = deviation("output", torch.ones(2, 1, 1), torch.zeros(2, 1, 1), 0.1, first_step=5)
    assert found is not None
    assert found.index == (5, 0, 0)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_is_infinitely_far(value):
    found = deviation("output", torch.tensor([0.0, value]), torch.tensor([9.0, 1.0]), 0.1)
    assert found is not None
    assert (found.index, found.error, found.ok) == ((1,), math.inf, False)


def test_a_scalar_has_one_entry():
    found = deviation("gradient of gain", torch.tensor(3.0), torch.tensor(4.0), 0.5)
    assert (found.index, found.got, found.expected, found.error) == ((), 3.0, 4.0, 0.25)


def test_another_shape_is_infinitely_far():
    found = deviation("output", torch.zeros(3, 2), torch.zeros(2, 3), 0.1)
    assert found is not None
    assert (str(found), found.ok) == ("output of shape [3, 2] []", False)


def test_equal_is_allowed_where_nothing_is():
    found = deviation("x", torch.ones(2), torch.ones(2), 0.0)
    assert found is not None
    assert (found.ok, found.severity) == (True, 0.0)
    assert deviation("x", torch.ones(0), torch.ones(0), 0.0) is None


def test_the_checks_and_their_order():
    assert [check.name for check in CHECKS] == [
        "one step",
        "recurrence",
        "last step",
        "initial state",
        "lengths",
        "reverse",
        "reverse with lengths",
        "large inputs",
        "gradients",
        "repeatable",
    ]
