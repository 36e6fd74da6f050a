"""Its handle names another folder."""

from rnnlab.api import ExecutorSpec, Handle, hookimpl
from rnnlab_plugins.executors.local import LocalExecutor


class Submit(LocalExecutor):
    def submit(self, run_dir):
        return Handle(run_dir.parent, super().submit(run_dir).key)


@hookimpl
def rnnlab_executors():
    yield ExecutorSpec("submit", f"{__name__}:Submit", summary="Its handle names another folder.")
