"""Real runs in processes of their own: stopped, killed, resumed, failed."""

import math
import os
import signal
import time

import pytest
import torch
from safetensors.torch import load_file

from rnnlab.errors import InputError
from rnnlab.execution.launch import resume, stop
from rnnlab.lab.events import Checkpoint, Metrics, RunEnded, RunStarted, Samples
from rnnlab.lab.journal import read

PATIENCE = 120.0


def wait_for_step(run, step):
    """Until the journal holds a training metric at `step` or later."""
    deadline = time.monotonic() + PATIENCE
    while not (run.events_path.exists() and any(e.step >= step for e in read(run.events_path))):
        assert time.monotonic() < deadline, run.log_path.read_text()
        time.sleep(0.01)


def resume_whatever_its_state(run, executor):
    """Submit a run again, a finished one too."""
    return executor, executor.submit(run.path)


def curve(run, key="train/loss"):
    """step -> value, with no step twice."""
    metrics = (event for event in read(run.events_path) if isinstance(event, Metrics))
    points = [(event.step, event.values[key]) for event in metrics if key in event.values]
    assert len(points) == len(dict(points))
    return dict(points)


def weights(run):
    return load_file(run.checkpoints / "last" / "model.safetensors")


def test_a_run_from_start_to_scores(launch, wait):
    run, executor, handle = launch("digits-rows", "training.epochs=3", "seed=1")
    assert wait(executor, handle) == 0, run.log_path.read_text()
    events = list(read(run.events_path))
    started, ended = events[0], events[-1]
    assert isinstance(started, RunStarted)
    assert (started.backend, started.device, started.threads) == ("torch", "cpu", 1)
    assert started.total_steps == 24
    assert started.data["examples"]["train"] == 256
    assert isinstance(ended, RunEnded)
    assert ended.state == "finished"
    assert set(ended.scores) == {"test/loss", "test/accuracy", "test/macro_f1"}
    assert run.status["scores"]["test/accuracy"] == ended.scores["test/accuracy"]
    assert sorted(curve(run)) == list(range(1, 25))
    assert sorted(curve(run, "val/accuracy")) == [8, 16, 24]
    best = max(curve(run, "val/accuracy").values())
    assert max(curve(run, "best/accuracy").values()) == best
    assert [e.step for e in events if isinstance(e, Checkpoint)] == [8, 16, 24]
    assert [len(e.items) for e in events if isinstance(e, Samples)] == [2, 2, 2, 2]
    assert run.state == "finished"


def test_the_resolved_config_runs_again_exactly(launch, wait, registry):
    first, executor, handle = launch("digits-rows", "training.max_steps=10")
    assert wait(executor, handle) == 0
    again, executor, handle = launch(str(first.config_path))
    assert wait(executor, handle) == 0
    assert again.config == first.config
    assert curve(again) == curve(first)


@pytest.mark.parametrize("how", ["stopped", "killed"])
def test_an_interrupted_run_ends_as_if_it_had_not_been(launch, wait, registry, how):
    plan = ("digits-rows", "training.epochs=40", "stack.num_layers=2", "stack.dropout=0.2")
    whole, executor, handle = launch(*plan)
    assert wait(executor, handle) == 0
    run, executor, handle = launch(*plan, "training.eval_every=6", "training.samples=0")
    wait_for_step(run, 13)
    if how == "stopped":
        stop(run, registry)
        assert wait(executor, handle) == 0
        assert run.state == "stopped"
    else:
        os.kill(run.pid, signal.SIGKILL)
        assert wait(executor, handle) == -signal.SIGKILL
        assert run.state == "crashed"
    executor, handle = resume(run, registry)
    assert wait(executor, handle) == 0, run.log_path.read_text()
    assert run.state == "finished"
    resumed = [e.resumed_from for e in read(run.events_path) if isinstance(e, RunStarted)]
    assert resumed[0] is None
    assert resumed[1] is not None and resumed[1] >= 12
    assert curve(run) == curve(whole)
    torch.testing.assert_close(weights(run), weights(whole), rtol=0, atol=0)


def test_a_loss_that_is_not_a_number_ends_the_run_and_keeps_the_checkpoint(launch, wait):
    run, executor, handle = launch(
        "digits-rows",
        "cell=rnn",
        "cell.nonlinearity=relu",
        "training.optimizer=sgd",
        "training.learning_rate=1e25",
        "training.clip_grad_norm=null",
        "training.eval_every=1",
        "training.epochs=20",
        "training.schedule=constant",
    )
    assert wait(executor, handle) == 1
    assert run.state == "failed"
    assert "the loss is not finite" in run.status["reason"]
    assert "start again with a lower training.learning_rate" in run.status["reason"]
    ended = list(read(run.events_path))[-1]
    assert isinstance(ended, RunEnded)
    assert (ended.state, ended.reason) == ("failed", run.status["reason"])
    assert all(math.isfinite(value) for value in curve(run, "val/loss").values())
    # Trained further until it diverges, from a checkpoint that was good: that one is still there, and good.
    config = run.config_path.read_text()
    assert "learning_rate: 1.0e+25" in config
    sane, executor, handle = launch(
        str(run.config_path), "training.learning_rate=0.01", "training.max_steps=2"
    )
    assert wait(executor, handle) == 0
    good = weights(sane)
    sane.config_path.write_text(config)
    executor, handle = resume_whatever_its_state(sane, executor)
    assert wait(executor, handle) == 1
    assert "the loss is not finite" in sane.status["reason"]
    torch.testing.assert_close(weights(sane), good, rtol=0, atol=0)


def test_wrong_data_is_bad_input(launch, wait, tmp_path):
    broken = tmp_path / "train.txt"
    broken.write_text("DESC:manner how ?\nno label here\n")
    files = (f"dataset.train={broken}", f"dataset.test={broken}", "dataset.limit=null")
    run, executor, handle = launch("trec", *files)
    assert wait(executor, handle) == 2
    assert run.state == "failed"
    assert f"{broken}:2" in run.status["reason"] or "line 2" in run.status["reason"]
    assert "Traceback" not in run.log_path.read_text()


def test_one_worker_per_run(launch, wait, registry):
    run, executor, handle = launch("digits-rows", "training.epochs=100")
    wait_for_step(run, 1)
    with pytest.raises(InputError, match="is running"):
        resume(run, registry)
    second = executor.submit(run.path)
    assert wait(executor, second) == 2
    stop(run, registry)
    assert wait(executor, handle) == 0


def test_a_finished_run_is_not_resumed(launch, wait, registry):
    run, executor, handle = launch("digits-rows", "training.max_steps=1")
    assert wait(executor, handle) == 0
    with pytest.raises(InputError, match=r"is finished; to train longer .* training\.epochs=N"):
        resume(run, registry)
    with pytest.raises(InputError, match="not running; nothing to stop"):
        stop(run, registry)


def test_backends_give_the_same_curve(launch, wait):
    curves = []
    for backend in ("reference", "torch"):
        run, executor, handle = launch("digits-rows", f"backend={backend}", "training.max_steps=20", "seed=3")
        assert wait(executor, handle) == 0, run.log_path.read_text()
        curves.append(curve(run))
    steps = range(1, 21)
    assert [curves[0][s] for s in steps] == pytest.approx([curves[1][s] for s in steps], rel=1e-4)


def test_early_stopping_names_its_reason(launch, wait):
    run, executor, handle = launch(
        "digits-rows", "training.epochs=50", "training.patience=2", "training.learning_rate=1e-9"
    )
    assert wait(executor, handle) == 0
    assert run.status["reason"] == "no better accuracy in 2 evaluations"
    assert run.status["step"] < 400
