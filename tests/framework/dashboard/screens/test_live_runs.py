"""Live, while other processes write the runs it shows."""

from __future__ import annotations

import shutil

from rnnlab.dashboard.app import Dashboard
from rnnlab.dashboard.screens.live_charts import LiveCharts
from rnnlab.dashboard.screens.run_line import RunLine


def steps_drawn(stage) -> list[float]:
    lines = stage.screen.query_one(LiveCharts).big.lines
    return lines[0].x.tolist() if lines else []


async def opened(stage, run):
    await stage.until(lambda: stage.app.snapshot.find(run.id) is not None)
    stage.app.open_live(run.id)
    await stage.until(lambda: stage.app.current_mode == "live" and stage.screen.run is not None)


def test_a_run_moves_until_it_ends(lab, make_run, writer, play):
    run = make_run("moving")
    process = writer(run, 0, 400, 0.005, "wait")

    async def scene(stage):
        await opened(stage, run)
        await stage.see("● moving")
        await stage.until(lambda: steps_drawn(stage))
        first = len(steps_drawn(stage))
        await stage.until(lambda: len(steps_drawn(stage)) > first + 50)
        assert steps_drawn(stage) == list(range(1, len(steps_drawn(stage)) + 1))
        assert "ETA" in stage.lines()[2]
        assert "S Stop run" in stage.lines()[-1]
        await stage.until(lambda: len(steps_drawn(stage)) == 400)
        process.stdin.close()  # what it waits for
        process.stdin = None
        await stage.see("finished: done")
        assert "40%  step 400/1,000" in stage.text()
        assert "train 0.0025" in stage.text()
        await stage.until(lambda: "took 00:02" in stage.lines()[2])
        assert "S Stop run" not in stage.lines()[-1]

    play(Dashboard(lab), scene)


def test_a_pause_freezes_the_view_but_not_the_feed(lab, make_run, writer, play):
    run = make_run("paused")
    writer(run, 0, 600, 0.005, "wait")

    async def scene(stage):
        await opened(stage, run)
        await stage.until(lambda: steps_drawn(stage))
        await stage.press("space")
        frozen, head = steps_drawn(stage), stage.lines()[1:3]
        assert "PAUSED at " in stage.lines()[3]
        await stage.until(lambda: len(stage.app.snapshot.find(run.id).series["train/loss"]) == 600)
        assert steps_drawn(stage) == frozen
        assert len(frozen) < 600
        assert stage.lines()[1:3] == head
        await stage.press("space")
        assert len(steps_drawn(stage)) == 600
        assert "PAUSED" not in stage.text()

    play(Dashboard(lab), scene)


def test_another_run_ends_the_pause(lab, make_run, writer, finished_run, play):
    other = finished_run("other", steps=5)
    run = make_run("paused")
    writer(run, 0, 10, 0.0, "wait")

    async def scene(stage):
        await opened(stage, run)
        await stage.press("space")
        await stage.see("PAUSED at ")
        await stage.press("left_square_bracket")
        await stage.until(lambda: stage.screen.run.id == other.id)
        assert stage.screen.paused is None
        await stage.see("finished: done; test/loss 0.25")
        assert "PAUSED" not in stage.text()

    play(Dashboard(lab), scene)


def test_a_killed_run_is_shown_as_crashed(lab, make_run, writer, play):
    run = make_run("killed")
    process = writer(run, 0, 20, 0.0, "wait")

    async def scene(stage):
        await opened(stage, run)
        await stage.see("step 20/1,000")
        process.kill()
        await stage.see("crashed: its worker ended without a last word; u resumes at its last")
        assert f"! {run.id}  crashed" in stage.lines()[1]
        assert "u Resume" in stage.lines()[-1]
        assert "S Stop run" not in stage.lines()[-1]

    play(Dashboard(lab), scene, size=(80, 24))


def test_stopping_asks_first(lab, make_run, writer, play):
    run = make_run("asked")
    writer(run, 0, 5, 0.0, "wait")

    async def scene(stage):
        await opened(stage, run)
        await stage.see("S Stop run")
        await stage.press("S")
        await stage.see(f"Stop {run.id}?")
        await stage.press("n")
        await stage.until(lambda: stage.screen.query(RunLine))
        assert stage.app.snapshot.find(run.id).state == "running"

    play(Dashboard(lab), scene)


def test_a_deleted_run_gives_way_to_the_newest(lab, finished_run, play):
    gone, newest = finished_run("gone", steps=5), finished_run("newest", steps=7)

    async def scene(stage):
        await opened(stage, gone)
        await stage.see(f"• {gone.id}")
        await stage.press("space")
        shutil.rmtree(gone.path)
        await stage.see(f"• {newest.id}")
        await stage.until(lambda: len(steps_drawn(stage)) == 7)

    play(Dashboard(lab), scene)
