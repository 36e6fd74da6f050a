"""Declares that less accuracy is better."""

from rnnlab.api import TaskSpec, hookimpl
from rnnlab.testing.tiny.conformance_tiny import TinyTask


class Directions(TinyTask):
    """Nothing else is wrong with it."""


@hookimpl
def rnnlab_tasks():
    yield TaskSpec(
        "directions",
        f"{__name__}:Directions",
        summary="Declares that less accuracy is better.",
        mode="class",
        metrics={"accuracy": "min"},
        primary="accuracy",
    )
