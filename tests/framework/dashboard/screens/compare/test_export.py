"""The CSV holds what the journals do."""

import csv
import json
import math
import time

import pytest

from rnnlab.dashboard.feed.follower import Follower
from rnnlab.dashboard.screens.compare_export import HEADER, write
from rnnlab.errors import InputError
from rnnlab.lab.events import Metrics
from rnnlab.lab.journal import Journal


def journal(run):
    """Every number of a run's journal that belongs to a curve, as the file has it."""
    found = set()
    for line in run.events_path.read_text().splitlines():
        record = json.loads(line)
        if record["event"] == "metrics":
            for metric, value in record["values"].items():
                if not metric.startswith("best/"):
                    found.add((run.id, metric, str(record["step"]), str(record["time"]), repr(float(value))))
    return found


@pytest.fixture
def snapshots(lab):
    """The runs of the lab, read whole."""

    def read():
        follower = Follower(lab, 0.01)
        follower.start()
        deadline = time.monotonic() + 20
        while not (runs := follower.snapshot().runs) or not all(run.complete for run in runs):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        follower.stop()
        return runs

    return read


def test_it_reads_back_as_the_journals(finished_run, snapshots, tmp_path):
    first, second = finished_run("first", steps=40), finished_run("sec,ond", steps=7)
    Journal(second.events_path).write(Metrics(step=9, values={"val/loss": math.nan, "train/loss": 1e-17}))
    path = tmp_path / "out.csv"
    assert write(path, snapshots(), replace=False) == 40 + 1 + 7 + 1 + 2
    with path.open(newline="") as file:
        lines = list(csv.reader(file))
    assert tuple(lines[0]) == HEADER == ("run", "metric", "step", "time", "value")
    assert len(lines) == 1 + 51
    assert {tuple(line) for line in lines[1:]} == journal(first) | journal(second)
    assert list(tmp_path.glob("*.part")) == []


def test_a_file_that_is_there_is_only_replaced_if_asked(finished_run, snapshots, tmp_path):
    finished_run(steps=3)
    path = tmp_path / "out.csv"
    path.write_text("mine")
    with pytest.raises(InputError, match="exists by now and is left as it is; name another file"):
        write(path, snapshots(), replace=False)
    assert path.read_text() == "mine"
    assert write(path, snapshots(), replace=True) == 4
    assert path.read_text().startswith("run,metric,step,time,value\n")


@pytest.mark.parametrize("replace", [False, True])
def test_what_cannot_be_written_is_one_line(finished_run, snapshots, tmp_path, replace):
    finished_run(steps=3)
    with pytest.raises(InputError) as error:
        write(tmp_path / "missing" / "out.csv", snapshots(), replace)
    wanted = f"{tmp_path}/missing/out.csv cannot be written (No such file or directory); name another file"
    assert str(error.value) == wanted


def test_nothing_is_left_of_a_file_that_failed(tmp_path):
    class Broken:
        id = "broken"

        @property
        def series(self):
            raise OSError(28, "No space left on device")

    with pytest.raises(InputError, match="No space left on device"):
        write(tmp_path / "out.csv", [Broken()], replace=False)  # pyright: ignore[reportArgumentType]
    assert list(tmp_path.iterdir()) == []
