"""Kills the worker instead of asking it to stop."""

import os
import signal

from rnnlab.api import ExecutorSpec, hookimpl
from rnnlab_plugins.executors.local import LocalExecutor


class Cancel(LocalExecutor):
    def cancel(self, handle):
        if self.poll(handle) is None:
            os.kill(int(handle.key), signal.SIGKILL)


@hookimpl
def rnnlab_executors():
    yield ExecutorSpec(
        "cancel", f"{__name__}:Cancel", summary="Kills the worker instead of asking it to stop."
    )
