"""Moving a lab."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from rnnlab.lab.lab import Lab
from rnnlab.tracking.relocate import relocate
from rnnlab.tracking.store import Store
from rnnlab.tracking.sync import sync

from .conftest import make_run, write_history


@pytest.mark.parametrize("new_name", ["moved", "with space & #hash/runs"])
def test_a_moved_lab_keeps_its_artifacts(lab: Lab, empty_store: Path, tmp_path: Path, new_name: str) -> None:
    shutil.copy(empty_store, lab.path)
    write_history(make_run(lab), range(3))
    sync(lab)
    moved = tmp_path / new_name
    moved.parent.mkdir(exist_ok=True)
    shutil.move(lab.path, moved)

    write_history(make_run(Lab(moved), "second"), range(3))
    assert [result.error for result in sync(Lab(moved))] == [None, None]
    client = Store(moved, None).client
    for found in client.search_runs(["1"]):
        assert [item.path for item in client.list_artifacts(found.info.run_id)] == ["config.yaml"]
        text = Path(client.download_artifacts(found.info.run_id, "config.yaml")).read_text()
        assert "forget_bias" in text
    assert not lab.path.exists()


def test_only_paths_under_the_old_lab_are_touched(lab: Lab, empty_store: Path, tmp_path: Path) -> None:
    shutil.copy(empty_store, lab.path)
    store = Store(lab.path, None)
    store.experiment("rnnlab")
    elsewhere = f"{lab.path}-of-someone-else/artifacts"
    store.client.create_experiment("foreign", elsewhere)
    moved = tmp_path / "moved"
    shutil.copytree(lab.path, moved)
    assert relocate(moved) == 1
    assert relocate(moved) == 0
    with closing(sqlite3.connect(moved / "mlflow.db")) as connection:
        places = dict(connection.execute("SELECT name, artifact_location FROM experiments"))
    assert places["rnnlab"] == f"{moved}/artifacts"
    assert places["foreign"] == elsewhere


def test_a_lab_without_a_store_has_nothing_to_relocate(lab: Lab) -> None:
    assert relocate(lab.path) == 0
    assert not (lab.path / "mlflow.db").exists()
