"""What a training process tells the world: the journal, the status file, the lifecycle hooks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rnnlab.errors import in_words
from rnnlab.lab.events import Checkpoint, Gates, Message, Metrics, RunEnded, RunStarted, Samples
from rnnlab.lab.journal import Journal
from rnnlab.lab.run import Run, RunInfo
from rnnlab.plugins.registry import Registry
from rnnlab.training.checkpoint import Progress
from rnnlab.training.system import SystemSampler


class Report:
    """The one place through which a run is reported.

    The journal comes first, as the truth; the status file is a summary for listings; hooks come last, and
    one that raises is noted as a warning while the run goes on.
    """

    def __init__(self, run: Run, registry: Registry) -> None:
        self.run, self._registry = run, registry
        self._system = SystemSampler(run.config["tracking"]["system_every"])
        self._journal = Journal(run.events_path)
        self._info = RunInfo(run.id, run.path, run.config)

    def __enter__(self) -> Report:
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        """Close the journal; an error on the way out becomes its last event."""
        if error is not None:
            step = self.run.status.get("step", 0)
            self.ended(RunEnded(step=step, state="failed", reason=in_words(error)))
        self._journal.close()

    def started(self, event: RunStarted) -> None:
        """Everything is built; the first step comes next."""
        self._journal.write(event)
        self.run.write_status(
            step=event.step,
            total_steps=event.total_steps,
            parameters=event.parameters,
            monitor=event.monitor,
            backend=event.backend,
            backend_reason=event.backend_reason,
            device=event.device,
            baselines=dict(event.baselines),
        )
        self._call("rnnlab_run_start")

    def interval(self, progress: Progress, epoch: float, values: Mapping[str, float]) -> None:
        """Training metrics of a logging interval, with system use now and then."""
        merged = {**values, **self._system.sample()}
        self._journal.write(Metrics(step=progress.step, epoch=epoch, values=merged))
        self._call("rnnlab_interval", step=progress.step, metrics=merged)

    def scores(
        self, progress: Progress, split: str, scores: Mapping[str, float], *, best: bool = False
    ) -> None:
        """Scores of a whole split; `best` says that they are the best checkpoint's."""
        values = {f"{split}/{name}": value for name, value in scores.items()}
        if best:
            values |= {f"best/{name}": value for name, value in scores.items()}
        self._journal.write(Metrics(step=progress.step, values=values))
        known = self.run.status.get("scores", {})
        self.run.write_status(step=progress.step, best_step=progress.best_step, scores=known | values)
        self._call("rnnlab_eval_end", split=split, step=progress.step, metrics=dict(scores))

    def samples(self, progress: Progress, split: str, items: list[Mapping[str, str]]) -> None:
        """A few answers beside the truth."""
        if items:
            self._journal.write(Samples(step=progress.step, split=split, items=items))

    def gates(self, progress: Progress, split: str, source: str, layers: Sequence[Mapping[str, Any]]) -> None:
        """What the gates did while the model read the example `source`."""
        if layers:
            self._journal.write(Gates(step=progress.step, split=split, source=source, layers=list(layers)))

    def checkpoint(self, progress: Progress, path: Path, best: bool) -> None:
        """A checkpoint is on disk; the journal is made durable with it."""
        relative = str(path.relative_to(self.run.path))
        self._journal.write(Checkpoint(step=progress.step, path=relative, best=best))
        self._journal.sync()
        self._call("rnnlab_checkpoint", path=path, step=progress.step)

    def message(self, level: str, text: str, step: int = 0) -> None:
        """A line for the log."""
        self._journal.write(Message(step=step, level=level, text=text))

    def ended(self, event: RunEnded) -> None:
        """The last word."""
        self._journal.write(event)
        self._journal.sync()
        if event.seconds:
            self.run.write_status(step=event.step, seconds=event.seconds, cpu_seconds=event.cpu_seconds)
        self._call("rnnlab_run_end", state=event.state, reason=event.reason)

    def _call(self, hook: str, **arguments: Any) -> None:
        def warn(plugin: str, error: BaseException) -> None:
            text = f"plugin {plugin}: {hook} raised {type(error).__name__}: {error}; the run goes on"
            self.message("warning", text, arguments.get("step", 0))

        self._registry.lifecycle(hook, warn, run=self._info, **arguments)
