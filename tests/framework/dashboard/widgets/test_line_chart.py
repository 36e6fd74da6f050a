"""The chart as text: ticks, legend, gaps, log axis, cursor, sizes."""

import numpy as np
import pytest

from rnnlab.dashboard.widgets.glyphs import ASCII, UNICODE
from rnnlab.dashboard.widgets.line_chart import Line, LineChart

STEPS = np.arange(0, 1000.0)


def chart(*lines, title="loss", glyphs=UNICODE, **settings):
    made = LineChart(title, x_label="step", glyphs=glyphs)
    made.set_series(lines)
    for name, value in settings.items():
        setattr(made, name, value)
    return made


def colours(strip, ground):
    """The colours of a line's dots, in the order in which they appear."""
    seen = []
    for segment in strip:
        shown = segment.style.color and segment.style.color.triplet
        if segment.text.strip() and shown and shown.hex not in seen and shown.hex != ground:
            seen.append(shown.hex)
    return seen


def test_a_rising_line_exactly(on_stage):
    assert on_stage(chart(Line("acc", np.arange(5.0), np.arange(5.0))), (23, 8)) == [
        "loss  ━━ acc 4",
        "4┤                  ⣀⡴⠒",
        " │              ⣀⡤⠖⠋⠁",
        " │          ⢀⣠⠴⠚⠁",
        "2┤      ⢀⣠⠴⠚⠉",
        " │  ⢀⣠⠴⠚⠉",
        "0┤⠤⠞⠉",
        " └0         2      step",
    ]


def test_ascii_exactly(on_stage):
    assert on_stage(chart(Line("acc", np.arange(5.0), np.arange(5.0)), glyphs=ASCII), (23, 8)) == [
        "loss  -- acc 4",
        "4+                  .|-",
        " |              ..-''",
        " |          ..-''",
        "2+      ..-''",
        " |  ..-''",
        "0+-|'",
        " +0         2      step",
    ]


def test_one_high_sample_is_seen(on_stage):
    y = np.zeros(2000)
    y[1000] = 7.0
    lines = on_stage(chart(Line("grad", np.arange(2000.0), y)), (62, 12))
    # 62 columns less two for the axis: the sample falls on dot 60 of 120, the left half of column 30.
    column = [line.ljust(62)[2 + 30] for line in lines[1:11]]
    assert column[0] == "⡆"  # 3% of the range are left free above it
    assert all(ord(glyph) & 0x47 == 0x47 for glyph in column[1:9])
    # Half of the way up belongs to the dot before it, which is in column 29.
    assert all(not line[2:31].strip() and not line[33:].strip() for line in lines[1:10])


def test_nan_and_infinity_leave_gaps(on_stage):
    y = np.zeros(60)
    y[20:40] = np.nan
    y[50] = np.inf
    lines = on_stage(chart(Line("a", np.arange(60.0), y)), (42, 7))
    (row,) = [line.ljust(42) for line in lines[1:6] if line.split("│")[-1].split("┤")[-1].strip()]
    drawn = row[max(row.find("┤"), row.find("│")) + 1 :]
    left = 42 - len(drawn)
    gaps = [index for index, glyph in enumerate(drawn) if glyph == " "]
    scale = (len(drawn) * 2 - 1) / 59
    assert gaps == list(range(int(19 * scale + 0.5) // 2 + 1, int(40 * scale + 0.5) // 2))
    assert left >= 2
    assert lines[0] == "loss  ━━ a 0"


def test_a_log_axis(on_stage):
    y = 10.0 ** np.linspace(1, -3, 1000)
    lines = on_stage(chart(Line("loss", STEPS, y), log_y=True), (50, 22))
    assert lines[0] == "loss  log  ━━ loss 0.001"
    ticks = [(row, line.split("┤")[0].strip()) for row, line in enumerate(lines) if "┤" in line]
    assert [label for _, label in ticks] == ["10", "1", "0.1", "0.01", "0.001"]
    apart = np.diff([row for row, _ in ticks])
    assert apart.max() - apart.min() <= 1  # decades are evenly spaced: the line is straight
    slope = [line.rstrip()[6:].find(line.rstrip()[6:].strip()[:1]) for line in lines[1:21]]
    assert slope == sorted(slope)


def test_zero_and_below_are_gaps_on_a_log_axis(on_stage):
    y = np.array([1.0, 0.0, -1.0, 100.0])
    assert "━━ a 100" in on_stage(chart(Line("a", np.arange(4.0), y), log_y=True), (40, 8))[0]
    lines = on_stage(chart(Line("a", np.arange(2.0), np.array([0.0, -1.0])), log_y=True), (40, 8))
    assert "nothing above 0 on the log axis" in "".join(lines)


@pytest.mark.parametrize(
    "lines",
    [(), (Line("a", np.empty(0), np.empty(0)),), (Line("a", np.arange(3.0), np.full(3, np.nan)),)],
)
def test_no_data(on_stage, lines):
    shown = on_stage(chart(*lines), (30, 9))
    assert [line.strip() for line in shown if "data" in line] == ["no data yet"]
    assert shown[0] == ("loss  ━━ a -" if lines else "loss")


def test_one_point(on_stage):
    shown = on_stage(chart(Line("val", np.array([100.0]), np.array([0.25]))), (30, 8))
    assert shown[0] == "loss  ━━ val 0.25"
    assert sum(line.count("•") for line in shown) == 1
    assert shown[-1].split()[0] == "└100"


def test_a_constant_line_is_in_the_middle(on_stage):
    shown = on_stage(chart(Line("lr", STEPS, np.full(1000, 1e-3))), (40, 10))
    assert [at for at, line in enumerate(shown[1:9]) if line[-1:] in ("⣀", "⠤", "⠒", "⠉")] == [3]


def test_smoothing_sets_the_range_and_is_brighter_than_the_raw_curve(on_stage):
    y = np.where(STEPS == 500, 1000.0, 1.0 + np.sin(STEPS / 3))
    made = chart(Line("train", STEPS, y, "#ff0000"))

    async def act(stage, pilot):
        assert "1k┤" in "".join(stage.lines())
        made.smoothing = 0.98
        shown = [line.split("┤")[0].strip() for line in stage.lines() if "┤" in line]
        assert max(float(label) for label in shown) <= 25
        ground = stage.current_theme.to_color_system().generate()["background"]
        assert ground == "#121212"
        found = {colour for strip in stage.strips()[1:-1] for colour in colours(strip, "#a0a0a0")}
        assert found == {"#ff0000", "#7c0909"}

    on_stage(made, (60, 20), act)


def test_smoothing_stays_between_nothing_and_everything():
    made = chart()
    made.smoothing = 3
    assert made.smoothing == 0.999
    made.smoothing = -1
    assert made.smoothing == 0


@pytest.mark.parametrize("size", [(20, 5), (40, 10), (80, 24), (160, 45)])
@pytest.mark.parametrize("log_y", [False, True])
def test_every_size_is_filled_exactly(on_stage, size, log_y):
    rng = np.random.default_rng(1)
    lines = [Line(f"run-{index}", STEPS, 0.1 + rng.random(1000) * 10**index) for index in range(4)]
    made = chart(*lines, log_y=log_y, smoothing=0.5)

    async def act(stage, pilot):
        strips = stage.strips()
        assert [strip.cell_length for strip in strips] == [size[0]] * size[1]
        assert all(sum(len(part.text) for part in strip) == size[0] for strip in strips)
        assert any(0x2800 < ord(glyph) < 0x2900 for strip in strips for glyph in strip.text)

    on_stage(made, size, act)


@pytest.mark.parametrize("size", [(1, 1), (5, 2), (7, 3), (20, 1), (3, 40), (200, 2)])
def test_tiny_sizes_do_not_fail(on_stage, size):
    shown = on_stage(chart(Line("train", STEPS, STEPS), smoothing=0.5, cursor=500.0), size)
    assert len(shown) == size[1]
    if size == (20, 1):
        assert shown == ["step 500  +1"]


def test_huge_and_tiny_values(on_stage):
    for y in (
        [1e308, -1e308, 0.0],
        [1e-300, 2e-300, 3e-300],
        [1e12, 1e12 + 1, 1e12 + 2],
        [-5.0, np.inf, 1e200],
    ):
        shown = on_stage(chart(Line("a", np.arange(3.0), np.array(y))), (60, 12))
        assert len(shown) == 12


def test_unsorted_and_repeated_steps(on_stage):
    x, y = np.array([3.0, 1.0, np.nan, 2.0, 2.0]), np.array([3.0, 1.0, 9.0, 2.0, 2.0])
    made = chart(Line("a", x, y))
    assert made.lines[0].x.tolist() == [1, 2, 2, 3]
    assert made.lines[0].y.tolist() == [1, 2, 2, 3]
    assert on_stage(made, (30, 8))[0] == "loss  ━━ a 3"


def test_unequal_lengths_are_refused():
    with pytest.raises(ValueError, match=r"^loss: x and y must be of one length, got 3 and 2$"):
        chart(Line("loss", np.arange(3.0), np.arange(2.0)))


def test_the_legend_gives_way_in_order(on_stage):
    lines = [Line("train/loss", STEPS, STEPS), Line("validation/loss", STEPS, STEPS / 8)]
    assert on_stage(chart(*lines), (60, 6))[0] == "loss  ━━ train/loss 999  ━━ validation/loss 124.9"
    assert on_stage(chart(*lines), (44, 6))[0] == "loss  ━━ train/loss 999  ━━ validatio… 124.9"
    assert on_stage(chart(*lines), (30, 6))[0] == "━━ train… 999  ━━ valid… 124.9"
    assert on_stage(chart(*lines), (20, 6))[0] == "━━ tra… 999  +1"


def test_names_of_runs_are_cut_at_their_common_start(on_stage):
    lines = [Line(f"lstm-copy-00{index}", STEPS, STEPS * index) for index in (42, 44)]
    assert on_stage(chart(*lines), (60, 6))[0] == "loss  ━━ lstm-copy-0042 41.96k  ━━ lstm-copy-0044 43.96k"
    assert on_stage(chart(*lines), (44, 6))[0] == "loss  ━━ …0042 41.96k  ━━ …0044 43.96k"


def test_control_characters_in_names_are_harmless(on_stage):
    shown = on_stage(chart(Line("a\x1b[31m\nb", STEPS, STEPS), title="t\x07"), (50, 6))
    assert shown[0] == "t   ━━ a [31m b 999"


def test_without_colours_lines_end_in_letters(on_stage, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    lines = [
        Line("train", STEPS, STEPS / 1000),
        Line("val", STEPS, 1 - STEPS / 1000),
        Line("best", STEPS, 1 - STEPS / 1000, marker="*"),
    ]
    shown = on_stage(chart(*lines), (60, 14))
    assert shown[0] == "loss  a train 0.999  b val 0.001  * best 0.001"
    ends = {line[-1]: row for row, line in enumerate(shown[1:-1]) if line[-1] in "ab*"}
    assert ends["a"] == 0
    assert {ends["b"], ends["*"]} == {10, 11}  # two lines that end together have a letter each


def test_with_colours_there_are_no_letters(on_stage):
    made = chart(Line("train", STEPS, STEPS / 1000))

    async def act(stage, pilot):
        assert stage.lines()[0] == "loss  ━━ train 0.999"
        made.letters = True
        assert stage.lines()[0] == "loss  a train 0.999"
        assert stage.lines()[1].endswith("a")

    on_stage(made, (40, 8), act)


def test_colours_follow_the_theme(on_stage):
    made = chart(Line("a", STEPS, STEPS), Line("b", STEPS, -STEPS, "$success"))

    async def act(stage, pilot):
        before = colours(stage.strips()[0], "")
        stage.theme = "textual-light"
        await pilot.pause()
        after = colours(stage.strips()[0], "")
        assert before[1] == "#5aa9e6"
        assert after[1] == "#1769aa"
        assert stage.theme_variables["success"].lower() in after

    on_stage(made, (60, 8), act)


def test_the_cursor_reads_out_values(on_stage):
    made = chart(Line("train", STEPS, STEPS * 2), Line("val", np.array([0.0, 500.0]), np.array([4.0, 3.0])))

    async def act(stage, pilot):
        assert stage.lines()[0] == "loss  ━━ train 1998  ━━ val 3"
        await pilot.press("right")
        assert made.cursor == 999
        assert stage.lines()[0] == "loss  step 999  ━━ train 1998  ━━ val -"
        await pilot.press("home")
        assert stage.lines()[0] == "loss  step 0  ━━ train 0  ━━ val 4"
        await pilot.press("right")
        one = made.cursor
        assert one == np.ceil(made._plot.cell)
        await pilot.press("right", "left")
        assert abs(made.cursor - one) <= 1
        made.cursor = 501.0
        assert stage.lines()[0] == "loss  step 501  ━━ train 1002  ━━ val 3"
        column = stage.widget._plot.left + stage.widget._plot.column_of(501.0)
        assert [line.ljust(60)[column] for line in stage.lines()[1:3]] == ["│", "│"]
        await pilot.press("escape")
        assert made.cursor is None
        assert stage.lines()[0] == "loss  ━━ train 1998  ━━ val 3"
        assert [message.x for message in stage.sent] == [999, 0, one, *[m.x for m in stage.sent[3:5]], None]

    on_stage(made, (60, 10), act, LineChart.CursorMoved)


def test_the_cursor_steps_to_the_next_sample_where_they_are_rare(on_stage):
    made = chart(Line("val", np.array([0.0, 400.0, 1000.0]), np.array([3.0, 2.0, 1.0])))

    async def act(stage, pilot):
        seen = []
        for key in ("home", "right", "right", "right", "left"):
            await pilot.press(key)
            seen.append(made.cursor)
        assert seen == [0, 400, 1000, 1000, 400]

    on_stage(made, (60, 10), act)


def test_the_cursor_stays_at_its_step_when_data_comes(on_stage):
    made = chart(Line("a", STEPS[:100], STEPS[:100]))

    async def act(stage, pilot):
        made.cursor = 50.0
        made.set_series([Line("a", STEPS, STEPS)])
        assert stage.lines()[0] == "loss  step 50  ━━ a 50"

    on_stage(made, (60, 10), act)


def test_the_mouse_moves_the_cursor(on_stage):
    made = chart(Line("a", STEPS, STEPS))

    async def act(stage, pilot):
        left = made._plot.left
        await pilot.hover(made, offset=(left, 3))
        assert made.cursor == pytest.approx(0, abs=made._plot.cell)
        await pilot.hover(made, offset=(59, 3))
        assert made.cursor == pytest.approx(999, abs=made._plot.cell)
        await pilot.click(made, offset=(left + 20, 3))
        assert made._plot.column_of(made.cursor) == 20

    on_stage(made, (60, 10), act)


def test_escape_is_the_screens_without_a_cursor():
    assert chart().check_action("clear_cursor", ()) is False
    assert chart(cursor=1.0).check_action("clear_cursor", ()) is True


def test_bindings_can_be_remapped():
    assert all(binding.id and binding.tooltip for binding in LineChart.BINDINGS)
