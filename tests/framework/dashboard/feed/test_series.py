"""Buffers grow without touching the views given out before."""

import math

import numpy as np

from rnnlab.dashboard.feed.series import SeriesBuffer


def test_views_keep_what_they_had_while_the_buffer_grows():
    buffer = SeriesBuffer()
    views = []
    for step in range(1, 101):
        buffer.extend([step], [step / 2], [step * 10])
        views.append(buffer.view())
    for count, view in enumerate(views, start=1):
        np.testing.assert_array_equal(view.steps, np.arange(1, count + 1))
        np.testing.assert_array_equal(view.values, np.arange(1, count + 1) / 2)
        np.testing.assert_array_equal(view.times, np.arange(1, count + 1) * 10)
        assert not view.steps.flags.writeable
    assert np.shares_memory(views[-1].steps, views[-2].steps)


def test_steps_that_do_not_grow_are_left_out():
    buffer = SeriesBuffer()
    buffer.extend([1, 2, 2, 1, 3], [1.0, 2.0, -1.0, -1.0, 3.0], [1, 2, 3, 4, 5])
    buffer.extend([3, 2, 4], [-1.0, -1.0, 4.0], [6, 7, 8])
    view = buffer.view()
    assert view.steps.tolist() == [1, 2, 3, 4]
    assert view.values.tolist() == [1.0, 2.0, 3.0, 4.0]
    assert view.times.tolist() == [1, 2, 5, 8]


def test_numbers_that_are_none_are_kept():
    buffer = SeriesBuffer()
    buffer.extend([0, 1], [math.nan, math.inf], [0, 0])
    assert math.isnan(buffer.view().values[0])
    assert buffer.view().values[1] == math.inf


def test_trimming_and_thinning_save_memory_and_leave_views_alone():
    buffer = SeriesBuffer()
    buffer.extend(range(1001), np.zeros(1001), np.zeros(1001, int))
    buffer.extend([1001], [0.0], [0])
    whole = buffer.view()
    assert buffer.nbytes > 1002 * 24
    buffer.trim()
    assert buffer.nbytes == 1002 * 24
    buffer.thin(11)
    assert buffer.nbytes == 11 * 24
    assert buffer.view().steps.tolist()[::5] == [0, 500, 1001]
    buffer.extend([1002], [0.0], [0])
    assert len(buffer.view()) == 12
    assert len(whole) == 1002
