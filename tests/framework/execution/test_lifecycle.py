"""Lifecycle hooks in a real run: called in order; one that raises stops nothing."""

import json

from rnnlab.lab.events import Message, RunEnded
from rnnlab.lab.journal import read

PLUGIN = """
import json
from pathlib import Path
from rnnlab.api import hookimpl

def note(run, **what):
    with (run.path / "heard.jsonl").open("a") as file:
        file.write(json.dumps(what) + "\\n")

@hookimpl
def rnnlab_run_start(run):
    note(run, hook="run_start", cell=run.config["cell"]["type"])

@hookimpl
def rnnlab_interval(run, step, metrics):
    raise ValueError(f"not at step {step}")

@hookimpl
def rnnlab_eval_end(run, split, step, metrics):
    note(run, hook="eval_end", split=split, step=step, keys=sorted(metrics))

@hookimpl
def rnnlab_checkpoint(run, path, step):
    note(run, hook="checkpoint", step=step, whole=(path / "model.safetensors").exists())

@hookimpl
def rnnlab_run_end(run, state, reason):
    note(run, hook="run_end", state=state)
"""


def test_hooks_hear_of_a_run_and_cannot_break_it(launch, wait, tmp_path, monkeypatch):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "listener.py").write_text(PLUGIN)
    monkeypatch.setenv("RNNLAB_PLUGINS_DIR", str(tmp_path / "mine"))
    run, executor, handle = launch("digits-rows", "training.max_steps=2")
    wait(executor, handle)
    assert run.state == "finished", run.log_path.read_text()
    heard = [json.loads(line) for line in (run.path / "heard.jsonl").read_text().splitlines()]
    keys = ["accuracy", "loss", "macro_f1"]
    assert heard == [
        {"hook": "run_start", "cell": "lstm"},
        {"hook": "eval_end", "split": "val", "step": 2, "keys": keys},
        {"hook": "checkpoint", "step": 2, "whole": True},
        {"hook": "eval_end", "split": "test", "step": 2, "keys": keys},
        {"hook": "run_end", "state": "finished"},
    ]
    events = list(read(run.events_path))
    warnings = [event.text for event in events if isinstance(event, Message)]
    assert [("ValueError: not at step" in text, "the run goes on" in text) for text in warnings] == [
        (True, True)
    ] * 2
    assert isinstance(events[-1], RunEnded)
