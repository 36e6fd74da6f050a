"""A curve in one line: exact characters."""

import math

import numpy as np
import pytest

from rnnlab.dashboard.widgets.glyphs import ASCII
from rnnlab.dashboard.widgets.sparkline import sparkline


@pytest.mark.parametrize(
    ("values", "width", "line"),
    [
        (range(8), 8, "▁▂▃▄▅▆▇█"),
        (range(16), 8, "▁▂▃▄▅▆▇█"),
        ([3, 1], 8, "█▁"),
        ([0, 4, 0, 4, 8, 8], 3, "▁▁█"),
        ([5, 5, 5], 8, "▅▅▅"),
        ([0, math.nan, 7], 8, "▁ █"),
        ([0, math.inf, 7, -math.inf], 8, "▁ █ "),
        ([math.nan, math.nan], 8, "  "),
        ([2.5], 8, "▅"),
        ([], 8, ""),
        ([1, 2], 0, ""),
    ],
)
def test_levels(values, width, line):
    assert sparkline(list(values), width) == line


def test_ascii():
    assert sparkline(np.arange(8.0), 8, ASCII) == ".:-=+*#@"


def test_never_wider_than_asked():
    for count in range(1, 50):
        for width in range(1, 20):
            assert len(sparkline(np.arange(count), width)) == min(count, width)
