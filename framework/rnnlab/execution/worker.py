"""The process of one run: `python -m rnnlab.execution.worker RUN_DIR`.

It takes the run's lock, builds what config.yaml says, trains (going on from the last checkpoint if there is
one) and leaves a last word in the journal and in status.json, whatever happened.
"""

from __future__ import annotations

import os
import sys
import time
import traceback
from pathlib import Path

from rnnlab.errors import RnnlabError, in_words
from rnnlab.lab import liveness
from rnnlab.lab.events import RunEnded
from rnnlab.lab.run import Run
from rnnlab.tracking.launch import ensure_shipper
from rnnlab.training.control import StopRequest

BEGAN = "total_steps"
"""What status.json has once a run was built and could take its first step."""


def main() -> int:
    """Run or resume the run of the folder named on the command line.

    Returns:
        0 when it finished or was stopped, 1 when it failed, 2 when its config or its data are wrong.
    """
    stop = StopRequest()
    stop.install()  # before the imports that take seconds: from now on a signal means "save and end"
    run = Run(Path(sys.argv[1]).absolute())
    if liveness.acquire(run.lock_path) is None:
        print(f"run {run.id} is already running (process {run.pid}); stop it with 'rnnlab stop {run.id}'")
        return 2
    run.write_status(state="running", pid=os.getpid(), started=time.time(), reason="", exit_code=None)
    try:
        ended = work(run, stop)
        state, reason, exit_code = ended.state, ended.reason, 0
    except RnnlabError as error:
        if error.__cause__ is not None:
            traceback.print_exception(error.__cause__)
        state, reason, exit_code = "failed", in_words(error), error.exit_code
    except Exception as error:
        traceback.print_exc()
        state, reason, exit_code = "failed", f"{in_words(error)}; see {run.log_path}", 1
    run.write_status(state=state, reason=reason, exit_code=exit_code, ended=time.time())
    print(f"{state}: {reason}")
    if BEGAN in run.status:
        ensure_shipper(run.path.parent, run)
    return exit_code


def work(run: Run, stop: StopRequest) -> RunEnded:
    """Build and train the run; its journal gets a last event whether or not this raises."""
    threads = run.config["training"]["threads"] or 1
    os.environ.setdefault("OMP_NUM_THREADS", str(threads))  # read by torch when it is first imported
    from rnnlab.config.build import build
    from rnnlab.execution.blame import naming_plugins
    from rnnlab.plugins.registry import Registry
    from rnnlab.training.report import Report
    from rnnlab.training.session import Session

    registry = Registry.discover()
    with Report(run, registry) as report:
        experiment = build(run.config, registry)
        session = Session(run, experiment, registry, report, stop)
        print(f"backend {session.started.backend_reason}", flush=True)
        # Only now, when nothing can be wrong with its input any more, does MLflow hear of the run.
        ensure_shipper(run.path.parent, run)
        with naming_plugins(experiment, registry, run.log_path):
            return session.train()


if __name__ == "__main__":
    sys.exit(main())
