"""The contract of an executor: where the worker process of a run is started."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path

from rnnlab.config.section import Section


@dataclass(frozen=True)
class Handle:
    """A submitted run. `key` is the executor's own name for it (for `local`, the process id)."""

    run_dir: Path
    key: str


class Executor(ABC):
    """Starts `python -m rnnlab.execution.worker RUN_DIR` somewhere. It resumes if it can."""

    def __init__(self, config: Section) -> None:
        self.config = config

    @abstractmethod
    def submit(self, run_dir: Path) -> Handle:
        """Start the run's worker and return at once; the worker outlives the caller's terminal."""

    @abstractmethod
    def poll(self, handle: Handle) -> int | None:
        """Return the worker's exit code, or None while it lives (or when it is not ours to know)."""

    @abstractmethod
    def cancel(self, handle: Handle) -> None:
        """Ask the worker to finish its step, save and end as stopped."""
