"""`rnnlab ui` as a process: it answers, and nothing of it is left, however it ends."""

from __future__ import annotations

import json
import shutil
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import psutil
import pytest

from rnnlab.errors import InputError
from rnnlab.lab.lab import Lab
from rnnlab.tracking.links import run_url, ui_address
from rnnlab.tracking.record import Record
from rnnlab.tracking.server import serve
from rnnlab.tracking.sync import sync

from .conftest import make_run, until, write_history

UI = """
import sys, types
from rnnlab.lab.lab import Lab
from rnnlab.cli.tracking import ui
ui.main(args=sys.argv[2:], obj=types.SimpleNamespace(lab=Lab.open(sys.argv[1])))
"""


def start(lab: Lab, *options: str) -> subprocess.Popen[str]:
    """`rnnlab ui`, its output in a pipe."""
    command = [sys.executable, "-u", "-c", UI, str(lab.path), *options]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def alive(process: psutil.Process) -> bool:
    """Whether it runs; one that has ended and waits to be reaped by its parent does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_ui_answers_and_leaves_nothing_behind(lab: Lab, empty_store: Path, how: signal.Signals) -> None:
    shutil.copy(empty_store, lab.path)
    run = make_run(lab)
    write_history(run, range(5))
    sync(lab)
    assert run_url(run) == f"http://127.0.0.1:5000/{Record.load(run).url}"
    process = start(lab)
    try:
        address = until(lambda: ui_address(lab.path))
        assert run_url(run) == f"{address}/{Record.load(run).url}"
        with urllib.request.urlopen(address, timeout=10) as page:
            assert page.status == 200
        request = urllib.request.Request(
            f"{address}/api/2.0/mlflow/runs/search",
            json.dumps({"experiment_ids": [Record.load(run).experiment_id]}).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=10) as reply:
            assert [item["info"]["run_name"] for item in json.load(reply)["runs"]] == [run.id]
        with urllib.request.urlopen(
            f"{address}/get-artifact?path=config.yaml&run_uuid={Record.load(run).run_id}", timeout=10
        ) as artifact:
            assert artifact.read() == run.config_path.read_bytes()
        family = psutil.Process(process.pid).children(recursive=True)
        assert len(family) >= 2
    finally:
        process.send_signal(how)
        output, _ = process.communicate(timeout=30)
    until(lambda: not any(alive(member) for member in family))
    assert f"MLflow's UI: {address}" in output
    assert "Traceback" not in output
    assert ui_address(lab.path) is None


@pytest.mark.slow
def test_killing_the_guard_ends_everything(lab: Lab, empty_store: Path) -> None:
    shutil.copy(empty_store, lab.path)
    process = start(lab)
    until(lambda: ui_address(lab.path))
    family = psutil.Process(process.pid).children(recursive=True)
    (guard,) = [member for member in family if "rnnlab.tracking.guard" in member.cmdline()]
    guard.kill()
    output, _ = process.communicate(timeout=30)
    assert process.returncode != 0
    assert "MLflow's server ended by itself" in output
    until(lambda: not any(alive(member) for member in family))


def test_a_lab_without_a_store_is_an_input_error(lab: Lab) -> None:
    with pytest.raises(InputError, match="no MLflow store yet; start a run with 'rnnlab run PRESET'"):
        serve(lab)
    run = make_run(lab)
    Record(uri="http://user:secret@mlflow.example:8080").save(run)
    with pytest.raises(InputError, match=r"its runs are at http://mlflow\.example:8080: open that"):
        serve(lab)


def test_a_port_that_was_asked_for_and_is_taken_is_an_input_error(lab: Lab, empty_store: Path) -> None:
    shutil.copy(empty_store, lab.path)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(InputError, match=rf"port {port} on 127\.0\.0\.1 is taken"):
            serve(lab, port)


def test_links_of_runs_elsewhere(lab: Lab) -> None:
    run = make_run(lab)
    assert run_url(run) is None
    url = "#/experiments/3/runs/abc"
    Record(uri="https://user:secret@mlflow.example/base/", url=url).save(run)
    assert run_url(run) == f"https://mlflow.example/base/{url}"
    Record(uri="postgresql://db/mlflow", url=url).save(run)
    assert run_url(run) is None
