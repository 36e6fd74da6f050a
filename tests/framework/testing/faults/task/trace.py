"""Shows its gates past the rows' lengths."""

from rnnlab.api import TaskSpec, hookimpl
from rnnlab.testing.tiny.conformance_tiny import TinyTask


class Trace(TinyTask):
    def trace(self, batch):
        return self.stack.trace(self.embedding(batch.source))


@hookimpl
def rnnlab_tasks():
    yield TaskSpec(
        "trace",
        f"{__name__}:Trace",
        summary="Shows its gates past the rows' lengths.",
        mode="class",
        metrics={"accuracy": "max"},
        primary="accuracy",
    )
