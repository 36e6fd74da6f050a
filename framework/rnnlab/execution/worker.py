"""The process of one run: `python -m rnnlab.execution.worker RUN_DIR`.

It takes the run's lock, builds what config.yaml says, trains (going on from the last checkpoint if there is
one) and leaves a last word in the journal and in status.json, whatever happened.
"""

from __future__ import annotations

import os
import sys
import time
import traceback
from dataclasses import replace
from pathlib import Path

from rnnlab.config.build import build
from rnnlab.errors import RnnlabError
from rnnlab.lab import liveness
from rnnlab.lab.events import RunEnded
from rnnlab.lab.run import Run
from rnnlab.plugins.registry import Registry
from rnnlab.tracking.launch import ensure_shipper
from rnnlab.training.control import StopRequest


def main() -> int:
    """Run or resume the run of the folder named on the command line.

    Returns:
        0 when it finished or was stopped, 1 when it failed, 2 when its config or its data are wrong.
    """
    run = Run(Path(sys.argv[1]).absolute())
    if liveness.acquire(run.lock_path) is None:
        print(f"run {run.id} is already running (process {run.pid}); stop it with 'rnnlab stop {run.id}'")
        return 2
    stop = StopRequest()
    stop.install()
    run.write_status(state="running", pid=os.getpid(), started=time.time(), reason="", exit_code=None)
    threads = run.config["training"]["threads"] or 1
    os.environ.setdefault("OMP_NUM_THREADS", str(threads))  # read by torch when it is first imported
    ended, exit_code = work(run, stop)
    run.write_status(state=ended.state, reason=ended.reason, exit_code=exit_code, ended=time.time())
    if ended.reason:
        print(f"{ended.state}: {ended.reason}")
    ensure_shipper(run.path.parent, run)
    return exit_code


def work(run: Run, stop: StopRequest) -> tuple[RunEnded, int]:
    """Train the run and write its last event. Any error becomes a "failed" ending with its reason."""
    from rnnlab.training.report import Report
    from rnnlab.training.session import train

    registry = Registry.discover()
    report = Report(run, registry)
    try:
        experiment = build(run.config, registry)
        ensure_shipper(run.path.parent, run)
        ended, exit_code = train(run, experiment, registry, report, stop), 0
    except RnnlabError as error:
        ended, exit_code = RunEnded(state="failed", reason=str(error)), error.exit_code
    except Exception as error:
        traceback.print_exc()
        reason = f"{type(error).__name__}: {error}; see {run.log_path.name}"
        ended, exit_code = RunEnded(state="failed", reason=reason), 1
    if ended.state == "failed":
        ended = replace(ended, step=run.status.get("step", 0))
    report.ended(ended)
    report.close()
    return ended, exit_code


if __name__ == "__main__":
    sys.exit(main())
