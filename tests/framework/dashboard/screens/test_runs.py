"""The Runs screen: what it shows of a lab, and how runs are found, sorted and marked."""

import time

import pytest

from rnnlab.dashboard.app import Dashboard
from rnnlab.dashboard.screens.filter_line import FilterLine
from rnnlab.dashboard.screens.run_rows import RunRows, age, cut
from rnnlab.dashboard.widgets.glyphs import ASCII, UNICODE

SIZES = [(140, 40), (80, 24)]


def rows(stage):
    """Name, state, cell and validation loss of the table's rows."""
    return [
        (row.values["run"][0], row.values["state"], row.values["cell"], row.values["val/loss"])
        for row in stage.screen.table.rows
    ]


def names(stage):
    return "".join(row.key[0] for row in stage.screen.table.rows)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("glyphs", [UNICODE, ASCII])
def test_what_stands_on_the_screen(play, lab, three, size, glyphs):
    app = Dashboard(lab, glyphs=glyphs)

    async def scene(stage):
        await stage.loaded(3)
        await stage.see("0.125")
        lines = [line[: 80 if size[0] == 80 else 84].rstrip() for line in stage.lines()]
        assert lines[1] == "   filter, e.g. cell:lstm val/loss<0.3 -state:failed"
        assert lines[2] == f"   3 runs {glyphs.separator} newest first"
        assert lines[3].split()[:7] == ["run", "state", "cell", "hid", "val/loss", "trend", "score"]
        assert lines[3].endswith(glyphs.more)
        short = {name: f"{name}-{run.id[-4:]}" for name, run in three.items()}
        trend = {UNICODE: "█▄▃▂▁▁▁▁", ASCII: "@=-:...."}[glyphs]
        point = glyphs.point
        assert [line[:1] for line in lines[4:7]] == [glyphs.cursor, " ", " "]
        assert [line[1:].split()[:8] for line in lines[4:7]] == [
            [short["c"], point, "finished", "lstm", "64", "0.125", trend, "0.25"],
            [short["b"], point, "finished", "rnn", "64", "0.25", trend, "0.25"],
            [short["a"], point, "finished", "lstm", "64", "0.5", trend, "0.25"],
        ]
        heading, first = lines[3], lines[4]
        assert [heading.index(word) for word in ("run", "state", "cell", "trend")] == [
            first.index(text) for text in (short["c"], f"{point} finished", "lstm", trend)
        ]
        assert not any(line for line in lines[7:-1])
        lines[-1] = stage.lines()[-1]
        keys = [
            "space Mark",
            "/ Filter",
            "c Compare",
            "r Re-run",
            "s Stop",
            "u Resume",
            "x Delete",
            "o MLflow",
        ]
        assert all(f" {key} " in lines[-1] for key in keys) and lines[-1].endswith(" ? Help")
        assert ("Open" in lines[-1], "n New" in lines[-1]) == (size[0] == 140, size[0] == 140)
        text = stage.text()
        assert max(map(len, stage.lines())) <= size[0] and len(stage.lines()) == size[1]
        assert (three["c"].id in text) == (size[0] == 140)  # the preview's heading
        if glyphs is ASCII:
            assert text.isascii()

    play(app, scene, size)


def test_the_preview_says_what_the_table_does_not(play, runs_app, three):
    async def scene(stage):
        await stage.loaded(3)
        await stage.see(f" {three['c'].id}")
        await stage.see("took 00:00")
        facts = [line[86:].split() for line in stage.lines()[-13:-1]]
        assert ["finished", "step", "10/10", "took", "00:00"] in facts
        assert ["99", "parameters"] in facts
        assert ["lstm", "h64", "·", "tiny", "·", "torch/cpu", "·", "seed", "7"] in facts
        assert facts[-2:] == [["best", "val", "test"], ["loss", "0.5", "0.25"]]
        await stage.press("j")
        await stage.see(f" {three['b'].id}")

    play(runs_app, scene)


def test_filter(play, runs_app, three):
    async def scene(stage):
        await stage.loaded(3)
        await stage.press("j", "j", "slash")  # the cursor is on a
        await stage.type("cell:lstm val/loss<0.3")
        await stage.see("1 of 3 runs")
        assert rows(stage) == [("c", "• finished", "lstm", 0.125)]
        await stage.press("enter")
        assert stage.app.focused is stage.screen.table
        await stage.press("escape")
        await stage.see("3 runs · newest first")
        assert names(stage) == "cba"
        assert stage.screen.table.cursor_key == three["a"].id  # where it was before
        await stage.press("slash")
        await stage.type("-cell:rnn ")
        await stage.see("2 of 3 runs")
        await stage.press("escape")
        assert (names(stage), stage.app.focused is stage.screen.table) == ("cba", True)

    play(runs_app, scene)


@pytest.mark.parametrize("size", SIZES)
def test_a_filter_that_cannot_be_read(play, runs_app, three, size):
    async def scene(stage):
        await stage.loaded(3)
        await stage.press("slash")
        await stage.type("cell:lstm stat:x")
        await stage.see("expected a field, got 'stat'; did you mean 'state'?")
        await stage.press("escape", "slash")
        await stage.type("step<x")
        await stage.see("expected a number after '<', got 'x'; words can be compared with : and = only")
        assert names(stage) == ""  # of the word "step", the last that could be read
        await stage.press("backspace", "4")
        await stage.see("0 of 3 runs")
        await stage.press("0")
        await stage.see("3 runs · newest first")

    play(runs_app, scene, size)


def test_signs_can_be_typed_in_the_filter(play, runs_app, three):
    async def scene(stage):
        await stage.loaded(3)
        await stage.press("slash")
        await stage.press("slash", "x", "s", "q", "1", "question_mark")
        assert stage.screen.query_one(FilterLine).value == "/xsq1?"
        assert stage.app.current_mode == "runs"
        assert "Filter" not in stage.lines()[-1]

    play(runs_app, scene)


@pytest.mark.parametrize("size", SIZES)
def test_any_column_can_be_sorted_by_and_is_seen(play, runs_app, three, size):
    async def scene(stage):
        await stage.loaded(3)
        table = stage.screen.table
        for column in [column for column in table.columns if column.sortable]:
            await stage.press("greater_than_sign")
            await stage.see(f" · by {column.key}")
            assert table.sort_column == column.key
            assert f"{column.heading}▲" in stage.lines()[3]
            await stage.press("i")
            assert f"{column.heading}▼" in stage.lines()[3]
            assert f"by {column.key}, falling" in stage.lines()[2]
        await stage.press("greater_than_sign")  # round: by name
        assert (names(stage), "run▲" in stage.lines()[3]) == ("abc", True)
        for _ in range(4):
            await stage.press("greater_than_sign")
        assert (table.sort_column, names(stage)) == ("val/loss", "cba")
        await stage.press("i")
        assert names(stage) == "abc"

    play(runs_app, scene, size)


def test_states_are_sorted_by_how_much_they_need_a_look(play, runs_app, three, writer, make_run):
    writer(make_run("d"), 0, 1, 0.0, "wait")
    make_run("e").write_status(state="failed", reason="out of memory")

    async def scene(stage):
        await stage.until(lambda: len(stage.app.snapshot.runs) == 5)
        await stage.press("greater_than_sign", "greater_than_sign")
        assert names(stage)[:2] == "de"
        assert "! failed" in stage.text() and "● running" in stage.text()

    play(runs_app, scene)


def test_keys_pressed_at_once_are_all_heeded(play, runs_app, three):
    async def scene(stage):
        await stage.loaded(3)
        for key in ("space", "space", "c"):
            stage.app.simulate_key(key)
        await stage.until(lambda: stage.app.current_mode == "compare")
        assert len(stage.app.marked) == 2

    play(runs_app, scene)


def test_marks_keep_their_order_and_open_compare(play, runs_app, three):
    async def scene(stage):
        await stage.loaded(3)
        await stage.press("c")
        await stage.told("Mark two runs or more with space")
        await stage.press("G", "space", "g", "space")
        await stage.see("3 runs · 2 marked")
        assert stage.app.marked == (three["a"].id, three["c"].id)
        assert [line[:5] for line in stage.lines()[4:7]] == [" ● c-", "▸  b-", " ● a-"]
        await stage.see("val/loss, 2 marked")  # over the preview's curves
        await stage.press("c")
        await stage.until(lambda: stage.app.current_mode == "compare")
        assert stage.app.marked == (three["a"].id, three["c"].id)
        await stage.press("1")
        await stage.until(lambda: stage.app.current_mode == "runs")
        await stage.press("m")
        assert (stage.app.marked, stage.screen.table.marks) == ((), frozenset())

    play(runs_app, scene)


def test_without_runs(play, runs_app, lab):
    async def scene(stage):
        await stage.see("no runs yet; n starts one in ")
        await stage.see("0 runs")
        await stage.press("s")
        await stage.told("There is no run here")

    play(runs_app, scene)


def test_every_key_has_a_name_and_says_what_it_does(play, runs_app):
    async def scene(stage):
        await stage.see("0 runs")
        bindings = [active.binding for active in stage.screen.active_bindings.values()]
        own = [binding for binding in bindings if binding.id and binding.id.startswith(("runs.", "table."))]
        assert len({binding.id for binding in own}) >= 22
        assert all(binding.tooltip for binding in own)

    play(runs_app, scene)


def test_rows_are_made_anew_for_changed_runs_only(play, runs_app, three):
    async def scene(stage):
        await stage.loaded(3)
        runs = stage.app.snapshot.runs
        table = RunRows(UNICODE)
        first = table.of(runs)
        again = table.of((*runs[1:], runs[0]))
        assert all(one is other for one, other in zip((*first[1:], first[0]), again, strict=True))

    play(runs_app, scene)


def test_a_long_name_keeps_both_ends():
    assert cut("digits-lstm-81f3", UNICODE) == "digits-lstm-81f3"
    assert cut("a-name-that-is-rather-long-lstm-4994", UNICODE) == "a-name-that-…tm-4994"
    assert len(cut("x" * 21, ASCII)) == 20


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0s"), (59, "59s"), (61, "1m"), (7300, "2h"), (200_000, "2d")]
)
def test_age(seconds, text):
    assert age(int(1000 * (time.time() - seconds))) == text
