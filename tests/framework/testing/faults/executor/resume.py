"""Empties a run's checkpoints before it starts the run's worker."""

import shutil

from rnnlab.api import ExecutorSpec, hookimpl
from rnnlab_plugins.executors.local import LocalExecutor


class Resume(LocalExecutor):
    def submit(self, run_dir):
        shutil.rmtree(run_dir / "checkpoints")
        (run_dir / "checkpoints").mkdir()
        return super().submit(run_dir)


@hookimpl
def rnnlab_executors():
    yield ExecutorSpec(
        "resume",
        f"{__name__}:Resume",
        summary="Empties a run's checkpoints before it starts the run's worker.",
    )
