"""Starting the lab's shipper from any process, without importing mlflow."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

from rnnlab.lab import liveness
from rnnlab.lab.run import Run
from rnnlab.tracking.record import Record, tracked

LOCK = ".shipper.lock"
LOG = ".shipper.log"


def ensure_shipper(lab_path: Path, run: Run | None = None) -> None:
    """Start the lab's shipper unless one is at work; returns at once.

    A worker calls this when its run starts, while it holds the run's lock and before the first event, and
    again after its last event. A shipper about to end looks at all runs once more after it has let go of
    its lock, so whichever of the two comes second sees the other.

    Args:
        lab_path: the lab's folder.
        run: the caller's run. Its destination is noted now, because MLFLOW_TRACKING_URI is that of the
            caller and need not be the shipper's. A run with `tracking.enabled: false` starts nothing.
    """
    if run is not None:
        if not tracked(run):
            return
        if not run.mlflow_path.exists():
            Record.load(run).save(run)
    if not liveness.holder(lab_path / LOCK):
        start_shipper(lab_path)


def start_shipper(lab_path: Path) -> subprocess.Popen[bytes]:
    """Start a shipper process that outlives this one; it ends by itself if another is at work."""
    with (lab_path / LOG).open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "rnnlab.tracking.shipper", str(lab_path)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=lab_path,
            env=os.environ | {"MLFLOW_DISABLE_TELEMETRY": "true"},
            start_new_session=True,
        )
    # Reaped here, or a long-lived caller such as the dashboard would collect zombies.
    threading.Thread(target=process.wait, name="shipper-reaper", daemon=True).start()
    return process
