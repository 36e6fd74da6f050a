"""Ten thousand runs: only what is seen is written; order, cursor, marks."""

import math
import random

import pytest

from rnnlab.dashboard.widgets.glyphs import ASCII, UNICODE
from rnnlab.dashboard.widgets.ordering import Column, Row, ordered
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


def test_the_cursor_follows_its_run(on_stage):
    made = table(runs(1000, first=100))

    async def act(stage, pilot):
        for _ in range(30):
            await pilot.press("j")
        assert made.cursor_key == "run-00130"
        line = next(at for at, line in enumerate(stage.lines()) if line.startswith("▸"))
        made.set_rows(runs(1100))  # a hundred newer runs above
        await pilot.pause()
        assert made.cursor_key == "run-00130"
        assert stage.lines()[line].startswith("▸  run-00130")  # and it does not move under the eye
        await pilot.press("greater_than_sign", "o")
        assert made.cursor_key == "run-00130"
        assert sum(line.startswith("▸  run-00130") for line in stage.lines()) == 1
        assert [message.key for message in stage.sent[-1:]] == ["run-00130"]

    on_stage(made, (60, 20), act, RunTable.Highlighted)


def test_where_its_run_is_gone_the_cursor_stays_near(on_stage):
    made = table(runs(10))

    async def act(stage, pilot):
        await pilot.press("j", "j", "j")
        made.set_rows([row for row in runs(10) if row.key != "run-00003"])
        assert made.cursor_key == "run-00004"
        made.set_rows(runs(2))
        assert made.cursor_key == "run-00001"
        made.set_rows([])
        assert made.cursor_key is None
        await pilot.pause()
        assert [line.strip() for line in stage.lines()[1:] if line] == ["no runs yet"]
        made.set_rows(runs(3))
        await pilot.pause()
        assert made.cursor_key == "run-00000"
        keys = [message.key for message in stage.sent]
        assert keys[-4:] == ["run-00004", "run-00001", None, "run-00000"]

    on_stage(made, (60, 12), act, RunTable.Highlighted)


def test_keys_move_the_cursor(on_stage):
    made = table(runs(100))

    async def act(stage, pilot):
        for key, expected in [
            ("k", 0),
            ("down", 1),
            ("j", 2),
            ("up", 1),
            ("pagedown", 10),
            ("ctrl+d", 19),
            ("ctrl+u", 10),
            ("G", 99),
            ("down", 99),
            ("g", 0),
            ("end", 99),
            ("home", 0),
        ]:
            await pilot.press(key)
            assert made.cursor_key == f"run-{expected:05d}", key
            assert sum(line.startswith("▸") for line in stage.lines()) == 1, key

    on_stage(made, (60, 10), act)


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


def test_enter_and_a_second_click_open(on_stage):
    made = table(runs(50))

    async def act(stage, pilot):
        await pilot.press("j", "enter")
        await pilot.click(made, offset=(10, 4))
        assert made.cursor_key == "run-00003"
        await pilot.click(made, offset=(10, 4))
        assert [message.key for message in stage.sent] == ["run-00001", "run-00003"]
        await pilot.click(made, offset=(10, 11))
        assert made.cursor_key == "run-00010"

    on_stage(made, (60, 12), act, RunTable.Selected)


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


def test_a_row_can_be_found(on_stage):
    made = table(runs(500))

    async def act(stage, pilot):
        assert made.move_to("run-00400")
        assert not made.move_to("nothing")
        await pilot.pause()
        assert sum(line.startswith("▸  run-00400") for line in stage.lines()) == 1

    on_stage(made, (60, 12), act)


def test_bindings_can_be_remapped():
    ids = [binding.id for binding in RunTable.BINDINGS]
    assert len(set(ids)) == len(ids)
    assert all(binding.tooltip for binding in RunTable.BINDINGS)
