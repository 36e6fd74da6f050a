"""Run folders: states as they are, found by name, status replaced in one step."""

import os
import subprocess
import sys

import pytest

from rnnlab.errors import InputError
from rnnlab.lab import liveness
from rnnlab.lab.lab import Lab
from rnnlab.lab.run import Run, write_json


@pytest.fixture
def lab(tmp_path):
    return Lab(tmp_path / "runs")


def make(lab, name):
    run = lab.create_run(name)
    run.config_path.write_text("name: x\n")
    return run


HOLD = """
import sys
from pathlib import Path
from rnnlab.lab import liveness
assert liveness.acquire(Path(sys.argv[1])) is not None
print("held", flush=True)
sys.stdin.read()
"""


ASK = """
import sys
from pathlib import Path
from rnnlab.lab import liveness
print(liveness.holder(Path(sys.argv[1])))
"""


@pytest.fixture
def holder():
    processes = []

    def hold(run):
        process = subprocess.Popen(
            [sys.executable, "-c", HOLD, str(run.lock_path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        processes.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        return process

    yield hold
    for process in processes:
        process.kill()
        process.communicate()


def test_state_follows_the_lock_and_the_last_word(lab, holder):
    run = make(lab, "digits")
    assert run.state == "created"
    run.write_status(state="running")
    process = holder(run)
    assert (run.state, run.pid) == ("running", process.pid)
    assert liveness.acquire(run.lock_path) is None
    process.kill()
    process.wait()
    assert (run.state, run.pid) == ("crashed", 0)
    run.write_status(state="finished")
    assert run.state == "finished"


def test_a_process_that_asks_about_its_own_lock_keeps_it(lab):
    run = make(lab, "digits")
    lock = liveness.acquire(run.lock_path)
    assert lock is not None
    assert liveness.acquire(run.lock_path) is None
    assert (run.pid, run.state) == (os.getpid(), "running")
    command = [sys.executable, "-c", ASK, str(run.lock_path)]
    assert int(subprocess.check_output(command)) == os.getpid()
    lock.release()
    assert int(subprocess.check_output(command)) == 0
    assert run.pid == 0


def test_status_fields_are_merged_and_never_half_written(lab):
    run = make(lab, "digits")
    run.write_status(state="running", step=3)
    run.write_status(step=4)
    assert run.status == {"state": "running", "step": 4}
    assert list(run.path.glob(".status*")) == []


def test_broken_status_reads_as_empty(tmp_path):
    run = Run(tmp_path)
    run.status_path.write_text('{"state": "run')
    assert run.status == {}
    write_json(run.status_path, {"a": 1})
    assert run.status == {"a": 1}


def test_runs_are_found_by_id_prefix_path_and_latest(lab):
    first, second = make(lab, "digits"), make(lab, "stress")
    assert lab.find(first.id).path == first.path
    assert lab.find("dig").path == first.path
    assert lab.find(str(second.path)).path == second.path
    assert lab.find("latest").path == second.path
    assert [run.id for run in lab.runs()] == [first.id, second.id]


def test_a_run_that_is_not_there_is_named_with_the_nearest(lab):
    with pytest.raises(InputError, match="has no runs; start one"):
        lab.find("digits")
    run = make(lab, "digits")
    with pytest.raises(InputError, match=f"did you mean '{run.id}'"):
        lab.find(run.id[:-4] + "zzzz")
    make(lab, "digits")
    with pytest.raises(InputError, match="begins 2 runs"):
        lab.find("digits")


def test_a_thousand_runs_of_one_second_get_names_of_their_own(lab):
    names = {lab.create_run("x").id for _ in range(1000)}
    assert len(names) == 1000
