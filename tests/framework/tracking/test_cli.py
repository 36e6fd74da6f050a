"""`rnnlab sync`."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from types import SimpleNamespace

from click.testing import CliRunner

from rnnlab.cli.tracking import sync
from rnnlab.lab.lab import Lab

from .conftest import make_run, write_history


def test_sync_says_what_it_sent(lab: Lab, empty_store: Path) -> None:
    shutil.copy(empty_store, lab.path)
    run = make_run(lab)
    write_history(run, range(5))
    app = SimpleNamespace(lab=lab)
    result = CliRunner().invoke(sync, [], obj=app)
    assert result.exit_code == 0
    assert result.stdout == f"{run.id}  12 points sent\n1 of 1 runs are wholly in MLflow\n"
    result = CliRunner().invoke(sync, ["--json"], obj=app)
    assert json.loads(result.stdout) == [{"run_id": run.id, "sent": 0, "pending": 0, "error": None}]


def test_an_absent_server_is_one_line_for_all_runs(lab: Lab) -> None:
    gone = {"enabled": True, "uri": "http://127.0.0.1:9", "experiment": "rnnlab"}
    for _ in range(2):
        write_history(make_run(lab, tracking=gone), range(5))
    result = CliRunner().invoke(sync, [], obj=SimpleNamespace(lab=lab))
    assert result.exit_code == 1
    assert result.stdout.count("0 points sent, 7 events wait") == 2
    assert result.stderr.count("\n") == 1
    assert (
        "MLflow at http://127.0.0.1:9 does not answer (connection refused); nothing is lost" in result.stderr
    )
