"""The Runs screen: runs that other processes write as they live and die, and what is done to runs."""

import signal
import time

from rnnlab.dashboard.form.launch import Outcome

CRASH_SECONDS = 2.0


class Launcher:
    """Stands for the commands: notes what was asked for."""

    def __init__(self):
        self.asked = []

    def stop(self, run):
        self.asked.append(("stop", run.id))
        return Outcome(run.id)

    def resume(self, run):
        self.asked.append(("resume", run.id))
        return Outcome(run.id, "its checkpoints are gone")


class Page:
    """Stands for MLflow's UI."""

    def answers(self, run):
        return False

    def address(self, run):
        return f"http://127.0.0.1:5000/#/{run.id}"

    def close(self):
        pass


def test_a_killed_worker_is_shown_within_two_seconds(play, runs_app, make_run, writer):
    run = make_run("demo")
    process = writer(run, 0, 1000, 0.01)

    async def scene(stage):
        await stage.see("● running")
        process.send_signal(signal.SIGKILL)
        killed = time.monotonic()
        await stage.see("! crashed")
        assert time.monotonic() - killed < CRASH_SECONDS
        assert "its worker ended without a last word" in stage.text()

    play(runs_app, scene)


def test_a_run_that_ends_and_one_that_begins(play, runs_app, make_run, writer):
    process = writer(make_run("one"), 0, 50, 0.0, "wait")

    async def scene(stage):
        await stage.see("● running")
        process.communicate()  # its input ends, and so does it
        await stage.see("• finished")
        writer(make_run("two"), 0, 5, 0.0, "wait")
        await stage.until(lambda: [row.key[:3] for row in stage.screen.table.rows] == ["two", "one"])
        assert stage.screen.table.cursor_key.startswith("one")  # it stays on its run

    play(runs_app, scene)


def test_stop_asks_and_resume_tells_what_went_wrong(play, runs_app, make_run, writer):
    run = make_run("demo")
    process = writer(run, 0, 5, 0.0, "wait")
    runs_app.launcher = launcher = Launcher()

    async def scene(stage):
        await stage.see("● running")
        await stage.press("s")
        await stage.see(f"Stop {run.id}?")
        await stage.press("enter")  # No is in focus
        await stage.press("s", "y")
        await stage.told(f"{run.id} stopped")
        assert launcher.asked == [("stop", run.id)]
        process.kill()
        await stage.see("! crashed")
        await stage.press("s")
        await stage.told("cannot stop it")
        await stage.press("u")
        await stage.told("its checkpoints are gone")
        assert launcher.asked == [("stop", run.id), ("resume", run.id)]

    play(runs_app, scene)


def test_a_finished_run_is_deleted_after_a_question(play, runs_app, lab, three):
    record = lab.path / "mlflow.db"
    record.write_bytes(b"what MLflow has")

    async def scene(stage):
        await stage.loaded(3)
        await stage.press("space", "g", "x")
        await stage.see(f"Delete {three['c'].id}?")
        await stage.see("What MLflow has of it stays there.")
        await stage.press("n")
        assert three["c"].path.is_dir() and len(stage.app.screen_stack) == 1
        await stage.press("x", "y")
        await stage.told(f"{three['c'].id} deleted")
        await stage.until(lambda: [row.key[0] for row in stage.screen.table.rows] == ["b", "a"])
        assert not three["c"].path.exists()
        assert {run.id for run in lab.runs()} == {three["a"].id, three["b"].id}
        assert record.read_bytes() == b"what MLflow has"
        assert stage.app.marked == ()  # it was marked
        await stage.see("2 runs · newest first")

    play(runs_app, scene)


def test_a_running_run_is_not_deleted(play, runs_app, make_run, writer):
    run = make_run("demo")
    writer(run, 0, 5, 0.0, "wait")

    async def scene(stage):
        await stage.see("● running")
        await stage.press("x")
        await stage.told("stop it first")
        assert len(stage.app.screen_stack) == 1
        assert run.config_path.exists()

    play(runs_app, scene)


def test_a_run_that_began_while_the_question_stood_is_not_deleted(play, runs_app, three, writer):
    async def scene(stage):
        await stage.loaded(3)
        await stage.press("x")
        await stage.see(f"Delete {three['c'].id}?")
        writer(three["c"], 10, 12, 0.0, "wait")
        await stage.press("y")
        await stage.told("; stop it first")
        assert three["c"].events_path.exists()

    play(runs_app, scene)


def test_rerun_opens_launch_for_that_run(play, runs_app, three):
    opened = []
    runs_app.open_launch = lambda run_id=None: opened.append(run_id)

    async def scene(stage):
        await stage.loaded(3)
        await stage.press("j", "r", "n")
        assert opened == [three["b"].id, None]

    play(runs_app, scene)


def test_enter_opens_live(play, runs_app, three):
    async def scene(stage):
        await stage.loaded(3)
        await stage.press("j", "enter")
        await stage.until(lambda: stage.app.current_mode == "live")
        assert stage.app.current_run == three["b"].id

    play(runs_app, scene)


def test_mlflow(play, runs_app, three, monkeypatch):
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)

    async def scene(stage):
        await stage.loaded(3)
        await stage.press("o")
        await stage.told(f"MLflow does not have {three['c'].id}")
        stage.app._steering._page = Page()
        await stage.press("j", "o")
        await stage.told("Starting MLflow's UI")
        await stage.told("(copied to the clipboard)")
        assert stage.app.clipboard == f"http://127.0.0.1:5000/#/{three['b'].id}"

    play(runs_app, scene)


def test_the_name_is_copied(play, runs_app, three):
    async def scene(stage):
        await stage.loaded(3)
        await stage.press("y")
        assert stage.app.clipboard == three["c"].id

    play(runs_app, scene)
