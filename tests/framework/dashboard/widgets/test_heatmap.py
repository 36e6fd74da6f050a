"""Means, colours, labels and the read-out of a heatmap."""

import numpy as np
import pytest

from rnnlab.dashboard.widgets.glyphs import ASCII, UNICODE
from rnnlab.dashboard.widgets.heatmap import Heatmap
from rnnlab.dashboard.widgets.matrix import column_labels, resample


def heatmap(values, low=0.0, high=1.0, glyphs=UNICODE, **names):
    made = Heatmap("forget gate", glyphs=glyphs)
    made.set_values(np.asarray(values, float), low, high, "unit", "time", **names)
    return made


def cells(stage):
    """(colour, ground) of each character of the body, [lines, columns]; None is the widget's own."""
    left = stage.widget._left
    base = stage.widget.rich_style.bgcolor
    grid = []
    for strip in stage.strips()[1:-1]:
        row = []
        for segment in strip:
            ground = segment.style.bgcolor
            pair = (
                segment.style.color.triplet.hex if segment.text[0] in "▀▄" else None,
                None if ground == base else ground.triplet.hex,
            )
            row += [pair] * len(segment.text)
        grid.append(row[left:])
    return grid


@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (2, 3), (3, 7), (5, 10), (7, 4)])
def test_resampling_takes_means(rows, columns):
    values = np.random.default_rng(0).random((7, 10))
    got = resample(values, rows, columns)
    for row in range(rows):
        for column in range(columns):
            up, down = row * 7 // rows, (row + 1) * 7 // rows
            left, right = column * 10 // columns, (column + 1) * 10 // columns
            assert got[row, column] == pytest.approx(values[up:down, left:right].mean())


def test_fewer_values_are_repeated():
    assert resample(np.array([[1.0, 2.0]]), 2, 4).tolist() == [[1, 1, 2, 2], [1, 1, 2, 2]]
    assert resample(np.array([[1.0, 2.0]]), 1, 5).tolist() == [[1, 1, 1, 2, 2]]


def test_nan_counts_for_nothing():
    values = np.array([[1.0, np.nan, np.nan, np.nan], [3.0, 5.0, np.inf, np.nan]])
    np.testing.assert_array_equal(resample(values, 1, 2), [[3.0, np.nan]])


def test_one_hot_unit_among_many_is_seen():
    values = np.zeros((640, 1000))
    values[320] = 1.0
    assert resample(values, 64, 100)[32].tolist() == [0.1] * 100


@pytest.mark.parametrize(("low", "high"), [(0, 1), (-1, 1)])
def test_at_most_32_colours(on_stage, low, high):
    made = heatmap(np.random.default_rng(0).uniform(low - 1, high + 1, (128, 400)), low, high)

    async def act(stage, pilot):
        strips = stage.strips()
        found = {colour for row in cells(stage) for pair in row for colour in pair}
        found |= {part.style.color.triplet.hex for part in strips[0] if "█" in part.text}
        assert len(found) == (32 if low == 0 else 31)
        assert [strip.cell_length for strip in strips] == [160] * 45

    on_stage(made, (160, 45), act)


def test_colours_stand_for_values(on_stage):
    made = heatmap([[0.0, 1.0], [1.0, 0.5], [np.nan, 0.0], [0.0, np.nan]])

    async def act(stage, pilot):
        first, last = "#440154", "#fde725"
        (above, below) = cells(stage)
        half = len(above) // 2
        assert above[0] == (first, last)
        assert above[half:][1][0] == last
        assert below[0] == (first, None)
        assert below[-1] == (first, None)
        lines = stage.lines()
        assert lines[2][2] == "▄"
        assert lines[2][-1] == "▀"

    on_stage(made, (40, 4), act)


def test_zero_is_the_middle_of_a_range_around_it(on_stage):
    async def act(stage, pilot):
        assert cells(stage)[0][0] == ("#f7f7f7", "#f7f7f7")

    on_stage(heatmap([[0.0]], -1, 1), (40, 4), act)


def test_values_beyond_the_range_take_the_nearest_colour(on_stage):
    async def act(stage, pilot):
        assert cells(stage)[0][0] == ("#440154", "#fde725")

    on_stage(heatmap([[-7.0], [7.0]]), (40, 3), act)


def test_ascii_exactly(on_stage):
    values = [[0.0, 0.25, 0.5, 0.75, 1.0], [1.0, np.nan, 0.5, 0.25, 0.0]]
    assert on_stage(heatmap(values, glyphs=ASCII), (32, 4)) == [
        "forget gate       0  .:-=+*#%@ 1",
        "0|      ::::::++++++####### @@@@@@"[:2] + "".join(glyph * 6 for glyph in " :+#@"),
        "1|" + "".join(glyph * 6 for glyph in "@?+: ").rstrip(),
        " +0     1     2     3     4 time",
    ]


def test_without_colours_it_is_grey(on_stage, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")

    async def act(stage, pilot):
        for row in cells(stage):
            for pair in row:
                for colour in pair:
                    assert colour[1:3] == colour[3:5] == colour[5:7]
        assert cells(stage)[0][0] == ("#101010", "#f0f0f0")

    on_stage(heatmap([[-1.0], [1.0]], -1, 1), (40, 3), act)


def test_labels(on_stage):
    lines = on_stage(heatmap(np.zeros((64, 100))), (103, 34))
    assert [
        (row, line.split("│")[0]) for row, line in enumerate(lines) if "│" in line and line[:2].strip()
    ] == [
        (1, " 0"),
        (6, "10"),
        (11, "20"),
        (16, "30"),
        (21, "40"),
        (26, "50"),
        (31, "60"),
    ]
    axis = lines[-1]
    assert [axis.find(str(tick)) - 3 for tick in (10, 20, 50, 90)] == [10, 20, 50, 90]
    assert axis.endswith(" time")


def test_columns_may_have_names(on_stage):
    lines = on_stage(heatmap(np.zeros((2, 5)), column_names=list("hello")), (32, 4))
    assert lines[-1].split() == ["└h", "e", "l", "l", "o", "time"]
    assert column_labels(["0", "1"], 4, "much too long") == "0 1 "


def test_the_read_out(on_stage):
    values = np.arange(8.0).reshape(2, 4) / 8
    made = heatmap(values, column_names=["a", "b", "c", "d"])

    async def act(stage, pilot):
        assert stage.lines()[0].startswith("forget gate  ")
        await pilot.press("down")
        assert made.cursor == (0, 0)
        assert stage.lines()[0].startswith("unit 0 · time a · 0 ")
        await pilot.press("down", "right")
        assert made.cursor == (1, 1)
        assert stage.lines()[1].startswith("0▸")
        assert stage.lines()[-1][2 + 1] == "▲"
        made.cursor = (made.grid[0] - 1, made.grid[1] - 1)
        assert stage.lines()[0].startswith("unit 1 · time d · 0.875 ")
        await pilot.press("right", "down")
        assert made.cursor == (made.grid[0] - 1, made.grid[1] - 1)
        await pilot.press("escape")
        assert stage.lines()[0].startswith("forget gate  ")

    on_stage(made, (42, 5), act)


def test_the_read_out_of_a_mean_names_all_it_covers(on_stage):
    made = heatmap(np.tile(np.arange(100.0) / 100, (8, 1)))

    async def act(stage, pilot):
        made.cursor = (1, 10)
        assert stage.lines()[0].startswith("unit 2-3 · time 20-21 · 0.205 ")
        await pilot.hover(made, offset=(2 + 5, 2))
        assert made.cursor == (2, 5)

    on_stage(made, (52, 4), act)


def test_no_data(on_stage):
    lines = on_stage(Heatmap("gates", glyphs=UNICODE), (30, 7))
    assert lines[0] == "gates"
    assert [line.strip() for line in lines[1:] if line] == ["no data yet"]


@pytest.mark.parametrize("size", [(1, 1), (4, 2), (5, 3), (20, 5), (160, 45)])
@pytest.mark.parametrize("glyphs", [UNICODE, ASCII])
def test_every_size_is_filled_exactly(on_stage, size, glyphs):
    made = heatmap(np.random.default_rng(0).random((33, 71)), glyphs=glyphs)

    async def act(stage, pilot):
        assert [strip.cell_length for strip in stage.strips()] == [size[0]] * size[1]

    on_stage(made, size, act)


def test_a_cursor_outside_a_smaller_screen_is_put_away(on_stage):
    made = heatmap(np.zeros((64, 100)))
    made.cursor = (60, 70)
    on_stage(made, (40, 8))
    assert made.cursor is None


def test_wrong_values_are_refused():
    with pytest.raises(ValueError, match=r"^values must be \[rows, columns\], got 1 dimensions$"):
        heatmap([1.0, 2.0])
    with pytest.raises(ValueError, match=r"^low must be below high, got 1 and 1$"):
        heatmap([[1.0]], 1, 1)


def test_bindings_can_be_remapped():
    assert all(binding.id and binding.tooltip for binding in Heatmap.BINDINGS)
