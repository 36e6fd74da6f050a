"""A run's page in MLflow's UI: started when first asked for, shared, and ended by whoever started it."""

import subprocess
import sys
import time
import urllib.request

import pytest

from rnnlab.dashboard.catalogue.installation import Installation
from rnnlab.dashboard.mlflow_page import MlflowPage
from rnnlab.errors import InputError
from rnnlab.tracking.links import run_url, ui_address

DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def until(condition):
    """Wait for it."""
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.slow
def test_started_shared_and_ended(lab, make_run):
    command = [sys.executable, "-P", "-m", "rnnlab.cli.main", "--runs-dir", str(lab.path)]
    words = ["run", "digits", "training.epochs=1", "dataset.limit=100"]
    subprocess.run([*command, *words], check=True, capture_output=True, timeout=120)
    (run,) = lab.runs()
    until(lambda: run_url(run))  # its shipper is a process of its own
    first, second = MlflowPage(lab, Installation()), MlflowPage(lab, Installation())
    assert not first.answers(run)
    address = first.address(run)
    base = ui_address(lab.path)
    assert address.startswith(f"{base}/#/experiments/")
    with DIRECT.open(base, timeout=10) as answer:
        assert "<title>MLflow</title>" in answer.read().decode()

    assert second.answers(run)
    assert second.address(run) == address
    second.close()
    assert ui_address(lab.path) == base

    first.close()
    until(lambda: not ui_address(lab.path))

    with pytest.raises(InputError, match=r"MLflow does not have .* \(yet\); 'rnnlab sync .*' ships it"):
        first.address(make_run())
