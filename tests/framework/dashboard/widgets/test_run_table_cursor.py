"""The table's cursor: it belongs to a run."""

import random

from rnnlab.dashboard.widgets.glyphs import UNICODE
from rnnlab.dashboard.widgets.ordering import Column, Row
from rnnlab.dashboard.widgets.run_table import RunTable

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


def test_the_cursor_comes_back_with_its_run(on_stage):
    made = table(runs(10))

    async def act(stage, pilot):
        await pilot.press("j", "j", "j")
        made.set_rows([])
        made.set_rows(runs(2))
        assert made.cursor_key == "run-00000"
        made.set_rows(runs(10))
        assert made.cursor_key == "run-00003"

    on_stage(made, (60, 12), act)


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


def test_a_row_can_be_found(on_stage):
    made = table(runs(500))

    async def act(stage, pilot):
        assert made.move_to("run-00400")
        assert not made.move_to("nothing")
        await pilot.pause()
        assert sum(line.startswith("▸  run-00400") for line in stage.lines()) == 1

    on_stage(made, (60, 12), act)
