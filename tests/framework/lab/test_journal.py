"""The journal: whole lines, exact values, no point twice after a resume, nothing lost to a kill."""

import json
import math
import signal
import subprocess
import sys

import pytest

from rnnlab.lab.events import Gates, Message, Metrics, RunEnded, RunStarted, Samples, from_line, to_line
from rnnlab.lab.journal import Journal, Tail, read


@pytest.fixture
def path(tmp_path):
    return tmp_path / "events.jsonl"


def test_every_event_survives_the_round_trip():
    events = [
        RunStarted(step=0, time=1, pid=7, total_steps=9, data={"name": "digits"}, baselines={"m": 0.1}),
        Metrics(step=3, time=2, values={"train/loss": 0.25}, epoch=0.5),
        Samples(step=3, time=3, split="val", items=[{"source": "猫", "target": "māo", "prediction": "?"}]),
        Gates(
            step=3,
            time=3,
            split="val",
            source="a b",
            layers=[
                {"layer": 0, "direction": 1, "units": [0, 7], "gates": {"i": [[0.125, 1.0]], "h": [[-1.0]]}}
            ],
        ),
        Message(step=4, time=4, level="warning", text="a\nb"),
        RunEnded(step=5, time=5, state="finished", scores={"test/accuracy": 1.0}),
    ]
    assert [from_line(to_line(event)) for event in events] == events


def test_numbers_json_lacks_are_kept():
    line = to_line(Metrics(step=1, values={"nan": math.nan, "inf": math.inf, "-inf": -math.inf}))
    json.loads(line, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
    event = from_line(line)
    assert isinstance(event, Metrics)
    assert math.isnan(event.values["nan"])
    assert (event.values["inf"], event.values["-inf"]) == (math.inf, -math.inf)


def test_a_reopened_journal_adds_no_second_point(path):
    journal = Journal(path)
    for step in (10, 20, 30):
        journal.write(Metrics(step=step, values={"train/loss": float(step)}))
    journal.close()
    resumed = Journal(path)
    for step in (20, 30, 40):
        resumed.write(Metrics(step=step, values={"train/loss": -1.0, "val/loss": float(step)}))
    points = [(e.step, dict(e.values)) for e in read(path) if isinstance(e, Metrics)]
    assert points == [
        (10, {"train/loss": 10.0}),
        (20, {"train/loss": 20.0}),
        (30, {"train/loss": 30.0}),
        (20, {"val/loss": 20.0}),
        (30, {"val/loss": 30.0}),
        (40, {"train/loss": -1.0, "val/loss": 40.0}),
    ]


def test_a_torn_last_line_is_cut_off_on_reopening(path):
    journal = Journal(path)
    journal.write(Message(level="info", text="whole"))
    journal.close()
    with path.open("ab") as file:
        file.write(b'{"event":"message","te')
    Journal(path).write(Message(level="info", text="after"))
    assert [event.text for event in read(path) if isinstance(event, Message)] == ["whole", "after"]


def test_tail_waits_for_the_end_of_a_line(path):
    tail = Tail(path)
    assert tail.poll() == []
    line = to_line(Message(level="info", text="x"))
    with path.open("wb", buffering=0) as file:
        file.write(line[:9])
        assert tail.poll() == []
        file.write(line[9:])
        assert len(tail.poll()) == 1
    assert tail.poll() == []


def test_tail_counts_lines_it_cannot_read_and_goes_on(path):
    path.write_bytes(
        b'{"half\n' + to_line(Message(level="info", text="x")) + b'{"event":"from_the_future"}\n'
    )
    tail = Tail(path)
    assert len(tail.poll()) == 1
    assert tail.unreadable == 2


@pytest.mark.parametrize("line", [b'{"event":"message"}', b'{"event":"metrics","values":3}', b"[]", b"7"])
def test_an_event_that_lacks_its_fields_is_unreadable(line):
    assert from_line(line) is None


def test_unknown_events_are_not_the_end_of_a_journal(path):
    future = b'{"event":"from_the_future","text":"%s"}\n' % (b"x" * 500)
    path.write_bytes(future * 10 + to_line(Message(level="info", text="after")))
    tail = Tail(path)
    (event,) = tail.poll(limit=1000)
    assert isinstance(event, Message)
    assert (event.text, tail.unreadable, tail.poll()) == ("after", 10, [])


@pytest.mark.parametrize("replaced", [False, True], ids=["cut short", "replaced"])
def test_a_journal_that_became_another_is_read_from_its_start(path, replaced):
    path.write_bytes(b"".join(to_line(Message(time=k, level="info", text="old")) for k in range(9)))
    tail = Tail(path)
    assert len(tail.poll()) == 9
    new = b"".join(to_line(Message(time=k, level="info", text="new")) for k in range(20))
    other = path.with_name("other")
    other.write_bytes(new)
    if replaced:
        other.replace(path)
    else:
        path.write_bytes(new[:10])
        assert tail.poll() == []
        path.write_bytes(new)
    events = tail.poll()
    assert [event.text for event in events if isinstance(event, Message)] == ["new"] * 20
    assert tail.restarts >= 1


def test_tail_reads_a_line_longer_than_its_limit(path):
    path.write_bytes(to_line(Message(level="info", text="x" * 5000)))
    (event,) = Tail(path).poll(limit=100)
    assert isinstance(event, Message)
    assert len(event.text) == 5000


def test_a_killed_writer_loses_nothing_it_wrote(path):
    code = """
import sys
from pathlib import Path
from rnnlab.lab.events import Metrics
from rnnlab.lab.journal import Journal
journal = Journal(Path(sys.argv[1]))
step = 0
while True:
    step += 1
    journal.write(Metrics(step=step, values={"x": float(step)}))
    print(step, flush=True)
"""
    command = [sys.executable, "-c", code, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        while int(writer.stdout.readline()) < 200:
            pass
        writer.send_signal(signal.SIGKILL)
        said = writer.stdout.read().split("\n")
    last = int(said[-2]) if len(said) > 1 else 200
    steps = [event.step for event in read(path)]
    assert steps == list(range(1, len(steps) + 1))
    assert len(steps) >= last
