"""Compare's curves and table by its keys, and as it looks at both sizes."""

import numpy as np
import pytest

from rnnlab.dashboard.screens.compare_table import CompareTable
from rnnlab.dashboard.widgets import palette
from rnnlab.dashboard.widgets.glyphs import ASCII, UNICODE

from .looking import Alone, chart, colours, compare, row

COMMON = "in common"


def test_the_curves_of_all_runs_stand_over_each_other(lab, trio, play):
    async def scene(stage):
        await compare(stage, trio)
        assert "val/loss (2/3)" in stage.text()
        lines = chart(stage).lines
        assert [line.x.tolist() for line in lines] == [[20, 40], [20, 40], [20]]
        assert [line.y.tolist() for line in lines] == [[0.05, 0.025], [0.1, 0.05], [0.15]]
        await stage.press("m", "m")
        assert "train/loss (1/3)" in stage.text()
        assert np.allclose(chart(stage).lines[1].y, 2.0 / np.arange(1, 41))
        await stage.press("M")
        assert [line.y.tolist() for line in chart(stage).lines] == [[0.6, 0.6], [0.8, 0.8], [0.7]]

    play(Alone(lab), scene)


def test_the_axis_goes_through_steps_time_and_epochs(lab, trio, play):
    async def scene(stage):
        screen = await compare(stage, trio)
        run = screen.runs[0]
        assert run.started is not None
        await stage.press("x")
        assert "over seconds" in stage.text()
        expected = (run.series["val/loss"].times - run.started.time) / 1000
        assert chart(stage).lines[0].x.tolist() == expected.tolist()
        await stage.press("x")
        assert "over epoch" in stage.text()
        assert [line.x.tolist() for line in chart(stage).lines] == [[1, 2], [1, 2], [1]]
        await stage.press("x")  # there are no speeds in these journals, so no tokens
        assert "over step" in stage.text()
        await stage.press("X")
        assert "over epoch" in stage.text()

    play(Alone(lab), scene)


def test_the_cursor_reads_out_every_run(lab, trio, play):
    async def scene(stage):
        await compare(stage, trio)
        assert row(stage, "val/loss") == ["0.025", "0.05", "0.15"]
        await stage.press("m", "m", "home", "right")
        at = chart(stage).cursor
        assert row(stage, "train/loss") == [f"{scale / at:.4g}" for scale in (1.0, 2.0, 3.0)]
        assert f"step {at:.0f}" in stage.text()
        await stage.press("end")
        assert row(stage, "train/loss") == ["0.025", "0.05", "-"]  # gamma has ended at step 20
        await stage.press("escape")
        assert row(stage, "train/loss") == ["0.025", "0.05", "0.15"]
        await stage.press("escape")
        await stage.until(lambda: stage.app.current_mode == "runs")

    play(Alone(lab), scene)


def test_parameters_and_scores_and_only_what_differs(lab, trio, play):
    async def scene(stage):
        await compare(stage, trio)
        assert row(stage, "cell.type") == ["lstm", "rnn", "rnn"]
        assert row(stage, "stack.hidden_size") == ["64", "64", "32"]
        assert row(stage, "val/accuracy") == ["0.6", "0.8●", "0.7"]
        assert row(stage, "steps") == ["40/40", "40/40", "20/20"]
        assert row(stage, "dataset.type") == ["tiny"]
        assert row(stage, "state") == ["finished"]
        await stage.press("d")
        assert row(stage, "cell.type") == ["lstm", "rnn", "rnn"]
        assert COMMON not in stage.text()
        assert "dataset.type" not in stage.text()
        assert not [line for line in stage.lines() if line.split("│")[-1].strip().startswith("state")]
        await stage.press("d")
        assert COMMON in stage.text()

    play(Alone(lab), scene)


def test_a_run_has_one_letter_and_one_colour(lab, trio, play):
    async def scene(stage):
        await compare(stage, trio)
        for theme, shades in (("textual-dark", palette.DARK), ("textual-light", palette.LIGHT)):
            stage.app.theme = theme
            await stage.until(lambda shades=shades: set(colours(stage, "b")) == {shades[1]})
            for letter, shade in zip("abc", shades, strict=False):
                # In the legend, at the curve's end, in the list and over the table's column.
                assert colours(stage, letter) == [shade] * 4

    play(Alone(lab), scene)


def test_smoothing_and_the_logarithmic_scale(lab, trio, play):
    async def scene(stage):
        await compare(stage, trio)
        assert chart(stage).smoothing == 0.0  # so few points
        await stage.press("s")
        assert (chart(stage).smoothing, "smoothed 0.6" in stage.text()) == (0.6, True)
        await stage.press("s", "s", "s", "l")
        assert (chart(stage).smoothing, chart(stage).log_y) == (0.0, True)
        assert "raw · log" in stage.text()

    play(Alone(lab), scene)


def test_many_points_are_smoothed_by_themselves(lab, make, play):
    runs = [make("long", 1.0, steps=60).id, make("short", 2.0).id]

    async def scene(stage):
        await compare(stage, runs)
        await stage.press("M")
        assert "train/loss" in stage.text()
        assert chart(stage).smoothing == 0.6
        await stage.press("s")
        assert chart(stage).smoothing == 0.9

    play(Alone(lab), scene)


def test_the_curves_grow_while_a_run_goes_on(lab, make, make_run, writer, play):
    old = make("old", 1.0)
    new = make_run("new")
    process = writer(new, 0, 30, 0.0, "wait")

    async def scene(stage):
        await compare(stage, [old.id, new.id])
        await stage.press("M")
        await stage.until(lambda: len(chart(stage).lines[1].x) == 30)
        assert row(stage, "state") == ["finished", "running"]
        process.communicate()
        await stage.until(lambda: row(stage, "state") == ["finished"])

    play(Alone(lab), scene)


@pytest.mark.parametrize("size", [(140, 40), (80, 24)])
@pytest.mark.parametrize("glyphs", [UNICODE, ASCII], ids=["unicode", "ascii"])
def test_twenty_runs(lab, make, play, size, glyphs):
    runs = [make(f"run{index:02}", index + 1.0, steps=20, seed=index).id for index in range(20)]

    async def scene(stage):
        screen = await compare(stage, runs)
        table = screen.query_one(CompareTable)
        table.focus()
        assert "seed" in stage.text()
        await stage.press("right", "right")
        assert "run 3 of 20 <>" in stage.text()
        await stage.press(*["right"] * 20)
        heads = next(line for line in stage.lines() if " of 20 <" in line)
        assert heads.split()[-1] == "t"  # the last one can be seen, and no empty column is shown after it
        assert ("┤" in stage.text()) == (glyphs is UNICODE)
        if glyphs is ASCII:
            assert stage.text().isascii()
        if size == (80, 24):
            await stage.press("p")
        screen.query_one("#runs").focus()
        await stage.press("G")
        assert "t  run19" in stage.text()

    play(Alone(lab, glyphs=glyphs), scene, size)


def test_narrow_shows_the_chart_above_and_one_of_table_and_list_below(lab, trio, play):
    async def scene(stage):
        await compare(stage, trio)
        lines = stage.lines()
        assert lines[1].startswith(" val/loss (2/3)")
        assert lines[2].split()[:3] == ["a", "alpha-" + trio[0][-4:], "0.025"]
        assert [line.split() for line in lines[15:17]] == [
            ["a", "b", "c"],
            ["val/loss", "0.025", "0.05", "0.15"],
        ]
        assert max(map(len, lines)) <= 80
        await stage.press("p")
        assert [line.split()[0] for line in stage.lines()[-4:-1]] == ["▸", "b", "c"]
        assert "cell.type" not in stage.text()
        await stage.press("p")
        assert "cell.type" in stage.text()

    play(Alone(lab), scene, (80, 24))
