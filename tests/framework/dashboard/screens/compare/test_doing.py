"""Choosing what is compared, going on to other screens, and writing a file."""

import csv

import pytest
from textual.widgets import Input

from rnnlab.dashboard.screens.compare import CompareScreen
from rnnlab.dashboard.screens.compare_picker import RunPicker
from rnnlab.dashboard.screens.compare_table import CompareTable
from rnnlab.dashboard.screens.launch_dialogs import PathDialog

from .looking import Alone, chart, compare, row, told


def test_runs_are_added_and_taken_away(lab, trio, play):
    async def scene(stage):
        await compare(stage, trio[:2])
        await stage.press("a")
        await stage.see("Which runs to compare")
        await stage.press("slash")
        await stage.type("gamma")
        await stage.press("enter")
        await stage.see("gamma")
        await stage.press("space", "enter")
        await stage.until(lambda: isinstance(stage.screen, CompareScreen))
        assert stage.app.marked == tuple(trio)
        assert [run.id for run in stage.screen.runs] == trio
        await stage.press("tab", "delete")
        assert stage.app.marked == tuple(trio[1:])
        assert row(stage, "cell.type") == ["rnn"]  # the others have it in common
        await stage.press("a", "down", "space", "escape")
        assert stage.app.marked == tuple(trio[1:])

    play(Alone(lab), scene)


def test_the_picker_says_what_a_filter_lacks(lab, trio, play):
    async def scene(stage):
        await compare(stage, trio[:2])
        await stage.press("a", "slash")
        await stage.type("cell:")
        await stage.see("expected")
        assert stage.screen.query_one("#said").has_class("error")

    play(Alone(lab), scene)


def test_enter_draws_the_metric_of_a_row_and_opens_a_run_in_live(lab, trio, play):
    async def scene(stage):
        screen = await compare(stage, trio)
        table = screen.query_one(CompareTable)
        table.focus()
        at = [row.label for row in table.rows].index("val/accuracy")
        await stage.press(*["down"] * at, "enter")
        assert "val/accuracy (3/3)" in stage.text()
        await stage.press("shift+tab", "down", "enter")
        await stage.until(lambda: stage.app.current_mode == "live")
        assert stage.app.current_run == trio[1]

    play(Alone(lab), scene)


def test_export_writes_and_asks_before_it_replaces(lab, trio, play, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    async def export(stage, path, *keys):
        await stage.press("e")
        await stage.see("compare.csv")
        stage.screen.query_one(Input).value = str(path)
        await stage.press("enter", *keys)

    async def scene(stage):
        await compare(stage, trio)
        path = tmp_path / "out.csv"
        await export(stage, "out.csv")
        await told(stage, "written to out.csv")
        with path.open(newline="") as file:
            lines = list(csv.DictReader(file))
        losses = [
            float(line["value"]) for line in lines if (line["run"], line["metric"]) == (trio[1], "train/loss")
        ]
        assert losses == [2.0 / step for step in range(1, 41)]
        assert len(lines) == 2 * (40 + 2 + 2) + 20 + 1 + 1

        path.write_text("mine")
        await export(stage, "out.csv")
        assert isinstance(stage.screen, PathDialog)
        await stage.see("out.csv exists; enter again replaces it")
        assert path.read_text() == "mine"
        await stage.press("escape")
        assert path.read_text() == "mine"
        await export(stage, "out.csv", "enter")
        await stage.until(lambda: path.read_text() != "mine")
        assert path.read_text().count("\n") == 1 + len(lines)

        await export(stage, "out.txt")
        await stage.see("expected a name that ends in .csv, got out.txt")
        await stage.press("escape")
        await export(stage, "no/out.csv")
        await told(stage, "no/out.csv cannot be written")

    play(Alone(lab), scene)


@pytest.mark.parametrize(
    ("count", "said"),
    [(0, "No run is marked."), (1, "is marked."), (2, "gone")],
    ids=["none", "one", "deleted"],
)
def test_with_less_than_two_it_says_what_to_do(lab, trio, play, count, said):
    async def scene(stage):
        await stage.until(lambda: len(stage.app.snapshot.runs) == 3)
        stage.app.marked = ("gone-1", "gone-2") if said == "gone" else tuple(trio[:count])
        await stage.press("3")
        await stage.see("No run is marked." if said == "gone" else said)
        assert "Press a to choose runs" in stage.text()
        await stage.press("x", "m", "d", "e", "s", "l", "p")  # none of them has anything to do
        assert isinstance(stage.screen, CompareScreen)
        await stage.press("a")
        assert isinstance(stage.screen, RunPicker)

    play(Alone(lab), scene)


def test_an_empty_lab(lab, play):
    async def scene(stage):
        await stage.press("3")
        await stage.see("There are no runs yet.")
        assert "Press 4 to start" in stage.text()

    play(Alone(lab), scene)


def test_choosing_from_nothing_goes_on_with_the_curves(lab, trio, play):
    async def scene(stage):
        await stage.until(lambda: len(stage.app.snapshot.runs) == 3 and not stage.app.snapshot.loading)
        await stage.press("3", "a", "space", "space", "enter")
        await stage.until(lambda: isinstance(stage.screen, CompareScreen) and len(stage.screen.runs) == 2)
        await stage.press("left")
        assert chart(stage).cursor == 40.0

    play(Alone(lab), scene)


def test_no_more_runs_than_letters_are_taken(lab, make_run, play):
    runs = [make_run(f"run{index}").id for index in range(27)]

    async def scene(stage):
        await stage.until(lambda: len(stage.app.snapshot.runs) == 27)
        await stage.press("3", "a", *["space"] * 27)
        await stage.see("expected at most 26 runs, got 27; unmark another")
        assert len(stage.screen.marked) == 26
        await stage.press("enter")
        await stage.until(lambda: len(stage.app.marked) == 26)
        assert set(stage.app.marked) < set(runs)

    play(Alone(lab), scene)


def test_runs_without_curves(lab, make_run, play):
    runs = [make_run("one", cell={"type": "lstm"}).id, make_run("two", cell={"type": "rnn"}).id]

    async def scene(stage):
        await compare(stage, runs)
        assert "no curves yet" in stage.text()
        assert row(stage, "cell.type") == ["lstm", "rnn"]
        await stage.press("m", "x", "l", "s", "left")
        assert "no data yet" in stage.text()

    play(Alone(lab), scene)
