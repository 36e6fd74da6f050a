"""What one run looks like in MLflow, in a real store of the lab's own."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path

import pytest
from mlflow import MlflowClient

from rnnlab.lab.events import Gates, Metrics, RunEnded, RunStarted, Samples
from rnnlab.lab.journal import Journal
from rnnlab.lab.lab import Lab
from rnnlab.lab.run import Run, read_json
from rnnlab.tracking import facts
from rnnlab.tracking.mirror import Mirror
from rnnlab.tracking.record import Record
from rnnlab.tracking.store import Refused, Stores

from .conftest import STARTED, make_run, points, rows, write_history


@pytest.fixture
def stores(lab: Lab, empty_store: Path) -> Stores:
    shutil.copy(empty_store, lab.path)
    return Stores(lab.path)


def ship(run: Run, stores: Stores) -> Record:
    """Ship all of a run, as a new process would."""
    mirror = Mirror(run)
    while mirror.advance(stores):
        pass
    assert mirror.settled
    assert mirror.pending() == 0
    return mirror.record


def client(stores: Stores) -> MlflowClient:
    return stores.at(None).client


def test_a_finished_run_is_complete(lab: Lab, stores: Stores) -> None:
    run = make_run(lab)
    run.log_path.write_text("a line\n")
    best = run.checkpoints / "best" / "model.safetensors"
    best.parent.mkdir()
    best.write_bytes(b"weights")
    write_history(run, range(100))
    record = ship(run, stores)
    found = client(stores).get_run(record.run_id)

    assert found.info.run_name == run.id
    assert found.info.status == "FINISHED"
    assert found.data.params == {
        "name": "demo",
        "cell.type": "lstm",
        "cell.forget_bias": "1.0",
        "task.type": "sequence_labelling",
        "dataset.type": "tiny",
        "dataset.limit": "null",
        "stack.hidden_size": "32",
        "stack.bidirectional": "false",
        "training.learning_rate": "0.001",
        "training.epochs": "2",
        "model.parameters": "12345",
    }
    expected = {
        "rnnlab.run_id": run.id,
        "rnnlab.state": "finished",
        "name": "demo",
        "cell": "lstm",
        "task": "sequence_labelling",
        "dataset": "tiny",
        "backend": "reference",
        "backend_reason": "no GPU here",
        "device": "cpu",
        "data.digest": "a" * 64,
        "data.licence": "CC0-1.0",
        "version.torch": "2.13.0",
    }
    assert expected.items() <= found.data.tags.items()
    assert f"rnnlab run runs/{run.id}/config.yaml" in found.data.tags["mlflow.note.content"]
    assert "| test/accuracy | 0.75 | 0.5 |" in found.data.tags["mlflow.note.content"]
    assert found.data.metrics["train/loss"] == 1 / 100
    assert found.data.metrics["test/accuracy"] == 0.75
    assert found.data.metrics["test/accuracy_baseline"] == 0.5

    (used,) = found.inputs.dataset_inputs
    assert (used.dataset.name, used.dataset.digest) == ("tiny", "a" * 12)
    assert json.loads(used.dataset.source)["licence"] == "CC0-1.0"
    assert [(tag.key, tag.value) for tag in used.tags] == [("mlflow.data.context", "training")]

    files = {item.path for item in client(stores).list_artifacts(record.run_id)}
    assert files == {"config.yaml", "log.txt", "checkpoints"}
    assert (lab.path / "artifacts" / record.run_id / "artifacts/checkpoints/best/model.safetensors").exists()
    assert not (lab.path.parent / "elsewhere" / "mlruns").exists()


def test_points_carry_the_journals_own_times(lab: Lab, stores: Stores) -> None:
    run = make_run(lab)
    write_history(run, range(3))
    record = ship(run, stores)
    history = client(stores).get_metric_history(record.run_id, "train/loss")
    written = [json.loads(line) for line in run.events_path.read_text().splitlines()]
    times = [event["time"] for event in written if event["event"] == "metrics"]
    assert [(point.step, point.timestamp) for point in history] == list(zip((1, 2, 3), times, strict=True))


def test_shipping_everything_twice_adds_nothing(lab: Lab, stores: Stores) -> None:
    run = make_run(lab)
    write_history(run, range(1500))
    first = ship(run, stores)
    before = rows(lab.path / "mlflow.db")
    run.mlflow_path.unlink()
    second = ship(run, stores)
    assert second.run_id == first.run_id
    assert rows(lab.path / "mlflow.db") == before == 2 * 1500 + 2  # and one baseline, one score
    assert [step for step, _ in points(lab.path / "mlflow.db")] == list(range(1, 1501))


def test_killed_after_making_the_run_makes_no_second(lab: Lab, stores: Stores) -> None:
    run = make_run(lab)
    store = stores.at(None)
    orphan = store.client.create_run(store.experiment("rnnlab"), tags={"rnnlab.run_id": run.id})
    write_history(run, range(5))
    assert ship(run, stores).run_id == orphan.info.run_id
    assert len(client(stores).search_runs(["1"])) == 1


@pytest.mark.parametrize(
    ("end", "status", "state"),
    [("finished", "FINISHED", "finished"), ("stopped", "KILLED", "stopped"), ("failed", "FAILED", "failed")],
)
def test_final_status(lab: Lab, stores: Stores, end: str, status: str, state: str) -> None:
    run = make_run(lab)
    write_history(run, range(2), end=end)
    found = client(stores).get_run(ship(run, stores).run_id)
    assert (found.info.status, found.data.tags["rnnlab.state"]) == (status, state)
    assert found.info.end_time == json.loads(run.events_path.read_text().splitlines()[-1])["time"]


def test_crashed_then_resumed_is_one_mlflow_run(lab: Lab, stores: Stores) -> None:
    run = make_run(lab)
    write_history(run, range(60), end="")
    record = ship(run, stores)
    found = client(stores).get_run(record.run_id)
    assert (found.info.status, found.data.tags["rnnlab.state"]) == ("FAILED", "crashed")

    mirror = Mirror(run)
    journal = Journal(run.events_path)
    journal.write(RunStarted(pid=1, resumed_from=40))
    mirror.advance(stores)
    found = client(stores).get_run(record.run_id)
    assert (found.info.status, found.data.tags["rnnlab.state"]) == ("RUNNING", "running")

    for step in range(41, 101):
        journal.write(Metrics(step=step, values={"train/loss": 1 / step}))
    journal.write(RunEnded(step=100, state="finished"))
    assert ship(run, stores).run_id == record.run_id
    assert client(stores).get_run(record.run_id).info.status == "FINISHED"
    assert [step for step, _ in points(lab.path / "mlflow.db")] == list(range(1, 101))


def test_a_run_that_never_began_is_not_made(lab: Lab) -> None:
    mirror = Mirror(make_run(lab))
    assert not mirror.advance(Stores(lab.path))
    assert mirror.settled
    assert not (lab.path / "mlflow.db").exists()


def test_infinity_is_left_out_and_said_nan_is_kept(lab: Lab, stores: Stores) -> None:
    run = make_run(lab)
    journal = Journal(run.events_path)
    journal.write(STARTED)
    for step, value in enumerate((1.0, math.nan, math.inf, -math.inf, 2.0), start=1):
        journal.write(Metrics(step=step, values={"train/loss": value}))
    journal.write(RunEnded(step=5, state="failed", reason="loss is not a number"))
    record = ship(run, stores)
    history = client(stores).get_metric_history(record.run_id, "train/loss")
    assert [point.step for point in history] == [1, 2, 5]
    assert math.isnan(history[1].value)
    tags = client(stores).get_run(record.run_id).data.tags
    assert tags["rnnlab.reason"] == "loss is not a number"
    assert tags["infinite_metrics"] == "train/loss at step 3, train/loss at step 4"


def test_a_resume_with_other_settings_is_said(lab: Lab, stores: Stores) -> None:
    run = make_run(lab)
    write_history(run, range(2), end="stopped")
    ship(run, stores)
    run.config_path.write_text(run.config_path.read_text().replace("epochs: 2", "epochs: 5"))
    run = lab.find(run.id)
    write_history(run, range(2, 4))
    found = client(stores).get_run(ship(run, stores).run_id)
    assert found.data.params["training.epochs"] == "2"
    assert found.data.tags["changed_params"] == "training.epochs: 2 -> 5"


def test_a_run_its_store_lost_is_shipped_anew(lab: Lab, stores: Stores) -> None:
    run = make_run(lab)
    write_history(run, range(10), end="stopped")
    Record(run_id="0" * 32, experiment_id="1", offset=200, state="stopped").save(run)
    write_history(run, range(10, 20))
    ship(run, stores)
    assert [step for step, _ in points(lab.path / "mlflow.db")] == list(range(1, 21))


def test_a_run_deleted_in_mlflow_is_refused_with_a_remedy(lab: Lab, stores: Stores) -> None:
    run = make_run(lab)
    write_history(run, range(2), end="stopped")
    record = ship(run, stores)
    client(stores).delete_run(record.run_id)
    write_history(run, range(2, 4))
    with pytest.raises(Refused, match="was deleted in MLflow; restore it there"):
        Mirror(run).advance(stores)
    client(stores).restore_run(record.run_id)
    ship(run, stores)
    assert [step for step, _ in points(lab.path / "mlflow.db")] == [1, 2, 3, 4]


def test_the_last_samples_are_readable(lab: Lab, stores: Stores) -> None:
    run = make_run(lab)
    journal = Journal(run.events_path)
    journal.write(STARTED)
    for step in (10, 20):
        item = {"source": "hund", "target": "dog", "prediction": f"dog {step}"}
        journal.write(Samples(step=step, split="val", items=[item]))
    journal.write(RunEnded(step=20, state="finished"))
    record = ship(run, stores)
    page = lab.path / "artifacts" / record.run_id / "artifacts" / "samples.md"
    assert page.read_text() == (
        "## val, step 20\n\n- **source** hund\n- **target** dog\n- **prediction** dog 20\n"
    )


def test_the_record_is_readable_by_others(lab: Lab, stores: Stores) -> None:
    run = make_run(lab)
    write_history(run, range(2))
    record = ship(run, stores)
    saved = read_json(run.mlflow_path)
    assert saved["uri"] is None
    assert (
        saved["url"]
        == f"#/experiments/{record.experiment_id}/runs/{record.run_id}?workflowType=machine_learning"
    )
    assert saved["offset"] == run.events_path.stat().st_size


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("val/loss", "val/loss"),
        ("test/accuracy@5", "test/accuracy_5"),
        ("a//b/", "a/b"),
        ("../x", "x"),
        ("", "_"),
        ("x" * 300, "x" * 250),
    ],
)
def test_metric_keys_are_made_acceptable(name: str, key: str) -> None:
    assert facts.metric_key(name) == key


def test_long_and_odd_params() -> None:
    table = facts.params({"a": {"b": "x" * 7000, "c": [1, 2], "d": {}}, "tracking": {"uri": "secret"}})
    assert table == {"a.b": "x" * 6000, "a.c": "[1, 2]", "a.d": "{}"}


def test_events_that_mlflow_has_no_place_for_hold_nothing_up(lab: Lab, stores: Stores) -> None:
    run = make_run(lab)
    write_history(run, range(10), end="")
    picture = {"layer": 0, "direction": 0, "units": [0], "gates": {"i": [[0.125]] * 12_000}}
    journal = Journal(run.events_path)
    for step in range(11, 15):  # more bytes than are shipped at a time
        journal.write(Gates(step=step, split="val", layers=[picture]))
    journal.close()
    with run.events_path.open("ab") as file:  # of a newer version, and a whole piece of them
        file.write(b'{"event":"from_the_future","text":"%s"}\n' % (b"x" * 1000) * 600)
    write_history(run, range(20, 30))
    record = ship(run, stores)
    assert record.state == "finished"
    assert record.offset == run.events_path.stat().st_size
    assert points(lab.path / "mlflow.db") == [
        (step + 1, 1 / (step + 1)) for step in (*range(10), *range(20, 30))
    ]
