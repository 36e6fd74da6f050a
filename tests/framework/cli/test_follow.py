"""The lines of a run that is followed."""

import pytest
import yaml

from rnnlab.cli.follow import Following, _mlflow, describe_event
from rnnlab.lab.events import RunStarted
from rnnlab.lab.run import Run
from rnnlab.tracking.record import Record

REASONS = {
    "torch: 1.3 ms a step against reference 4 (measured here, 32 rows of 8); compiled was not tried": (
        "torch (1.3 ms a step)"
    ),
    "torch: 0.8 ms a step (measured here, 32 rows of 8)": "torch (0.8 ms a step)",
    "torch: requested": "torch (requested)",
    "torch: triton cannot run lstm on cpu in float32 (kernels need a GPU)": (
        "torch (triton cannot run lstm on cpu in float32)"
    ),
    "encoder torch: requested; decoder torch: 2 ms a step": "torch",
    "": "torch",
}


@pytest.fixture
def run(tmp_path):
    run = Run(tmp_path / "digits-lstm-1123-101010-abcd")
    run.path.mkdir()
    run.config_path.write_text(yaml.safe_dump({"tracking": {"enabled": True}}))
    return run


@pytest.mark.parametrize("reason", REASONS)
def test_the_first_line_says_the_backend_in_short(run, reason):
    started = RunStarted(
        step=0,
        pid=1,
        total_steps=20,
        parameters=19594,
        backend="torch",
        backend_reason=reason,
        device="cpu",
    )
    assert describe_event(Following(run, None, None), started) == (
        f"{run.id}  start: 19,594 parameters, 20 steps, cpu, backend {REASONS[reason]}"
    )


def test_the_last_line_says_what_mlflow_has(run, monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    assert _mlflow(run) == "is being told; 'rnnlab ui' shows the run"
    Record(error="the store is away").save(run)
    assert _mlflow(run) == "does not have it yet: the store is away; 'rnnlab sync' ships it"
    Record(uri="sqlite:////elsewhere.db", run_id="7", url="#/runs/7").save(run)
    assert _mlflow(run) == "has it in sqlite:////elsewhere.db"
    Record(run_id="7", url="#/runs/7").save(run)
    assert _mlflow(run) == "(served by 'rnnlab ui'):\n  http://127.0.0.1:5000/#/runs/7"
