"""The feed on real folders: nothing lost, nothing twice, states as they are, snapshots that never change."""

import os
import shutil
import subprocess
import sys
import time

import numpy as np
import pytest

from rnnlab.lab import liveness
from rnnlab.lab.events import Gates, Message, Metrics, RunStarted, Samples, to_line
from rnnlab.lab.journal import Journal

LAYERS = [{"layer": 0, "direction": 0, "units": [0, 2], "gates": {"i": [[0.5, 1.0], [0.0, 0.25]]}}]


def only(follower):
    """The lab's one run, None before it is seen."""
    runs = follower.snapshot().runs
    return runs[0] if runs else None


def steps(run, key="train/loss"):
    return run.series[key].steps.tolist() if key in run.series else []


def write(run, *events):
    journal = Journal(run.events_path)
    for event in events:
        journal.write(event)
    journal.close()


def test_a_lab_that_is_not_there_is_empty_and_seen_when_it_comes(lab, follow, finished_run, until):
    follower = follow()
    until(lambda: follower.snapshot().version)
    assert follower.snapshot().runs == ()
    assert follower.snapshot().problem == ""
    run = finished_run()
    assert until(lambda: only(follower)).id == run.id
    shutil.rmtree(lab.path)
    until(lambda: follower.snapshot().runs == ())


def test_a_finished_run_is_complete(follow, finished_run, until):
    run = finished_run(steps=10)
    write(run, Samples(step=10, split="val", items=[{"source": "a", "target": "b", "prediction": "c"}]))
    follower = follow()
    until(lambda: only(follower) and only(follower).complete)
    seen = only(follower)
    assert (seen.id, seen.path, seen.state, seen.reason) == (run.id, run.path, "finished", "done")
    assert (seen.step, seen.total_steps, seen.parameters, seen.backend) == (10, 10, 99, "torch")
    assert steps(seen) == list(range(1, 11))
    np.testing.assert_array_equal(seen.series["train/loss"].values, 1 / np.arange(1, 11))
    assert seen.series["train/loss"].times.min() >= seen.started.time
    assert set(seen.series) == {"train/loss", "val/loss"}
    assert seen.last["test/loss"] == 0.25
    assert seen.best == {"val/loss": 0.5}
    assert seen.score == ("test/loss", 0.25)
    assert seen.config["cell.type"] == "lstm"
    assert seen.config["stack.hidden_size"] == 64
    assert seen.config["stack.sizes"] == "[1, 2]"
    assert seen.samples.items[0]["prediction"] == "c"
    assert [line.text for line in seen.log][-2:] == ["val/loss 0.5", "finished: done"]
    assert seen.ended.scores == {"test/loss": 0.25}
    assert (seen.eta_seconds, seen.progress) == (None, 1.0)
    assert seen.created == run.config_path.stat().st_mtime_ns // 1_000_000


def test_runs_are_listed_newest_first(follow, finished_run, until):
    runs = [finished_run(f"run{k}") for k in range(3)]
    for age, run in enumerate(reversed(runs)):
        os.utime(run.config_path, (1_000_000 - age, 1_000_000 - age))
    follower = follow()
    until(lambda: len(follower.snapshot().runs) == 3)
    assert [seen.id for seen in follower.snapshot().runs] == [run.id for run in reversed(runs)]


def test_a_living_run_is_followed_to_its_end(follow, make_run, writer, until):
    run = make_run()
    follower = follow()
    assert until(lambda: only(follower)).state == "created"
    process = writer(run, 0, 200, 0.005)
    running = until(lambda: only(follower).state == "running" and only(follower).step > 20 and only(follower))
    until(lambda: only(follower).eta_seconds is not None)
    assert only(follower).eta_seconds > 0
    assert running.ended is None
    assert process.wait(30) == 0
    until(lambda: only(follower).state == "finished" and only(follower).complete)
    assert steps(only(follower)) == list(range(1, 201))
    assert only(follower).seconds == 2.0
    assert running.step < 200
    assert steps(running) == list(range(1, running.step + 1))


def test_a_killed_worker_is_crashed_within_two_seconds_and_can_be_resumed(follow, make_run, writer, until):
    run = make_run()
    follower = follow()
    process = writer(run, 0, 50, 0.0, "wait")
    until(lambda: only(follower) and only(follower).step == 50 and only(follower).state == "running")
    process.kill()
    killed = time.monotonic()
    until(lambda: only(follower).state == "crashed", 2.0)
    assert time.monotonic() - killed < 2.0
    assert "without a last word" in only(follower).reason
    # Resumed from an earlier checkpoint: the steps trained again add no second point.
    resumed = writer(run, 40, 80, 0.0, "wait")
    until(lambda: only(follower).state == "running" and only(follower).step == 80)
    assert steps(only(follower)) == list(range(1, 81))
    assert only(follower).started.resumed_from == 40
    assert len(only(follower).starts) == 2 and only(follower).starts[1] == only(follower).started.time
    resumed.communicate("")
    until(lambda: only(follower).state == "finished")
    assert only(follower).ended.reason == "done"
    assert [line.text.split(":")[0] for line in only(follower).log] == [
        "started",
        "resumed at step 40",
        "finished",
    ]


def test_a_finished_run_that_is_resumed_runs_again(follow, finished_run, writer, until):
    run = finished_run(steps=10)
    follower = follow()
    until(lambda: only(follower) and only(follower).complete)
    process = writer(run, 10, 20, 0.0, "wait")
    until(lambda: only(follower).state == "running" and only(follower).step == 20)
    assert only(follower).ended is None
    process.kill()
    until(lambda: only(follower).state == "crashed")
    assert only(follower).ended is None


def test_looking_at_a_lock_never_frees_it(follow, make_run, until):
    run = make_run()
    lock = liveness.acquire(run.lock_path)
    assert lock is not None
    run.write_status(state="running")
    follower = follow()
    until(lambda: only(follower) and only(follower).state == "running")
    code = "import sys, pathlib; from rnnlab.lab.run import Run; print(Run(pathlib.Path(sys.argv[1])).pid)"
    asked = subprocess.check_output([sys.executable, "-c", code, str(run.path)])
    lock.release()
    assert int(asked) == os.getpid()


def test_a_torn_last_line_is_read_when_it_is_whole(follow, make_run, until):
    run = make_run()
    write(run, Metrics(step=1, values={"x": 1.0}))
    follower = follow()
    until(lambda: only(follower) and steps(only(follower), "x") == [1])
    line = to_line(Metrics(step=2, time=5, values={"x": 2.0}))
    with run.events_path.open("ab", buffering=0) as file:
        file.write(line[:20])
        settled = until(lambda: only(follower).complete and only(follower))
        assert steps(settled, "x") == [1]
        file.write(line[20:])
    until(lambda: steps(only(follower), "x") == [1, 2])
    assert only(follower).series["x"].times[1] == 5


@pytest.mark.parametrize("how", ["truncated", "replaced", "removed"])
def test_another_journal_is_read_from_its_start(follow, make_run, until, how):
    run = make_run()
    write(run, *(Metrics(step=step, values={"x": 1.0}) for step in range(1, 6)))
    follower = follow()
    until(lambda: only(follower) and steps(only(follower), "x") == [1, 2, 3, 4, 5])
    new = b"".join(to_line(Metrics(step=step, time=step, values={"x": 2.0})) for step in range(3, 30))
    if how == "truncated":
        os.truncate(run.events_path, 0)
        with run.events_path.open("ab") as file:
            file.write(new)
    elif how == "replaced":
        other = run.path / "other"
        other.write_bytes(new)
        other.replace(run.events_path)
    else:
        run.events_path.unlink()
        until(lambda: steps(only(follower), "x") == [])
        run.events_path.write_bytes(new)
    until(lambda: steps(only(follower), "x") == list(range(3, 30)))
    assert set(only(follower).series["x"].values) == {2.0}


def test_a_deleted_run_leaves_the_list(follow, finished_run, until):
    kept, deleted = finished_run("kept"), finished_run("deleted")
    follower = follow()
    until(lambda: len(follower.snapshot().runs) == 2)
    shutil.rmtree(deleted.path)
    until(lambda: [run.id for run in follower.snapshot().runs] == [kept.id])
    kept.config_path.unlink()
    until(lambda: follower.snapshot().runs == ())
    assert follower.snapshot().problem == ""


def test_snapshots_never_change_and_are_the_same_while_nothing_does(follow, make_run, finished_run, until):
    finished, run = finished_run("finished"), make_run("other")
    write(run, Metrics(step=1, values={"x": 1.0}))
    follower = follow()
    until(lambda: follower.snapshot().runs and follower.snapshot().loading == 0)
    before = follower.snapshot()
    write(run, Metrics(step=2, values={"x": 2.0}))
    until(lambda: follower.snapshot().find(run.id).step == 2)
    after = follower.snapshot()
    assert after.version > before.version
    assert after.find(finished.id) is before.find(finished.id)
    assert after.find(run.id).version > before.find(run.id).version
    assert steps(before.find(run.id), "x") == [1]
    with pytest.raises(ValueError, match="read-only"):
        after.find(run.id).series["x"].values[0] = 3.0
    with pytest.raises(TypeError):
        after.find(run.id).last["x"] = 3.0


def test_gates_are_those_of_focused_runs_and_the_latest(follow, make_run, until):
    run = make_run()
    write(run, Gates(step=1, split="val", layers=LAYERS), Gates(step=2, split="val", layers=LAYERS))
    write(run, Message(step=2, level="info", text="end"))
    follower = follow()
    until(lambda: only(follower) and only(follower).log)
    assert only(follower).gates is None
    follower.focus([run.id])
    assert until(lambda: only(follower).gates).step == 2
    assert only(follower).gates.layers == LAYERS
    write(run, Gates(step=3, split="val", source="a b", layers=LAYERS))
    until(lambda: only(follower).gates.step == 3)
    assert only(follower).gates.source == "a b"
    follower.focus([])
    until(lambda: only(follower).gates is None)


def test_little_memory_keeps_coarse_curves_and_focus_brings_all_back(follow, finished_run, until):
    runs = [finished_run(f"run{k}", steps=1000) for k in range(3)]
    follower = follow(memory=30_000)
    until(lambda: follower.snapshot().runs and follower.snapshot().loading == 0)
    until(lambda: all(len(run.series["train/loss"]) == 256 for run in follower.snapshot().runs))
    for seen in follower.snapshot().runs:
        assert not seen.complete
        assert steps(seen)[::255] == [1, 1000]
    follower.focus([runs[0].id])
    until(lambda: steps(follower.snapshot().find(runs[0].id)) == list(range(1, 1001)))
    follower.focus([])
    until(lambda: len(steps(follower.snapshot().find(runs[0].id))) == 256)


def test_what_one_run_holds_does_not_hide_the_others(follow, make_run, finished_run, until):
    broken, odd, sound = make_run("broken"), make_run("odd"), finished_run("sound")
    mad = make_run("mad")
    mad.events_path.write_bytes(
        b'{"event":"run_started","pid":1,"total_steps":3,"baselines":{},"monitor":{}}\n'
    )
    broken.config_path.write_text("a: [")
    odd.status_path.write_text('{"state": 3, "step": "x", "scores": {"a": "nan", "b": []}}')
    odd.events_path.write_bytes(b'{"event":"metrics","values":3}\n{"event":"message"}\n[]\n\xff\n')
    follower = follow()
    until(lambda: len(follower.snapshot().runs) == 4 and follower.snapshot().loading == 0)
    snapshot = follower.snapshot()
    assert snapshot.problem == ""
    assert "config.yaml cannot be read" in snapshot.find(broken.id).problem
    assert (snapshot.find(odd.id).state, snapshot.find(odd.id).step) == ("created", 0)
    assert list(snapshot.find(odd.id).last) == ["a"]
    assert snapshot.find(sound.id).score == ("test/loss", 0.25)
    assert snapshot.find(mad.id).state == "created"
    with mad.events_path.open("ab") as file:
        file.write(b'{"event":"metrics","step":"x","values":{"train/loss":1}}\n')
    until(lambda: "TypeError" in follower.snapshot().find(mad.id).problem)
    broken.config_path.write_text("name: mended\n")
    until(lambda: follower.snapshot().find(broken.id).config == {"name": "mended"})
    assert follower.snapshot().find(broken.id).problem == ""


def test_changes_are_told_in_order(follow, finished_run, until):
    finished_run()
    told = []
    follower = follow(on_change=told.append)
    until(lambda: follower.snapshot().runs and follower.snapshot().runs[0].complete)
    follower.stop()
    assert [snapshot.version for snapshot in told] == list(range(1, len(told) + 1))
    assert told[-1] is follower.snapshot()


def test_the_machine_is_measured(follow, until):
    follower = follow()
    system = until(lambda: follower.snapshot().system.memory_total_bytes and follower.snapshot().system)
    assert 0 < system.memory_bytes < system.memory_total_bytes
    assert 0 <= system.cpu_percent <= 100


def test_a_start_near_the_end_of_a_long_journal_is_summarised_first(lab, finished_run):
    from rnnlab.dashboard.feed.watched import WatchedRun

    run = finished_run(steps=2000)
    write(run, RunStarted(step=2000, pid=1, resumed_from=2000, total_steps=3000))
    watched = WatchedRun(run)
    watched.observe()
    watched.summarise()
    seen = watched.snapshot()
    assert (seen.complete, seen.series) == (False, {})
    assert seen.total_steps == 3000
    assert seen.ended is None
    assert seen.last["test/loss"] == 0.25


def test_the_feed_imports_nothing_heavy():
    code = (
        "import sys, rnnlab.dashboard.feed.follower, rnnlab.dashboard.feed.query\n"
        "heavy = {'torch', 'mlflow', 'pandas', 'pydantic', 'textual', 'psutil'} & sys.modules.keys()\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
