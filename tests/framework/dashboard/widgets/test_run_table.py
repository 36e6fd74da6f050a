"""Ten thousand runs: only what is seen is written; order, cursor, marks."""

import random

import pytest

from rnnlab.dashboard.widgets.glyphs import ASCII, UNICODE
from rnnlab.dashboard.widgets.ordering import Column, Row
from rnnlab.dashboard.widgets.run_table import RunTable
from rnnlab.dashboard.widgets.table_layout import SAMPLE

COLUMNS = (Column("run"), Column("state"), Column("loss", "val/loss", right=True, text="{:.3f}".format))


def runs(count, first=0):
    chance = random.Random(0)
    return [
        Row(
            f"run-{index:05d}",
            {
                "run": f"run-{index:05d}",
                "state": chance.choice(["running", "finished", "failed"]),
                "loss": chance.random(),
            },
        )
        for index in range(first, first + count)
    ]


def table(rows, columns=COLUMNS, glyphs=UNICODE):
    made = RunTable(glyphs=glyphs)
    made.set_rows(rows, columns)
    return made


def test_rows_exactly(on_stage):
    rows = [
        Row("a", {"run": "a", "state": "running", "loss": 0.25}),
        Row("b", {"run": "b", "state": "failed", "loss": None}),
    ]

    async def act(stage, pilot):
        assert stage.lines() == [
            "   run   state     val/loss",
            "▸  a     running      0.250",
            "   b     failed           -",
            "",
        ]
        await pilot.press("space")
        assert stage.lines()[1:3] == [" ● a     running      0.250", "▸  b     failed           -"]

    on_stage(table(rows), (40, 4), act)
    assert on_stage(table(rows, glyphs=ASCII), (40, 4))[1] == ">  a     running      0.250"


def test_only_visible_rows_are_written(on_stage):
    written = []

    def text(value):
        written.append(value)
        return str(value)

    made = table(runs(10_000), (Column("run", width=12, text=text), Column("loss", width=8)))

    async def act(stage, pilot):
        assert set(written) == {f"run-{index:05d}" for index in range(19)}
        written.clear()
        await pilot.press("G")
        assert stage.lines()[-1].startswith("▸  run-09999")
        assert set(written) <= {f"run-{index:05d}" for index in [*range(19), *range(9981, 10_000)]}
        written.clear()
        made.set_rows(runs(10_000))
        await pilot.pause()
        assert len(set(written)) == 19

    on_stage(made, (60, 20), act)


def test_widths_are_measured_on_a_sample():
    written = []
    table(runs(10_000), (Column("run", text=lambda value: written.append(value) or str(value)),))
    assert SAMPLE <= len(written) <= SAMPLE + 1


def test_sorting_by_keys(on_stage):
    made = table(runs(100))

    async def act(stage, pilot):
        await pilot.press("greater_than_sign")
        assert (made.sort_column, made.sort_reverse) == ("run", False)
        assert "run▲" in stage.lines()[0]
        await pilot.press("less_than_sign")
        assert made.sort_column == "loss"
        assert "val/loss▲" in stage.lines()[0]
        losses = [row.values["loss"] for row in made.rows]
        assert losses == sorted(losses)
        await pilot.press("o")
        assert "val/loss▼" in stage.lines()[0]
        assert [row.values["loss"] for row in made.rows] == losses[::-1]
        sent = [(message.column, message.reverse) for message in stage.sent]
        assert sent == [("run", False), ("loss", False), ("loss", True)]

    on_stage(made, (60, 20), act, RunTable.SortChanged)


def test_sorting_by_clicks(on_stage):
    made = table(runs(100), (*COLUMNS, Column("trend", sortable=False)))

    async def act(stage, pilot):
        at = stage.lines()[0].index("val/loss")
        await pilot.click(made, offset=(at, 0))
        assert (made.sort_column, made.sort_reverse) == ("loss", False)
        await pilot.click(made, offset=(at, 0))
        assert (made.sort_column, made.sort_reverse) == ("loss", True)
        await pilot.click(made, offset=(stage.lines()[0].index("trend"), 0))
        assert (made.sort_column, made.sort_reverse) == ("loss", True)

    on_stage(made, (60, 20), act)


def test_the_chosen_order_holds_for_new_rows():
    made = table(runs(50))
    made.sort("loss")
    made.set_rows(runs(80))
    losses = [row.values["loss"] for row in made.rows]
    assert losses == sorted(losses)
    made.sort(None)
    assert [row.key for row in made.rows] == [row.key for row in runs(80)]
    with pytest.raises(ValueError, match=r"^column must be one of run, state, loss, got lr$"):
        made.sort("lr")


def test_a_column_that_is_sorted_by_is_brought_into_view(on_stage):
    columns = (Column("run"), *(Column(f"metric-{index}", width=9) for index in range(9)))
    made = table(runs(3), columns)

    async def act(stage, pilot):
        await pilot.press("less_than_sign")
        assert made.sort_column == "metric-8"
        assert stage.lines()[0].split() == ["run", "metric-7", "metric-8▲"]
        await pilot.press("greater_than_sign", "greater_than_sign")
        assert made.sort_column == "metric-0"
        assert stage.lines()[0].split()[:2] == ["run", "metric-0▲"]
        at = made.scroll_offset.x
        await pilot.press("greater_than_sign")  # to a column that is seen already
        assert made.scroll_offset.x == at

    on_stage(made, (40, 6), act)


def test_marks(on_stage):
    made = table(runs(50))

    async def act(stage, pilot):
        await pilot.press("space", "j", "space")
        assert made.marks == {"run-00000", "run-00002"}
        assert [message.key for message in stage.sent] == ["run-00000", "run-00002"]
        made.sort("loss", reverse=True)
        made.set_rows(runs(1, first=20))  # filtered
        assert made.marks == {"run-00000", "run-00002"}
        made.set_rows(runs(50))
        made.sort(None)
        await pilot.press("g", "space")
        assert made.marks == {"run-00002"}
        await pilot.click(made, offset=(1, 5))
        assert made.marks == {"run-00002", "run-00004"}
        assert made.cursor_key == "run-00004"
        made.set_marks(["run-00001"])
        await pilot.pause()
        assert [line[:12] for line in stage.lines() if line[1:2] == "●"] == [" ● run-00001"]

    on_stage(made, (60, 12), act, RunTable.Marked)


def test_narrow_screens_keep_the_first_column(on_stage):
    columns = (Column("run"), *(Column(f"metric-{index}", width=8) for index in range(9)))
    rows = [Row(f"r{n}", {"run": f"r{n}", **{f"metric-{i}": f"{n}.{i}" for i in range(9)}}) for n in range(3)]
    made = table(rows, columns)

    async def act(stage, pilot):
        assert stage.lines()[0].endswith("›")
        assert stage.lines()[1].split() == ["▸", "r0", "0.0", "0.1", "0.2"]
        for _ in range(20):
            await pilot.press("right")
        await pilot.pause()
        assert stage.lines()[0].startswith("   run")
        assert not stage.lines()[0].endswith("›")
        assert stage.lines()[1].split()[:2] == ["▸", "r0"]
        assert stage.lines()[1].split()[-1] == "0.8"
        at = stage.lines()[0].index("metric-8")
        assert made.column_at(at).key == made.column_at(at + 7).key == "metric-8"
        assert made.column_at(at - 3).key == "metric-7"
        await pilot.press("left")
        await pilot.pause()
        assert stage.lines()[1].split()[2:] == ["0.5", "0.6", "0.7"]  # whole columns, never half a number
        assert [strip.cell_length for strip in stage.strips()] == [40] * 6

    on_stage(made, (40, 6), act)


def test_colours_of_values(on_stage):
    style = {"running": "$text-success", "failed": "bold red"}.get
    made = table(runs(10), (Column("run"), Column("state", style=lambda state: style(state, ""))))

    async def act(stage, pilot):
        line = next(at for at, row in enumerate(made.rows) if row.values["state"] == "running" and at)
        (cell,) = [part for part in stage.strips()[line + 1] if "running" in part.text]
        assert cell.style.color.triplet.hex == stage.theme_variables["text-success"].lower()

    on_stage(made, (60, 12), act)


def test_control_characters_are_harmless(on_stage):
    lines = on_stage(table([Row("a", {"run": "a\x1b[2J\nb", "state": "日本"})]), (60, 4))
    assert lines[1] == "▸  a [2J b  日本            -"


def test_equal_keys_are_refused():
    with pytest.raises(ValueError, match=r"^the keys of rows must differ, two are equal$"):
        table([Row("a", {}), Row("a", {})])


def test_bindings_can_be_remapped():
    ids = [binding.id for binding in RunTable.BINDINGS]
    assert len(set(ids)) == len(ids)
    assert all(binding.tooltip for binding in RunTable.BINDINGS)
