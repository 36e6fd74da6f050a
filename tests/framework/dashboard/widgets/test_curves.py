"""Smoothing against its definition, and the dots of known curves."""

import numpy as np
import pytest

from rnnlab.dashboard.widgets.curves import compose, smooth, trace, usual_gap


def by_definition(x, y, weight, distance):
    """Each value the mean of those before it, weighted by their distance."""
    smoothed = np.full(len(y), np.nan)
    for i in range(len(y)):
        if np.isfinite(y[i]):
            before = [j for j in range(i + 1) if np.isfinite(y[j])]
            weights = np.array([weight ** ((x[i] - x[j]) / distance) for j in before])
            smoothed[i] = (weights * y[before]).sum() / weights.sum()
    return smoothed


@pytest.mark.parametrize("weight", [0.1, 0.6, 0.9, 0.99])
@pytest.mark.parametrize("count", [1, 2, 3, 17, 200])
def test_smoothing_is_the_weighted_mean(weight, count):
    rng = np.random.default_rng(count)
    x = np.cumsum(rng.integers(1, 9, count)).astype(float)
    y = rng.normal(size=count)
    y[rng.random(count) < 0.1] = np.nan
    if count > 10:
        y[5] = np.inf
    expected = by_definition(x, y, weight, 2.0)
    np.testing.assert_allclose(smooth(x, y, weight, 2.0), expected, rtol=1e-12, atol=1e-14)


def test_at_even_distances_it_is_the_debiased_moving_average():
    y = np.array([4.0, 0.0, 2.0, 1.0])
    average, weight = 0.0, 0.0
    expected = []
    for value in y:
        average, weight = 0.7 * average + 0.3 * value, 0.7 * weight + 0.3
        expected.append(average / weight)
    np.testing.assert_allclose(smooth(np.arange(4) * 10.0, y, 0.7, 10.0), expected, rtol=1e-12)


def test_a_rare_series_is_smoothed_as_much_per_step():
    """A step from 0 to 1 is followed as far after 20 steps whether logged at every step or at every 20th."""
    often, rarely = np.arange(0.0, 2001.0), np.arange(0.0, 2001.0, 20.0)
    distance = usual_gap([often, rarely])
    assert distance == 1.0
    dense = smooth(often, (often > 1000) * 1.0, 0.9, distance)
    sparse = smooth(rarely, (rarely > 1000) * 1.0, 0.9, distance)
    assert dense[1020] == pytest.approx(sparse[51], abs=1e-9)
    assert dense[1020] == pytest.approx(1 - 0.9**20, abs=1e-9)


def test_no_smoothing_changes_nothing():
    y = np.array([1.0, np.nan, np.inf, 3.0])
    np.testing.assert_array_equal(smooth(np.arange(4.0), y, 0.0, 1.0), [1.0, np.nan, np.nan, 3.0])


def picture(mask):
    return ["".join("#" if dot else "." for dot in row) for row in mask]


def test_a_diagonal_is_one_dot_thick():
    x = np.arange(5.0)
    assert picture(trace(x, x, (0, 4), (0, 4), 5, 5)) == ["....#", "...#.", "..#..", ".#...", "#...."]


def test_a_steep_line_has_no_holes():
    dots = trace(np.array([0.0, 1.0]), np.array([0.0, 7.0]), (0, 1), (0, 7), 2, 8)
    assert picture(dots) == [".#", ".#", ".#", ".#", "#.", "#.", "#.", "#."]


def test_one_high_sample_among_thousands_is_seen():
    y = np.zeros(20_000)
    y[12_345] = 1.0
    dots = trace(np.arange(20_000.0), y, (0, 19_999), (0, 1), 100, 16)
    assert np.flatnonzero(dots[0]).tolist() == [61]
    assert dots[:, 61].all()
    assert dots[-1].all()
    assert dots.sum() == 100 + 15


def test_nan_leaves_a_gap():
    x, y = np.arange(9.0), np.zeros(9)
    y[4] = np.nan
    assert picture(trace(x, y, (0, 8), (-1, 1), 9, 3)) == [".........", "####.####", "........."]


def test_what_is_beyond_the_range_is_cut_off():
    y = np.array([0.0, 0.0, 1e308, 0.0, 0.0, -50.0, -50.0])
    dots = trace(np.arange(7.0), y, (0, 6), (-1, 1), 7, 3)
    # Lines leave the picture towards the sample beyond it; nothing runs along the edges.
    assert picture(dots) == [".#.#...", "##.##..", "....#.."]


def test_raw_dots_give_way_to_the_smoothed_curve():
    raw, smoothed = np.zeros((4, 4), bool), np.zeros((4, 4), bool)
    raw[:, :] = True
    smoothed[0, :2] = True
    bits, owner = compose([raw, smoothed], 1)
    assert owner.tolist() == [[1, 0]]
    assert bits.tolist() == [[0x01 | 0x08, 0xFF]]


def test_the_line_with_more_dots_colours_a_cell():
    few, many = np.zeros((4, 2), bool), np.zeros((4, 2), bool)
    few[0, 0] = True
    many[3] = True
    bits, owner = compose([few, many], 0)
    assert owner.tolist() == [[1]]
    assert bits.tolist() == [[0x01 | 0x40 | 0x80]]
