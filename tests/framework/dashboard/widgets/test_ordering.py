"""The order of a table's rows."""

import math

import pytest

from rnnlab.dashboard.widgets.ordering import Column, Row, ordered


@pytest.mark.parametrize("reverse", [False, True])
def test_equal_values_keep_their_order(reverse):
    rows = [Row(str(index), {"value": index % 3}) for index in range(30)]
    order = ordered(rows, Column("value"), reverse)
    expected = [index for value in ([2, 1, 0] if reverse else [0, 1, 2]) for index in range(value, 30, 3)]
    assert order == expected


def test_missing_values_stand_last_in_both_directions():
    values = [None, 2, math.nan, "b", 1, "A", True]
    rows = [Row(str(index), {"value": value}) for index, value in enumerate(values)]
    assert ordered(rows, Column("value"), False) == [4, 6, 1, 5, 3, 0, 2]
    assert ordered(rows, Column("value"), True) == [3, 5, 1, 4, 6, 0, 2]
    assert ordered(rows, Column("absent"), True) == list(range(7))


def test_a_column_may_have_an_order_of_its_own():
    rank = {"running": 0, "failed": 1, "finished": 2}
    rows = [Row(state, {"state": state}) for state in ("failed", "finished", "running")]
    assert ordered(rows, Column("state", order=rank.__getitem__), False) == [2, 0, 1]
