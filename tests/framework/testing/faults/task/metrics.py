"""Gives a score that its record does not name."""

from rnnlab.api import TaskSpec, hookimpl
from rnnlab.testing.tiny.conformance_tiny import TinyTask


class Metrics(TinyTask):
    def score(self, predictions, references):
        return super().score(predictions, references) | {"f1": 0.0}


@hookimpl
def rnnlab_tasks():
    yield TaskSpec(
        "metrics",
        f"{__name__}:Metrics",
        summary="Gives a score that its record does not name.",
        mode="class",
        metrics={"accuracy": "max"},
        primary="accuracy",
    )
