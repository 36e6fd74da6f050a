"""Built-in executors: where the worker process of a run is started."""

from __future__ import annotations

from collections.abc import Iterator

from rnnlab.api import ExecutorSpec, hookimpl


@hookimpl
def rnnlab_executors() -> Iterator[ExecutorSpec]:
    """A process on this machine."""
    yield ExecutorSpec(
        "local",
        "rnnlab_plugins.executors.local:LocalExecutor",
        summary="a process of its own on this machine, which outlives the terminal",
    )
