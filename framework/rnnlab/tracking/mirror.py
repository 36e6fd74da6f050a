"""One run in MLflow: made once, kept up with its journal, closed as the run was."""

from __future__ import annotations

import getpass
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rnnlab.lab.events import Event, Metrics, RunEnded, RunStarted, Samples
from rnnlab.lab.journal import Tail, read
from rnnlab.lab.run import Run
from rnnlab.tracking import facts
from rnnlab.tracking.record import Record
from rnnlab.tracking.store import RUN_ID_TAG, Refused, Store, Stores

CHUNK = 256 * 1024
"""Bytes of journal shipped at a time, so that no run keeps the others waiting."""
METRICS_PER_BATCH, PARAMS_PER_BATCH = 1000, 100  # MLflow's limits
VIEW = "workflowType=machine_learning"  # the side of MLflow's UI made for training, not for GenAI
STATUS = {"finished": "FINISHED", "stopped": "KILLED", "failed": "FAILED", "crashed": "FAILED"}


class Mirror:
    """Keeps MLflow's picture of one run up to date with the run's folder.

    Everything sent carries the journal's own times, and the record is written after MLflow has taken it.
    So being killed at any moment costs nothing: the same is sent again, and MLflow keeps it once.

    Attributes:
        sent: metric points sent so far by this object.
    """

    def __init__(self, run: Run) -> None:
        self.run, self.record = run, Record.load(run)
        self.sent = 0
        self._introduced = False
        self._settled: tuple[int, ...] | None = None

    @property
    def settled(self) -> bool:
        """Whether the run has ended and nothing was written since all of it was shipped."""
        return self._settled is not None and self._settled == self.signature()

    @property
    def live(self) -> bool:
        """Whether a worker holds the run."""
        return self.run.pid > 0

    def pending(self) -> int:
        """Journal events that MLflow does not have."""
        tail, count = Tail(self.run.events_path, self.record.offset), 0
        while events := tail.poll():
            count += len(events)
        return count

    def verify(self, stores: Stores) -> None:
        """Forget the record if its store no longer has the run, so that all of it is shipped again."""
        if self.record.run_id and stores.at(self.record.uri).get(self.record.run_id) is None:
            self.record, self._introduced, self._settled = Record(uri=self.record.uri), False, None

    def advance(self, stores: Stores) -> bool:
        """Ship the next piece. Returns whether there was one.

        Raises:
            Unreachable: the store does not answer. Refused: it would not take this. Nothing is lost.
        """
        signature = self.signature()
        # Asked before reading: a worker seen dead has written all that it ever will.
        dead = not self.run.pid
        tail = Tail(self.run.events_path, self.record.offset)
        if events := tail.poll(CHUNK):
            if not self.record.run_id and not any(isinstance(event, RunStarted) for event in events):
                self.record.offset = tail.offset  # its input was wrong before the first step: not a run yet
                self._save()
                return True
            store = stores.at(self.record.uri)
            if self._introduce(store, events[0].time):
                self._ship(store, events)
                self.record.offset = tail.offset
                self._save()
            return True
        if self.record.state == "running" and dead:
            last_words = self.run.state
            self._close(stores.at(self.record.uri), last_words if last_words in STATUS else "crashed")
            return True
        if self.record.state in STATUS:
            self._upload(stores)
            self._settled = signature
        elif dead:  # it died, or waits to be started, without a single event
            self._settled = signature
        if self.record.error:
            self._save()
        return False

    def failed(self, error: str) -> None:
        """Note in the record why the rest is not shipped."""
        if error != self.record.error:
            self._save(error)

    def _save(self, error: str = "") -> None:
        self.record.error = error
        self.record.save(self.run)

    def signature(self) -> tuple[int, ...]:
        """Changes whenever there may be something to ship."""
        sizes = [_size(path) for path in (self.run.events_path, self.run.log_path)]
        return (*sizes, self.record.offset)

    def _introduce(self, store: Store, start: int) -> bool:
        """Make the MLflow run, or find it, and tell what is known from the config. False: start over."""
        if self._introduced:
            return True
        known = store.get(self.record.run_id) if self.record.run_id else None
        if self.record.run_id and known is None:
            self.record = Record(uri=self.record.uri)
            return False
        if known is None:
            experiment_id = store.experiment(self.run.config.get("tracking", {}).get("experiment", "rnnlab"))
            # A shipper killed between making the run and saving its id finds it again by this tag.
            known = store.find(experiment_id, self.run.id)
            if known is None:
                with store.talking():
                    known = store.client.create_run(experiment_id, start, self._birth_tags(), self.run.id)
            self.record.experiment_id, self.record.run_id = experiment_id, known.info.run_id
            self.record.url = f"#/experiments/{experiment_id}/runs/{known.info.run_id}?{VIEW}"
            self._save()
        if known.info.lifecycle_stage == "deleted":
            raise Refused(f"run {self.run.id} was deleted in MLflow; restore it there to ship the rest of it")
        self._log_params(store, facts.params(self.run.config), known.data.params)
        self._tag(store, facts.config_tags(self.run))
        self._introduced = True
        self._upload_files(store, [self.run.config_path])
        return True

    def _birth_tags(self) -> dict[str, str]:
        return {
            RUN_ID_TAG: self.run.id,
            "mlflow.user": getpass.getuser(),
            "mlflow.source.name": "rnnlab",
            "mlflow.source.type": "LOCAL",
        }

    def _ship(self, store: Store, events: list[Event]) -> None:
        points: list[tuple[str, float, int, int]] = []
        state = self.record.state
        started = ended = None
        for event in events:
            if isinstance(event, Metrics):
                points += [(key, value, event.time, event.step) for key, value in event.values.items()]
            elif isinstance(event, RunStarted):
                started, ended, state = event, None, "running"
            elif isinstance(event, RunEnded):
                ended, state = event, event.state
        self._log_metrics(store, points)
        if started is not None:
            self._log_start(store, started)
        if ended is not None and state in STATUS:
            self._close(store, state, ended)
        elif state != self.record.state or not self.record.state:
            with store.talking():
                store.client.update_run(self.record.run_id, status="RUNNING")
            self._tag(store, {"rnnlab.state": "running"})
            self.record.state = "running"

    def _log_start(self, store: Store, event: RunStarted) -> None:
        known = store.get(self.record.run_id)
        if known is not None and "model.parameters" not in known.data.params:
            self._log_params(store, {"model.parameters": str(event.parameters)}, {})
        note = facts.note(self.run, event, None, "running")
        self._tag(store, facts.started_tags(event) | {facts.NOTE_TAG: note})
        dataset = facts.dataset_input(event)
        if dataset is not None:
            with store.talking():
                store.client.log_inputs(self.record.run_id, [dataset])

    def _log_metrics(self, store: Store, points: list[tuple[str, float, int, int]]) -> None:
        from mlflow.entities import Metric

        infinite = [f"{key} at step {step}" for key, value, _, step in points if math.isinf(value)]
        batch = [
            # float(): MLflow's JSON encoder knows no numpy numbers; infinity it stores as 1.8e308.
            Metric(facts.metric_key(key), float(value), time, step)
            for key, value, time, step in points
            if not math.isinf(value)
        ]
        for first in range(0, len(batch), METRICS_PER_BATCH):
            with store.talking():
                part = batch[first : first + METRICS_PER_BATCH]
                store.client.log_batch(self.record.run_id, metrics=part)
                self.sent += len(part)
        fresh = [where for where in infinite if where not in self.record.infinite]
        if fresh:
            self.record.infinite = (self.record.infinite + fresh)[:100]
            self._tag(store, {"infinite_metrics": ", ".join(self.record.infinite)[: facts.LONGEST_TAG]})

    def _log_scores(self, store: Store, started: RunStarted | None, ended: RunEnded) -> None:
        """Final scores that no metric event has told already, and what chance would have scored.

        The baselines come last: MLflow proposes the metric that was logged first when runs are compared.
        """
        known = store.get(self.record.run_id)
        latest = known.data.metrics if known else {}
        scores = dict(ended.scores) | (facts.baseline_metrics(started) if started and ended.scores else {})
        fresh = [(key, value) for key, value in scores.items() if not _same(latest.get(key), value)]
        self._log_metrics(store, [(key, value, ended.time, ended.step) for key, value in fresh])

    def _log_params(self, store: Store, params: Mapping[str, str], known: Mapping[str, str]) -> None:
        from mlflow.entities import Param

        fresh = [Param(key, value) for key, value in params.items() if key not in known]
        for first in range(0, len(fresh), PARAMS_PER_BATCH):
            with store.talking():
                part = fresh[first : first + PARAMS_PER_BATCH]
                store.client.log_batch(self.record.run_id, params=part)
        # MLflow never changes a parameter; a resume with other settings says so in a tag.
        changed = {key: new for key, new in params.items() if known.get(key, new) != new}
        if changed:
            text = ", ".join(f"{key}: {known[key]} -> {new}" for key, new in changed.items())
            self._tag(store, {"changed_params": text[: facts.LONGEST_TAG]})

    def _close(self, store: Store, state: str, ended: RunEnded | None = None) -> None:
        """Give the MLflow run its final status, description and samples."""
        started, samples, last = None, {}, 0
        for event in read(self.run.events_path):
            last = event.time
            if isinstance(event, RunStarted):
                started = event
            elif isinstance(event, Samples):
                samples[event.split] = event
        if ended is not None:
            self._log_scores(store, started, ended)
        note = facts.note(self.run, started, ended, state)
        tags = {"rnnlab.state": state, facts.NOTE_TAG: note}
        if ended is not None and ended.reason:
            tags["rnnlab.reason"] = ended.reason[: facts.LONGEST_TAG]
        self._tag(store, tags)
        if samples:
            with store.talking():
                store.client.log_text(self.record.run_id, facts.samples_page(samples), "samples.md")
        with store.talking():
            store.client.set_terminated(self.record.run_id, STATUS[state], ended.time if ended else last)
        self.record.state = state
        self._save()

    def _tag(self, store: Store, tags: Mapping[str, str]) -> None:
        from mlflow.entities import RunTag

        with store.talking():
            entities = [RunTag(key, value) for key, value in tags.items()]
            store.client.log_batch(self.record.run_id, tags=entities)

    def _upload(self, stores: Stores) -> None:
        """Upload what a finished run leaves behind, as far as it has changed."""
        run = self.run
        best = sorted(path for path in (run.checkpoints / "best").rglob("*") if path.is_file())
        files = [run.config_path, run.schema_path, run.log_path, *best]
        if any(self._stale(path) for path in files):
            self._upload_files(stores.at(self.record.uri), files)

    def _upload_files(self, store: Store, files: list[Path]) -> None:
        for path in filter(self._stale, files):
            seen = _fingerprint(path)
            folder = path.parent.relative_to(self.run.path).as_posix()
            with store.talking():
                store.client.log_artifact(self.record.run_id, str(path), None if folder == "." else folder)
            self.record.artifacts[self._name(path)] = seen
        self._save()

    def _stale(self, path: Path) -> bool:
        return path.exists() and self.record.artifacts.get(self._name(path)) != _fingerprint(path)

    def _name(self, path: Path) -> str:
        return path.relative_to(self.run.path).as_posix()


def _fingerprint(path: Path) -> list[int]:
    status = path.stat()
    return [status.st_size, status.st_mtime_ns]


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else -1


def _same(known: Any, value: float) -> bool:
    return known is not None and (known == value or (math.isnan(known) and math.isnan(value)))
